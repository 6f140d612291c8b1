import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import {
  type App,
  type Body,
  type Environ,
  type HeaderPair,
  type ServerOptions,
  serve,
  WsgiHandler,
  type WsgiInput,
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

const BOTH = ['uws', 'node'] as const;

/** Sends bytes, and gives what comes until the connection is closed or `ms` have passed. */
async function exchange(port: number, request: string, ms = 5000): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    answer += text;
  });
  socket.on('error', () => {});
  socket.write(request, 'latin1');
  const timer = setTimeout(() => socket.destroy(), ms);
  await once(socket, 'close');
  clearTimeout(timer);
  return answer;
}

async function serveOn(gateway: 'uws' | 'node', app: App, options: Partial<ServerOptions> = {}) {
  const server = await serve(app, { bind: '127.0.0.1:0', gateway, logLevel: 'silent', ...options });
  return { server, port: (server.address as { port: number }).port };
}

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const LAST = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

t.test('a stream that fails after it was closed unread ends no process', async (t) => {
  const missing = () => createReadStream('/there/is/no/such/file');
  const cases: Record<string, App> = {
    replaced: new WsgiHandler([() => new WsgiResponse({ content: missing() })], {
      responseMiddleware: [() => new WsgiResponse({ content: 'other' })],
    }),
    'bad header': () => new WsgiResponse({ content: missing(), headers: [['X', 'a\nb']] }),
    'response middleware throws': new WsgiHandler([() => new WsgiResponse({ content: missing() })], {
      responseMiddleware: [
        () => {
          throw new Error('no');
        },
      ],
    }),
  };
  const warnings: Error[] = [];
  const listener = (warning: Error) => warnings.push(warning);
  process.on('warning', listener);
  for (const [name, app] of Object.entries(cases)) {
    const client = testClient(app);
    await client.get('/');
    await client.close();
    await sleep(20);
    t.pass(name);
  }
  process.off('warning', listener);
  for (const gateway of BOTH) {
    const { server, port } = await serveOn(gateway, async (_environ, start) => {
      await sleep(60);
      try {
        start('200 OK', TEXT);
      } catch {
        // The client is gone.
      }
      return missing();
    });
    await exchange(port, GET, 20);
    await sleep(100);
    t.match(await exchange(port, LAST, 2000), /^(?:HTTP\/1.1 500|$)/, `${gateway} still answers`);
    await server.close();
  }
});

t.test('all requests of a closed connection are aborted, those behind others too', async (t) => {
  let live = 0;
  const { server, port } = await serveOn('node', async (environ) => {
    live++;
    await sleep(60_000, undefined, { signal: environ['vela.signal'] }).catch(() => {});
    live--;
    return new WsgiResponse();
  });
  await exchange(port, GET.repeat(50), 100);
  await sleep(50);
  t.equal(live, 0);
  await server.close();
});

