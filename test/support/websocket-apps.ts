/** WebSockets that the gateway suite talks to. Each notes what happens to it under the id in its query. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Http404, HttpError, type Middleware, WsgiHandler, WsgiResponse } from '../../src/index.js';
import { Router } from '../../src/router/index.js';
import {
  WebSocketClose,
  type WebSocketConnection,
  type WebSocketOptions,
  websocket,
} from '../../src/websocket/index.js';

type Say = (id: string, what: string) => void;

/** @param say - where notes go @param gate - resolves when it is opened for an id */
export function websocketApps(say: Say, gate: (id: string) => Promise<void>): Record<string, WsgiHandler> {
  const idOf = ({ request }: Pick<WebSocketConnection, 'request'>) => request.query.get('id') ?? '';
  const noted = {
    open: (socket: WebSocketConnection<never>) => say(idOf(socket), 'open'),
    close: (socket: WebSocketConnection<never>, code: number, reason: string) =>
      say(idOf(socket), `close ${code}${reason === '' ? '' : ` ${reason}`}`),
  };
  const echo = (path: string, options: WebSocketOptions = {}) =>
    websocket(path, { ...noted, message: (socket, message) => void socket.send(message) }, options);

  const kept: Buffer[] = [];
  const allocate = (bytes: number) => {
    for (let i = 0; i < 10; i++) kept.push(Buffer.allocUnsafeSlow(bytes).fill(0x10));
  };

  const requestId: Middleware = (environ) => {
    environ['vela.response'].onStart((response) => response.headers.push(['X-From-Middleware', 'yes']));
  };

  const wide = new WsgiHandler([
    requestId,
    echo('/echo', { maxPayloadBytes: 20_000_000 }),
    echo('/small', { maxPayloadBytes: 1000 }),
    echo('/deflate', { compression: true, maxPayloadBytes: 100_000 }),
    websocket(
      '/deflate-asked',
      {
        handshake: ({ query }) => say(query.get('id') ?? '', 'asked'),
        message: (socket, message) => void socket.send(message),
      },
      { compression: true },
    ),
    echo('/chat', { protocols: ['chat.v2', 'chat.v1'] }),
    echo('/any-origin', { origins: '*' }),
    echo('/listed', { origins: ['https://app.example.com'] }),
    echo('/asked', { origins: (origin) => origin.endsWith('.example.org') }),
    echo('/shared', { passesOn: true }),
    new Router().get('/shared', ({ method }) => `the page by ${method}`).post('/shared', () => 'the form'),
    new Router()
      .mount('/', echo('/routed', { passesOn: true }))
      .get('/routed', () => 'the routed page')
      .post('/routed', () => 'the routed form'),
    echo('/passed', { passesOn: true }),
    echo('/few', { maxConnections: 2 }),
    echo('/silent', { idleTimeoutMs: 400 }),
    websocket(
      '/few-undecided',
      {
        async handshake({ query }) {
          say(query.get('id') ?? '', 'asked');
          await gate(query.get('id') ?? '');
        },
      },
      { maxConnections: 2 },
    ),
    websocket(
      '/unread',
      {
        open: (socket) => socket.signal.addEventListener('abort', () => say(idOf(socket), 'gone')),
        async message(socket) {
          say(idOf(socket), 'handled');
          await gate(idOf(socket));
        },
      },
      { idleTimeoutMs: 400, maxWaitingBytes: 10_000 },
    ),
    websocket('/rooms/:room', {
      async handshake(request) {
        await sleep(1);
        const { room } = request.params;
        if (room === 'closed') throw new Http404('No such room');
        if (room === 'broken') throw new Error('broken');
        if (room === 'busy') throw new HttpError(503, 'Later', { headers: [['Retry-After', '9']] });
        if (room === 'moved') return new WsgiResponse({ status: 307, headers: [['Location', '/rooms/new']] });
        if (room === 'slow') {
          await gate(request.query.get('id') ?? '');
        }
        return { room };
      },
      open(socket) {
        noted.open(socket as never);
        socket.send(
          `${socket.state.room} ${socket.request.params.room} ${socket.request.header('x-test')} ${socket.request.environ.REMOTE_ADDR}`,
        );
      },
      close: noted.close as never,
    }),
    websocket('/allocating', {
      handshake: () => sleep(1),
      // What the upgrade of uWebSockets.js frees is filled with bits that end a response.
      open: () => [56, 64, 72].forEach(allocate),
      message: (socket, message) => socket.send(message),
    }),
    websocket('/events', {
      ...noted,
      ping: (socket, data) => say(idOf(socket), `ping ${data}`),
      pong: (socket, data) => say(idOf(socket), `pong ${data}`),
      message(socket, message) {
        const text = message.text();
        if (text === 'ping') socket.ping('there?');
        else if (text === 'close') socket.close(4000, 'as you wish');
        else if (text === 'terminate') socket.terminate();
        else if (text === 'throw') throw new Error('thrown');
        else if (text === 'reject') return Promise.reject(new Error('rejected'));
        else if (text === 'quit') throw new WebSocketClose(4401, 'signed out');
        else if (text === 'json') socket.sendJson({ a: [1, 'ü'] });
        else if (text.startsWith('{')) socket.sendJson({ got: message.json() });
        else if (text === 'bytes') socket.send(new Uint8Array([1, 2, 3]).subarray(1));
        else if (text === 'view') socket.send(new DataView(new Uint8Array([9, 8, 7]).buffer, 1));
        else if (text === 'wrong') socket.send(5 as never);
        else if (text === 'cork')
          socket.cork(() => {
            socket.send('one');
            socket.send('two');
          });
        else if (text === 'async cork') socket.cork(() => Promise.reject(new Error('within')) as never);
        else if (text === 'after') {
          socket.close(1000, 'done');
          say(idOf(socket), `send ${socket.send('late')} open ${socket.isOpen} code ${socket.closeCode}`);
        } else if (text === 'signal') {
          socket.signal.addEventListener('abort', () =>
            say(idOf(socket), `aborted ${socket.signal.reason.message}`),
          );
        } else if (text === 'gone') {
          setTimeout(() => {
            try {
              say(idOf(socket), `read ${message.bytes().length}`);
            } catch (error) {
              say(idOf(socket), (error as { code: string }).code);
            }
          }, 1);
        } else socket.send(`what is ${text}?`);
        return undefined;
      },
    }),
    websocket('/in-order', {
      ...noted,
      async message(socket, message) {
        say(idOf(socket), `begin ${message.text()}`);
        await gate(`${idOf(socket)}-${message.text()}`);
        say(idOf(socket), `end ${message.text()}`);
        socket.send(message);
      },
    }),
    websocket(
      '/side-by-side',
      {
        async message(socket, message) {
          say(idOf(socket), `begin ${message.text()}`);
          await gate(`${idOf(socket)}-${message.text()}`);
          socket.send(message);
        },
      },
      { concurrency: 2 },
    ),
    websocket('/late-open', {
      async open(socket) {
        say(idOf(socket), 'opening');
        await gate(idOf(socket));
        say(idOf(socket), 'opened');
      },
      message: (socket, message) => say(idOf(socket), `message ${message.text()}`),
    }),
    websocket(
      '/flooded',
      {
        ...noted,
        async message(socket, message) {
          say(idOf(socket), `handled ${message.byteLength}`);
          await gate(idOf(socket));
        },
      },
      { maxWaitingBytes: 10_000 },
    ),
    websocket('/loop', async (socket) => {
      let sum = 0;
      for await (const message of socket) {
        if (message.text() === 'throw') throw new Error('in the loop');
        if (message.text() === 'return') return;
        sum += Number(message.text());
        socket.send(String(sum));
      }
      say(idOf(socket), `loop left ${socket.closeCode}`);
    }),
    websocket(
      '/download',
      {
        ...noted,
        drain: (socket) => say(idOf(socket), 'drain'),
        async message(socket, message) {
          const chunk = Buffer.alloc(65_536, 'x');
          const count = Number(message.text());
          let buffered = 0;
          for (let i = 0; i < count && socket.isOpen; i++) {
            if (socket.send(chunk) === 'sent') continue;
            buffered++;
            await socket.drained();
          }
          say(idOf(socket), buffered > 0 ? 'waited' : 'never waited');
          socket.send('end');
        },
      },
      { maxBackpressureBytes: 200_000 },
    ),
    websocket(
      '/parts',
      {
        drain: (socket) => say(idOf(socket), `drain ${socket.bufferedBytes}`),
        async message(socket) {
          for (let i = 0; i < 20; i++) socket.send(Buffer.alloc(500_000));
          say(idOf(socket), `sent ${socket.bufferedBytes > 0}`);
          await socket.drained();
          say(idOf(socket), `drained ${socket.bufferedBytes}`);
        },
      },
      { maxBackpressureBytes: 200_000_000 },
    ),
    websocket(
      '/careless',
      {
        ...noted,
        message(socket) {
          const chunk = Buffer.alloc(65_536, 'x');
          for (let i = 0; i < 1000; i++) if (socket.send(chunk) === 'dropped') break;
          say(idOf(socket), `left ${socket.bufferedBytes < 1_000_000}`);
        },
      },
      { maxBackpressureBytes: 200_000 },
    ),
    websocket(
      '/lossy',
      {
        ...noted,
        message(socket) {
          const chunk = Buffer.alloc(65_536, 'x');
          const results = new Set<string>();
          for (let i = 0; i < 1000; i++) results.add(socket.send(chunk));
          say(idOf(socket), [...results].join());
        },
      },
      { maxBackpressureBytes: 200_000, onBackpressure: 'drop' },
    ),
    new Router().mount(
      '/below/:tenant',
      websocket('/ws', { open: (socket) => void socket.send(JSON.stringify(socket.request.params)) }),
    ),
    (environ) => (environ.PATH_INFO === '/hello' ? new WsgiResponse({ content: 'ok' }) : undefined),
  ]);
  const plain = new WsgiHandler([echo('/echo')]);
  return { websockets: wide, 'websockets-plain': plain };
}
