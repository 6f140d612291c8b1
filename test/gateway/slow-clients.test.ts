/** Clients that read slowly, stop reading, or stop sending, over real sockets. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { type App, json, type Logger, requestOf, serve, WsgiHandler, WsgiResponse } from '../../src/index.js';
import { cors, timeout } from '../../src/middleware/index.js';

const GATEWAYS = ['uws', 'node'] as const;
const CHUNKED = 'Transfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n';
const STATED = 'Content-Length: 10\r\n\r\n{"a":';

const portOf = (server: { readonly url: string }) => Number(new URL(server.url).port);
const large: App = ({ QUERY_STRING, PATH_INFO }, start) => {
  const bytes = Buffer.alloc(Number(QUERY_STRING), 'x');
  if (PATH_INFO === '/whole') return new WsgiResponse({ content: bytes });
  start('200 OK', [['Content-Type', 'text/plain']]);
  return (function* () {
    yield bytes;
  })();
};

function ask(port: number, head: string, body = '\r\n'): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(`${head} HTTP/1.1\r\nHost: a\r\n${body}`);
  return socket;
}

/** All that comes, read in steps with a pause after each. */
async function readSlowly(socket: Socket, pauseMs: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of socket) {
    pieces.push(piece as Buffer);
    await sleep(pauseMs);
  }
  return Buffer.concat(pieces);
}

async function readAll(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('latin1').on('data', (piece) => {
    text += piece;
  });
  await Promise.race([once(socket, 'close'), sleep(5000, undefined, { ref: false })]);
  socket.destroy();
  return text;
}

// They wait, most of the time.
t.jobs = 4;
for (const gateway of GATEWAYS) {
  t.test(`${gateway}: a client that goes on reading is not cut, however large a chunk is`, async (t) => {
    const server = await serve(large, {
      bind: '127.0.0.1:0',
      gateway,
      stallTimeoutMs: 300,
      logLevel: 'silent',
    });
    t.teardown(() => server.close());
    const bytes = 12_000_000;
    for (const path of ['/whole', '/chunk']) {
      const socket = ask(portOf(server), `GET ${path}?${bytes}`, 'Connection: close\r\n\r\n');
      const beganMs = performance.now();
      const received = await readSlowly(socket, 4);
      t.ok(performance.now() - beganMs > 600, 'it took longer than the limit');
      t.ok(received.length >= bytes, `${path}: ${received.length} of ${bytes}`);
    }
  });

  t.test(`${gateway}: a client that reads again just when it is cut harms nobody`, async (t) => {
    const server = await serve(large, {
      bind: '127.0.0.1:0',
      gateway,
      stallTimeoutMs: 200,
      logLevel: 'silent',
    });
    t.teardown(() => server.close());
    const port = portOf(server);
    for (let round = 0; round < 4; round++) {
      const reading = Array.from({ length: 30 }, async (_, index) => {
        const socket = ask(port, `GET /whole?4500000`);
        socket.pause();
        await sleep(190 + index * 3);
        socket.resume();
        await Promise.race([once(socket, 'close'), sleep(1000)]);
        socket.destroy();
      });
      await Promise.all(reading);
    }
    const alive = await fetch(`${server.url}/whole?5`);
    t.equal(await alive.text(), 'xxxxx');
  });

  for (const [framing, body] of Object.entries({ chunked: CHUNKED, 'a stated length': STATED })) {
    t.test(`${gateway}: timeout() while the rest of a body is awaited, ${framing}`, async (t) => {
      const logged: string[] = [];
      const keep = (_details: object, message: string) => void logged.push(message);
      const logger: Logger = { debug() {}, info() {}, warn: keep, error: keep };
      const app = new WsgiHandler([
        (environ) => {
          environ['vela.logger'] = logger;
        },
        timeout({ timeoutMs: 100 }),
        async (environ) => json(await requestOf(environ).json()),
      ]);
      const server = await serve(app, { bind: '127.0.0.1:0', gateway, logLevel: 'silent' });
      t.teardown(() => server.close());
      const socket = ask(portOf(server), 'POST /', `Content-Type: application/json\r\n${body}`);
      const answer = await readAll(socket);
      t.match(answer, /^HTTP\/1\.1 503 /);
      t.equal(answer.split('HTTP/1.1').length, 2, 'one response');
      await sleep(50);
      t.strictSame(logged, ['The request took too long'], 'one error is logged');
    });
  }

  t.test(`${gateway}: an Origin that no browser sends is not asked about`, async (t) => {
    const asked: string[] = [];
    const origins = (origin: string) => {
      asked.push(origin);
      return true;
    };
    const app = new WsgiHandler([
      cors({ origins, credentials: true }),
      () => new WsgiResponse({ content: 'x' }),
    ]);
    const server = await serve(app, { bind: '127.0.0.1:0', gateway, logLevel: 'silent' });
    t.teardown(() => server.close());
    const port = portOf(server);
    for (const origin of [
      'https://€.example',
      'https://\xff',
      'https://evil/.example',
      'a b',
      'https://a@b',
    ]) {
      const answer = await readAll(ask(port, 'GET /', `Origin: ${origin}\r\nConnection: close\r\n\r\n`));
      t.match(answer, /^HTTP\/1\.1 200 /, origin);
      t.notMatch(answer, /access-control/i, origin);
    }
    t.strictSame(asked, []);
    for (const origin of ['https://a.example:8443', 'null', 'http://[::1]:80', 'chrome-extension://abc']) {
      const answer = await readAll(ask(port, 'GET /', `Origin: ${origin}\r\nConnection: close\r\n\r\n`));
      t.match(answer, `Access-Control-Allow-Origin: ${origin}`);
    }
  });
}