t.test('a second read is refused, and takes nothing from the first', async (t) => {
  const size = 300_000;
  const second: Record<string, (input: WsgiInput) => PromiseLike<unknown> | undefined> = {
    read: (input) => input.read(10),
    'large read': (input) => input.read(size * 2),
    readline: (input) => input.readline(10),
    load: (input) => input.load(10),
    iterate: async (input) => {
      for await (const chunk of input) return chunk;
      return undefined;
    },
  };
  for (const gateway of BOTH) {
    const { server, port } = await serveOn(gateway, async (environ) => {
      const input = environ['wsgi.input'];
      const first = input.read();
      await sleep(50);
      const name = environ.PATH_INFO.slice(1).replace('_', ' ');
      const refused = await Promise.resolve()
        .then(() => second[name]?.(input))
        .then(
          () => 'served',
          (error: { code?: string }) => error.code,
        );
      return new WsgiResponse({ content: `${refused} ${(await first).length}` });
    });
    for (const name of Object.keys(second)) {
      const socket = connect(port, '127.0.0.1');
      const path = name.replace(' ', '_');
      socket.write(`POST /${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
      socket.write('x'.repeat(1000));
      setTimeout(() => socket.write('x'.repeat(size - 1000)), 150);
      let answer = '';
      socket.setEncoding('utf8').on('data', (text: string) => {
        answer += text;
      });
      while (!answer.includes(String(size)) && !answer.includes('408')) await once(socket, 'data');
      socket.destroy();
      t.match(answer, new RegExp(`ERR_INPUT_BUSY ${size}$`), `${gateway} ${name}`);
    }
    await server.close();
  }
});

t.test('wsgi.input.load() takes a limit or nothing, and never lifts that of the server', async (t) => {
  const limits: Record<string, unknown> = { nothing: undefined, NaN: Number.NaN, text: 'x', negative: -1 };
  const app: App = async (environ) => {
    await environ['wsgi.input'].load(limits[environ.PATH_INFO.slice(1)] as number);
    return new WsgiResponse({ content: String(environ['wsgi.input'].readSync().length) });
  };
  const client = testClient(app, { maxBodyBytes: 1000 });
  const body = (async function* () {
    yield 'x'.repeat(800);
    yield 'x'.repeat(800);
  })();
  t.equal((await client.post('/nothing', { body })).status, 413);
  for (const name of ['NaN', 'text', 'negative'])
    t.equal((await client.post(`/${name}`, { body: 'x' })).status, 500);
  await client.close();
});

t.test('what an iteration of wsgi.input leaves can still be read', async (t) => {
  const { server, port } = await serveOn('uws', async (environ) => {
    const input = environ['wsgi.input'];
    await sleep(150);
    let first = 0;
    for await (const chunk of input) {
      first = chunk.length;
      break;
    }
    return new WsgiResponse({ content: `sum ${first + (await input.read()).length}` });
  });
  const socket = connect(port, '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6000\r\n\r\n');
  for (let i = 0; i < 3; i++) {
    await sleep(30);
    socket.write('x'.repeat(2000));
  }
  t.match(String((await once(socket, 'data'))[0]), /sum 6000$/);
  socket.destroy();
  await server.close();
});

t.test('write() copies what its writer may use again', async (t) => {
  for (const gateway of BOTH) {
    const { server, port } = await serveOn(gateway, async (_environ, start) => {
      const write = start('200 OK', [...TEXT, ['Content-Length', '24']]);
      const bytes = Buffer.alloc(4);
      for (const letter of 'abcdef') {
        bytes.fill(letter);
        await write(bytes);
      }
      return [];
    });
    t.match(await exchange(port, LAST), /aaaabbbbccccddddeeeeffff$/, gateway);
    await server.close();
  }
});

t.test('8-bit header values leave as ISO-8859-1, beside a text stream too', async (t) => {
  for (const gateway of BOTH) {
    const { server, port } = await serveOn(gateway, (_environ, start) => {
      start('200 OK', [...TEXT, ['X-Name', 'caf\xe9'], ['Content-Length', '5']]);
      return (async function* () {
        yield 'he';
        await sleep(5);
        yield 'llo';
      })();
    });
    t.match(await exchange(port, LAST), /X-Name: caf\xe9\r\n/, gateway);
    await server.close();
  }
});

t.test('a streamed answer to an Upgrade goes on under back-pressure', async (t) => {
  const app: App = (_environ, start) => {
    start('200 OK', TEXT);
    return (async function* () {
      for (let i = 0; i < 30; i++) yield 'x'.repeat(50_000);
    })();
  };
  const { server, port } = await serveOn('node', app, { allowTunnels: true });
  const upgrade = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n';
  t.ok((await exchange(port, upgrade)).length > 1_500_000);
  await server.close();
});

t.test('a writer that waits for nothing but write() leaves the loop to others', async (t) => {
  for (const gateway of BOTH) {
    let isStopped = false;
    const { server, port } = await serveOn(gateway, async (_environ, start) => {
      const write = start('200 OK', TEXT);
      while (!isStopped) await write('x'.repeat(65_536));
      return [];
    });
    await exchange(port, GET, 100);
    // Runs only if the loop does.
    await sleep(50);
    isStopped = true;
    t.pass(gateway);
    await server.close();
  }
});

t.test('a thenable that calls back twice, or throws afterwards, counts once', async (t) => {
  let calls = 0;
  const twice = {
    // biome-ignore lint/suspicious/noThenProperty: a thenable is the subject
    then(resolve: (value: undefined) => void) {
      resolve(undefined);
      resolve(undefined);
      throw new Error('too late');
    },
  };
  const app = new WsgiHandler([
    () => twice as PromiseLike<undefined>,
    () => {
      calls++;
      return new WsgiResponse({ content: 'once' });
    },
  ]);
  const client = testClient(app);
  t.equal(await (await client.get('/')).text(), 'once');
  t.equal(calls, 1);
  await client.close();
});
