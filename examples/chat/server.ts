/**
 * A chat with rooms and names, across workers and machines. Open http://127.0.0.1:8060 in two windows; `-w 2` has two workers,
 * and `--data-store redis://127.0.0.1` joins several servers. `curl -N http://127.0.0.1:8060/rooms/lobby/events` listens, too, and this speaks, by JSON-RPC:
 * `curl http://127.0.0.1:8060/rpc -H 'Content-Type: application/json' -d '{"jsonrpc":"2.0","id":1,"method":"message","params":["lobby","bot","Hello"]}'`
 */
import { BadRequest, eventStream, json, Router, WsgiHandler, WsgiServer } from 'vela';
import { Channels } from 'vela/channels';
import { mount, secureHeaders } from 'vela/middleware';
import { JsonRpcHandler } from 'vela/rpc';
import { websocket } from 'vela/websocket';
import { Chat } from './chat.js';
import { chatPage } from './page.js';

const channels = new Channels({ name: 'chat' });
const chat = new Chat(channels);

/** @throws {BadRequest} */
function requireRoom(room: string): string {
  if (/^[\w-]{1,40}$/.test(room)) return room;
  throw new BadRequest('A room is called by letters, digits, "_" and "-", 40 at most');
}

/** @throws {BadRequest} */
function requireName(name: string): string {
  const trimmed = name.trim();
  if (trimmed !== '' && trimmed.length <= 40) return trimmed;
  throw new BadRequest('Say who you are, in 40 characters at most: ?name=ann');
}

const room = websocket(
  '/rooms/:room',
  {
    handshake({ params, query }) {
      return { name: requireName(query.get('name') ?? ''), room: requireRoom(params.room) };
    },
    open: (socket) => chat.enter(socket, socket.state.room, socket.state.name),
    message(socket, message) {
      chat.message(socket.state.room, socket.state.name, message.text());
    },
    close: (socket) => chat.leave(socket, socket.state.room),
  },
  { maxPayloadBytes: 4096 },
);

const rpc = new JsonRpcHandler().method(
  'message',
  {
    params: [
      ['room', 'string'],
      ['name', 'string'],
      ['text', 'string'],
    ],
  },
  (_call, room, name, text) => chat.message(requireRoom(room), requireName(name), text),
);

const site = new Router()
  .get('/', ({ environ }) => chatPage(environ))
  .get('/rooms/:room/count', async ({ params }) =>
    json({ here: await channels.count(chat.channelOf(requireRoom(params.room))) }),
  )
  .get('/rooms/:room/events', ({ params, environ }) => {
    const events = channels.events(chat.channelOf(requireRoom(params.room)), {
      signal: environ['vela.signal'],
    });
    return eventStream(events, { retryMs: 1000 });
  })
  .mount('/', room);

const policy = secureHeaders({
  contentSecurityPolicy: { directives: { 'script-src': ["'nonce'"], 'style-src': ["'nonce'"] } },
});
const lifetime = { start: () => chat.start(), stop: () => chat.stop(), headers: [], handle: () => undefined };

await new WsgiServer(new WsgiHandler([channels, lifetime, policy, mount('/rpc', rpc), site])).start();
