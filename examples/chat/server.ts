/**
 * A chat with rooms and names, across workers and machines. Open http://127.0.0.1:8060 in two windows; `-w 2` has two workers,
 * and `--data-store redis://127.0.0.1` joins several servers. `curl -N http://127.0.0.1:8060/rooms/lobby/events` listens, too.
 */
import { BadRequest, eventStream, json, Router, WsgiHandler, WsgiServer } from 'vela';
import { Channels } from 'vela/channels';
import { secureHeaders } from 'vela/middleware';
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

const room = websocket(
  '/rooms/:room',
  {
    handshake({ params, query }) {
      const name = (query.get('name') ?? '').trim();
      if (name === '' || name.length > 40) throw new BadRequest('Say who you are: ?name=ann');
      return { name, room: requireRoom(params.room) };
    },
    open: (socket) => chat.enter(socket, socket.state.room, socket.state.name),
    message(socket, message) {
      chat.message(socket.state.room, socket.state.name, message.text());
    },
    close: (socket) => chat.leave(socket, socket.state.room),
  },
  { maxPayloadBytes: 4096 },
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

await new WsgiServer(new WsgiHandler([channels, lifetime, policy, site])).start();
