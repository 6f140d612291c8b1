import { once } from 'node:events';
import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import {
  type App,
  type Body,
  type Environ,
  type HeaderPair,
  serve,
  WsgiHandler,
  WsgiResponse,
  waitForBody,
} from '../src/index.js';
import { testClient } from './support/ask.js';

const TEXT: HeaderPair[] = [['Content-Type', 'text/plain']];
const unhandled: unknown[] = [];
process.on('unhandledRejection', (error) => unhandled.push(error));

/** Asks for the first chunk, then goes away. */
async function leaveAfterFirstChunk(app: App): Promise<void> {
  const client = testClient(app);
  const abort = new AbortController();
  const response = await client.get('/', { signal: abort.signal });
  const reader = response.body[Symbol.asyncIterator]();
  await reader.next();
  abort.abort(new Error('gone'));
  await sleep(5);
  await client.close();
}

t.test('no promise of an application is left without an owner', async (t) => {
  const later = (ms: number) =>
    sleep(ms).then(() => {
      throw new Error(`rejected after ${ms} ms`);
    });
  const signalled: App = (environ, start) => {
    const options = { signal: environ['vela.signal'] };
    start('200 OK', TEXT);
    return ['a', sleep(500, 'b', options), sleep(600, 'c', options)];
  };
  await leaveAfterFirstChunk(signalled);
  const early = testClient((_environ, start) => {
    start('200 OK', TEXT);
    return [sleep(30, 'a'), later(1)];
  });
  const response = await early.get('/');
  await t.rejects(
    response.text(),
    { code: 'ERR_TEST_CUT' },
    'a chunk that rejects before its turn still cuts the response',
  );
  await early.close();
  const forgetful = testClient((environ, start) => {
    void environ['wsgi.input'].read();
    start('200 OK', TEXT);
    return ['answered'];
  });
  const endless = (async function* () {
    yield 'x';
    await new Promise(() => {});
  })();
  t.equal(await (await forgetful.post('/', { body: endless })).text(), 'answered');
  await forgetful.close();
  await sleep(10);
  t.same(unhandled, []);
});

t.test('streams are destroyed when the client leaves', async (t) => {
  const streams: PassThrough[] = [];
  const piped: App = (_environ, start) => {
    start('200 OK', TEXT);
    const stream = new PassThrough();
    stream.write('first');
    streams.push(stream);
    return stream;
  };
  await leaveAfterFirstChunk(piped);
  await leaveAfterFirstChunk(async (environ, start) => piped.call(undefined, environ, start) as Body);
  for (const stream of streams) t.ok(stream.destroyed);

  let cancelled = 0;
  const web: App = (_environ, start) => {
    start('200 OK', TEXT);
    return new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(Buffer.from('first')),
      cancel: () => {
        cancelled++;
      },
    }) as unknown as Body;
  };
  await leaveAfterFirstChunk(web);
  t.equal(cancelled, 1, 'a web stream is cancelled');

  const refused = new PassThrough();
  const client = testClient(() => new WsgiResponse({ content: refused, headers: [['Bad\r\n', 'x']] }));
  t.equal((await client.get('/')).status, 500);
  t.ok(refused.destroyed, 'and one whose response is refused');
  await client.close();
});

t.test('a generator may use its buffer again', async (t) => {
  for (const gateway of ['uws', 'node'] as const) {
    const shared: App = (environ, start) => {
      start('200 OK', TEXT);
      const buffer = Buffer.alloc(4);
      if (environ.PATH_INFO === '/async') {
        return (async function* () {
          for (const letter of 'abc') {
            buffer.fill(letter);
            yield buffer;
          }
        })();
      }
      return (function* () {
        for (const letter of 'abc') {
          buffer.fill(letter);
          yield buffer;
        }
      })();
    };
    const server = await serve(shared, { bind: 0, gateway });
    for (const path of ['/sync', '/async'])
      t.equal(await (await fetch(server.url + path)).text(), 'aaaabbbbcccc', `${gateway} ${path}`);
    await server.close();
  }
});

t.test('what is asked for after the answer says so', async (t) => {
  for (const gateway of ['uws', 'node'] as const) {
    let kept: Environ | undefined;
    const app: App = (environ, start) => {
      kept = environ;
      start('200 OK', TEXT);
      return ['ok'];
    };
    const server = await serve(app, { bind: 0, gateway });
    await (await fetch(server.url, { method: 'POST', body: 'abc' })).text();
    t.throws(() => kept?.['wsgi.input'].readSync(), { code: 'ERR_INPUT_CLOSED' }, gateway);
    t.throws(() => kept?.REMOTE_ADDR, { code: 'ERR_ENVIRON_EXPIRED' }, gateway);
    await server.close();
  }
});

t.test('a stopping server lets what it cuts clean up before its parts stop', async (t) => {
  for (const gateway of ['uws', 'node'] as const) {
    const events: string[] = [];
    const app = Object.assign(
      ((_environ: Environ, start: (status: string, headers: HeaderPair[]) => unknown) => {
        start('200 OK', TEXT);
        return (async function* () {
          try {
            for (;;) {
              yield 'tick';
              await sleep(5);
            }
          } finally {
            events.push('finally');
          }
        })();
      }) as App,
      { stop: () => void events.push('stop') },
    ) as App;
    const server = await serve(app, { bind: 0, gateway, logLevel: 'silent' });
    const socket = connect((server.address as { port: number }).port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(socket, 'data');
    await server.close({ timeoutMs: 20 });
    t.same(events, ['finally', 'stop'], gateway);
    socket.destroy();
  }
});

t.test('options are objects with known names', async (t) => {
  t.throws(() => waitForBody(100 as never), /takes its options as an object/);
  t.throws(() => new WsgiResponse('text' as never), /takes its options as an object/);
  t.throws(() => new WsgiResponse({ body: 'x' } as never), /no option "body"/);
  t.throws(() => new WsgiResponse({ headers: { a: 'b' } } as never), /headers as pairs/);
  t.throws(() => new WsgiHandler([], { responseMiddleware: (() => {}) as never }), /must be an array/);
  const server = await serve(() => [], { bind: 0 });
  await t.rejects(server.close({ timeout: 5 } as never), /no option "timeout"/);
  await t.rejects(server.close(5 as never), /takes its options as an object/);
  await server.close();
});

t.test('close() waits for a refusal that waits for its request body', async (t) => {
  const app: App = () => new Promise<Body>(() => {});
  const server = await serve(app, {
    bind: '127.0.0.1:0',
    gateway: 'uws',
    requestTimeoutMs: 100,
    logLevel: 'silent',
  });
  const { port } = server.address as { port: number };
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    answer += text;
  });
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
  // The deadline has passed, and the second in which the rest of the body may come has not.
  await sleep(500);
  t.equal(answer, '');
  const closed = once(socket, 'close');
  await server.close({ timeoutMs: 5000 });
  await closed;
  t.match(answer, /^HTTP\/1\.1 504 /);
});
