import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import t from 'tap';
import {
  type App,
  type Body,
  type Environ,
  type HeaderPair,
  lint,
  type MiddlewareFunction,
  type StartResponse,
  type VelaError,
  type Write,
  WsgiHandler,
  WsgiResponse,
} from '../src/index.js';
import { ask, testClient } from './support/ask.js';

const TEXT: HeaderPair[] = [['Content-Type', 'text/plain']];
const good: MiddlewareFunction = (_environ, start) => {
  start('200 OK', TEXT);
  return ['good'];
};

/** Runs what breaks a rule, within a real request, and gives the ids of the rules that were broken. */
async function findBroken(
  run: (environ: Environ, start: StartResponse) => unknown,
): Promise<string | undefined> {
  let broken: string | undefined;
  const note = (error: unknown) => {
    const { code, message } = error as VelaError;
    broken ??= code === 'ERR_LINT' ? message.slice(0, message.indexOf(':')) : `${String(error)}`;
  };
  const client = testClient(async (environ, start) => {
    try {
      const result = (await run(environ, start)) as Body | undefined;
      if (result !== undefined && result !== null && typeof result === 'object') {
        if (Symbol.asyncIterator in result) for await (const _chunk of result);
        else for (const chunk of result) await chunk;
        const { close } = result as { close?: () => void };
        close?.call(result);
        if (environ['test.closeTwice'] === true) close?.call(result);
        if (environ['test.walkTwice'] === true) for (const _chunk of result as Iterable<string>);
      }
    } catch (error) {
      note(error);
    }
    return [];
  });
  await client.post('/path', { body: 'x', headers: { 'X-A': '1' } }).catch(note);
  await client.close();
  return broken;
}

const tampered = (change: Record<string, unknown>) => (environ: Environ, start: StartResponse) => {
  Object.assign(environ, change);
  return lint(good)(environ, start);
};
const app =
  (run: MiddlewareFunction | ((environ: Environ, start: StartResponse) => unknown)) =>
  (environ: Environ, start: StartResponse) =>
    lint(run as MiddlewareFunction)(environ, start);
const starting = (status: unknown, headers: unknown) =>
  app((_environ, start) => (start(status as string, headers as HeaderPair[]), ['x']));
const yielding = (body: unknown, headers = TEXT) =>
  app((_environ, start) => (start('200 OK', headers), body));

const writingOver = (run: (bytes: Uint8Array<ArrayBuffer>, write: Write) => void) =>
  app((_environ, start) => (run(new Uint8Array(65_536), start('200 OK', TEXT)), []));

/** For each rule, what breaks it. */
const BREACHES: Record<string, ((environ: Environ, start: StartResponse) => unknown)[]> = {
  'app-callable': [() => lint(5 as never), () => lint({} as never)],
  'app-headers': [
    () => lint(Object.assign(() => [], { headers: 'x-a' }) as never),
    () => lint(Object.assign(() => [], { headers: ['HTTP_X_A'] })),
    () => lint(Object.assign(() => [], { headers: [5] }) as never),
  ],
  'app-arguments': [
    (environ) => (lint(good) as (...args: unknown[]) => unknown)(environ),
    (environ, start) => (lint(good) as (...args: unknown[]) => unknown)(environ, start, 1),
    (environ) => (lint(good) as (...args: unknown[]) => unknown)(environ, 'start'),
  ],
  'app-result': [app(() => 5), app(async () => Symbol('x')), app(() => true)],
  'environ-object': [
    (_environ, start) => lint(good)(null as never, start),
    (_environ, start) => lint(good)('x' as never, start),
  ],
  'environ-cgi': [
    tampered({ QUERY_STRING: 5 }),
    tampered({ REMOTE_ADDR: undefined }),
    tampered({ PATH_INFO: 5 }),
  ],
  'environ-method': [tampered({ REQUEST_METHOD: 'GE T' }), tampered({ REQUEST_METHOD: '' })],
  'environ-script-name': [
    tampered({ SCRIPT_NAME: 'x' }),
    tampered({ SCRIPT_NAME: '/x/' }),
    tampered({ SCRIPT_NAME: '/' }),
  ],
  'environ-path-info': [tampered({ PATH_INFO: 'x' })],
  'environ-content-length': [tampered({ CONTENT_LENGTH: '-1' }), tampered({ CONTENT_LENGTH: '1, 1' })],
  'environ-server-port': [tampered({ SERVER_NAME: '' }), tampered({ SERVER_PORT: 'http' })],
  'environ-http': [
    tampered({ HTTP_X: 5 }),
    tampered({ HTTP_CONTENT_TYPE: 'x' }),
    tampered({ 'HTTP_x-y': 'x' }),
  ],
  'environ-wsgi': [
    tampered({ 'wsgi.version': [2, 0] }),
    tampered({ 'wsgi.url_scheme': 'ftp' }),
    tampered({ 'wsgi.run_once': 0 }),
    tampered({ 'wsgi.async': false }),
  ],
  'environ-input': [tampered({ 'wsgi.input': {} }), tampered({ 'wsgi.input': undefined })],
  'environ-errors': [tampered({ 'wsgi.errors': { write: () => {} } })],
  'environ-vela': [
    tampered({ 'vela.signal': {} }),
    tampered({ 'vela.logger': { debug: 1 } }),
    tampered({ 'vela.request_id': 5 }),
    tampered({ 'vela.cfg': 5 }),
  ],
  'environ-delete': [app((environ) => void delete environ.HTTP_X_A)],
  'start-arguments': [
    app((_environ, start) => ((start as (...args: unknown[]) => unknown)('200 OK'), ['x'])),
    app(
      (_environ, start) => ((start as (...args: unknown[]) => unknown)('200 OK', TEXT, undefined, 1), ['x']),
    ),
    app((_environ, start) => ((start as (...args: unknown[]) => unknown)('200 OK', TEXT, 'x'), ['x'])),
  ],
  'start-status': [starting('200', TEXT), starting(200, TEXT), starting('100 Continue', TEXT)],
  'start-headers': [
    starting('200 OK', {}),
    starting('200 OK', [['a b', 'x']]),
    starting('200 OK', [['a', 'x\r\ny']]),
    starting('200 OK', [['a', 5]]),
  ],
  'start-hop-by-hop': [starting('200 OK', [...TEXT, ['Connection', 'close']])],
  'start-status-header': [starting('200 OK', [...TEXT, ['Status', '200']])],
  'start-content-type': [
    starting('200 OK', []),
    starting('404 Not Found', []),
    starting('204 No Content', TEXT),
  ],
  'start-unchanged': [
    app((_environ, start) => {
      const headers: HeaderPair[] = [['Content-Type', 'text/plain']];
      start('200 OK', headers);
      headers.push(['X', 'y']);
      return ['x'];
    }),
  ],
  'start-twice': [app((_environ, start) => (start('200 OK', TEXT), start('200 OK', TEXT), ['x']))],
  'start-before-body': [
    app(() => ['x']),
    app(() => []),
    app(() =>
      (async function* () {
        yield 'x';
      })(),
    ),
  ],
  'start-write': [(environ) => lint(good)(environ, (() => undefined) as never)],
  'body-iterable': [yielding('bare'), yielding(Buffer.from('bare')), yielding({})],
  'body-chunks': [
    yielding([5]),
    yielding([null]),
    yielding([Promise.resolve({})]),
    app((_environ, start) => (start('200 OK', TEXT)(5 as never), [])),
  ],
  'body-memory': [
    writingOver((bytes, write) => (void write(bytes), bytes.fill(1), void write('x'))),
    writingOver((bytes, write) => (void write(bytes), void bytes.fill(1))),
    writingOver(
      (bytes, write) => (void write(bytes), void structuredClone(bytes.buffer, { transfer: [bytes.buffer] })),
    ),
    yielding(
      (function* () {
        const bytes = new Uint8Array(65_536);
        queueMicrotask(() => bytes.fill(1));
        yield bytes;
      })(),
    ),
  ],
  'body-length': [
    yielding(['five!'], [...TEXT, ['Content-Length', '4']]),
    yielding(['five!'], [...TEXT, ['Content-Length', '6']]),
  ],
  'body-once': [
    (environ, start) => {
      environ['test.walkTwice'] = true;
      return lint(good)(environ, start);
    },
  ],
  'body-close': [
    (environ, start) => {
      environ['test.closeTwice'] = true;
      return lint(good)(environ, start);
    },
  ],
  'middleware-nothing': [
    app((_environ, start) => void start('200 OK', TEXT)),
    app(async (_environ, start) => (start('200 OK', TEXT), null)),
  ],
};

t.test('lint finds every breach', async (t) => {
  for (const [rule, breaches] of Object.entries(BREACHES)) {
    for (const [index, breach] of breaches.entries())
      t.equal(await findBroken(breach), rule, `${rule} ${index}`);
  }
});

t.test('lint lets pass what is right', async (t) => {
  const rights: Record<string, App> = {
    plain: good as App,
    'a 204': (_environ, start) => (start('204 No Content', []), []),
    'a redirect without content': (_environ, start) => (start('302 Found', [['Location', '/']]), []),
    'a generator': (_environ, start) =>
      (function* () {
        start('200 OK', TEXT);
        yield 'x';
      })(),
    'a replaced start': (_environ, start) => (
      start('200 OK', TEXT), start('500 No', TEXT, new Error('x')), ['x']
    ),
    'a stated length': (_environ, start) => (start('200 OK', [...TEXT, ['Content-Length', '1']]), ['x']),
    'write and a body': (_environ, start) => {
      const write = start('200 OK', [...TEXT, ['Content-Length', '2']]);
      void write('x');
      return ['y'];
    },
    'a changed environ': (environ, start) => {
      environ['my.key'] = 1;
      environ.HTTP_X_A = undefined;
      start('200 OK', TEXT);
      return [String(environ['my.key'])];
    },
  };
  for (const [name, right] of Object.entries(rights)) {
    const client = testClient(lint(lint(right)), { debug: true });
    const response = await client.get('/', { headers: { 'X-A': '1' } });
    t.ok(
      response.status < 400 || name === 'a replaced start',
      `${name}: ${response.status < 400 ? '' : await response.text()}`,
    );
    await client.close();
  }
});

t.test('memory may be used again once its chunk has left, that of small chunks at once', async (t) => {
  const writer =
    (bytes: Buffer, isPatient: boolean): App =>
    async (_environ, start) => {
      const write = start('200 OK', TEXT);
      for (const letter of 'abc') {
        const sent = write(bytes.fill(letter));
        if (isPatient) await sent;
      }
      return [];
    };
  const yielder =
    (bytes: Buffer): App =>
    (_environ, start) => {
      start('200 OK', TEXT);
      return (async function* () {
        for (const letter of 'abc') yield bytes.fill(letter);
      })();
    };
  const SMALL = 65_535;
  for (const size of [1000, SMALL, SMALL + 1, 700_000]) {
    for (const app of [writer(Buffer.alloc(size), true), yielder(Buffer.alloc(size))]) {
      const { text } = await ask(t, app);
      t.ok(text === 'a'.repeat(size) + 'b'.repeat(size) + 'c'.repeat(size), `${size}`);
    }
    const impatient = ask(t, writer(Buffer.alloc(size), false));
    if (size > SMALL)
      await t.rejects(impatient, { code: 'ERR_LINT', message: /^body-memory: .* until the promise/ });
    else await t.resolves(impatient);
  }
});

t.test('docs/spec.md is generated, has every rule, and each rule has a breach here', async (t) => {
  const { status, stderr } = spawnSync('npm', ['run', '--silent', 'spec', '--', '--check'], {
    encoding: 'utf8',
  });
  t.equal(status, 0, stderr);
  const ids = [...readFileSync('docs/spec.md', 'utf8').matchAll(/<sup>`([a-z-]+)`<\/sup>/g)].map(
    (match) => match[1],
  );
  t.same(ids.sort(), Object.keys(BREACHES).sort());
});

t.test('a breach whose error the application catches is told all the same', async (t) => {
  const swallow = (run: () => unknown) => {
    try {
      run();
    } catch {}
  };
  const caught: Record<string, [rule: string, app: App | MiddlewareFunction]> = {
    'by the application': [
      'start-status',
      (_environ, start) => (swallow(() => start('200', TEXT)), start('200 OK', TEXT), ['x']),
    ],
    'by an async one': [
      'start-twice',
      async (_environ, start) => (start('200 OK', TEXT), swallow(() => start('200 OK', TEXT)), ['x']),
    ],
    'by one that throws something else': [
      'start-status',
      (_environ, start) => {
        swallow(() => start('200', TEXT));
        throw new Error('else');
      },
    ],
    'by one that goes on with a WsgiResponse': [
      'environ-delete',
      (environ) => (swallow(() => delete environ.HTTP_X_A), new WsgiResponse({ content: 'x' })),
    ],
    'by a body': [
      'start-status',
      (_environ, start) =>
        (function* () {
          swallow(() => start('200', TEXT));
          start('200 OK', TEXT);
          yield 'x';
        })(),
    ],
    'from write()': [
      'body-chunks',
      (_environ, start) => {
        const write = start('200 OK', TEXT);
        swallow(() => write(5 as never));
        return ['x'];
      },
    ],
    'by a WsgiHandler': [
      'start-status',
      new WsgiHandler([(_environ, start) => void start('200', TEXT)]) as unknown as App,
    ],
  };
  for (const [name, [rule, app]] of Object.entries(caught)) {
    const client = testClient(lint(app as App));
    for (const attempt of ['once', 'and again, for the next request'])
      await t.rejects(
        client.get('/'),
        { code: 'ERR_LINT', message: new RegExp(`^${rule}: `) },
        `${name} ${attempt}`,
      );
    await client.close();
  }

  const events: string[] = [];
  const body = { [Symbol.iterator]: () => ['x'][Symbol.iterator](), close: () => void events.push('closed') };
  const closing = testClient(lint((_environ, start) => (swallow(() => start('200', TEXT)), body)));
  await t.rejects(closing.get('/'), { code: 'ERR_LINT' });
  t.same(events, ['closed'], 'what it returns is closed');
});

t.test('messages say what to do', async (t) => {
  const bytes = testClient(lint(yielding(Buffer.from('x')) as unknown as App));
  await t.rejects(bytes.get('/'), { message: /^body-iterable: .*return \[bytes\]/ });
  const twice = new WsgiHandler([(_environ, start) => void start('200 OK', TEXT), good]);
  await t.rejects(testClient(lint(twice as unknown as App)).get('/'), {
    message: /^start-twice: .*an earlier middleware called it and returned nothing/,
  });
});

t.test('messages name their subject, say a rule once, and have the remedy that a server gives', async (t) => {
  const messages: [app: unknown, pattern: RegExp][] = [
    [starting('200', TEXT), /^start-status: startResponse needs a status such as '200 OK'.*received "200"$/],
    [
      starting('200 OK', [['a', 5]]),
      /^start-headers: The value of the response header "a" must be text: '5'/,
    ],
    [
      app(() => ['x']),
      /^start-before-body: startResponse\(status, headers\) was not called.*call it first, or/,
    ],
    [
      app((_environ, start) => (start('200 OK', TEXT), start('200 OK', TEXT), ['x'])),
      /^start-twice: startResponse was/,
    ],
    [yielding([5]), /^body-chunks: A body may yield.*received 5: yield String\(value\)$/],
    [yielding('bare'), /^body-iterable: An application must return.*return \[text\]$/],
    [yielding(['xx'], [...TEXT, ['Content-Length', '1']]), /^body-length: .*leave Content-Length out/],
    [
      app(() => true),
      /^app-result: An application returns.*Received true: a middleware returns nothing to pass/,
    ],
    [
      app((_environ, start) => void start('200 OK', TEXT)),
      /^middleware-nothing: .*return the body, \[\] for none\.$/,
    ],
  ];
  for (const [broken, message] of messages) {
    const client = testClient(broken as App);
    const reading = client.get('/').then((response) => response.text());
    await t.rejects(reading, { code: 'ERR_LINT', message }, String(message));
    await client.close();
  }
  const nothing = testClient(lint((() => undefined) as unknown as App));
  t.equal(
    (await nothing.get('/')).status,
    500,
    'an application that returns nothing is no breach, and no answer',
  );
});

t.test('testClient shows a breach to the test', async (t) => {
  const client = testClient(lint(starting('200', TEXT) as unknown as App));
  await t.rejects(client.get('/'), { code: 'ERR_LINT', message: /^start-status/ });
  const bare = testClient(lint(yielding('bare') as unknown as App));
  await t.rejects(bare.get('/'), { code: 'ERR_LINT', message: /^body-iterable/ });
});

t.test(
  'a breach that is found while the body goes out rejects its reading, and not the next request',
  async (t) => {
    let headers: HeaderPair[] = [...TEXT, ['Content-Length', '200000']];
    const client = testClient(
      lint((_environ, start) => {
        start('200 OK', headers);
        return (async function* () {
          yield Buffer.alloc(100_000);
          yield 'x';
        })();
      }),
    );
    const response = await client.get('/');
    await t.rejects(response.bytes(), { code: 'ERR_LINT', message: /^body-length/ });
    headers = TEXT;
    t.equal((await (await client.get('/')).bytes()).length, 100_001);
  },
);

t.test('a breach rejects the request that it belongs to', async (t) => {
  const client = testClient(
    lint((environ, start) => {
      start('200 OK', environ.PATH_INFO === '/bad' ? [] : [['Content-Type', 'text/plain']]);
      return ['x'];
    }),
  );
  const [good, bad] = await Promise.allSettled([client.get('/ok'), client.get('/bad')]);
  t.match(good, { status: 'fulfilled' });
  t.match(bad, { status: 'rejected', reason: { code: 'ERR_LINT' } });
  await client.close();
});

t.test('close() settles every request, though one may end another', async (t) => {
  const ends = new Map<string, () => void>();
  const client = testClient((environ) => {
    const next = environ.PATH_INFO === '/a' ? '/b' : undefined;
    environ['vela.signal'].addEventListener('abort', () => next && ends.get(next)?.());
    return new Promise((resolve) => ends.set(environ.PATH_INFO, () => resolve(new WsgiResponse())));
  });
  const paths = ['/a', '/b', '/c', '/d'];
  const settled = Promise.allSettled(paths.map((path) => client.get(path)));
  await new Promise((resolve) => setImmediate(resolve));
  await client.close();
  for (const [i, one] of (await settled).entries()) {
    if (one.status === 'rejected') t.match(one.reason, { code: 'ERR_TEST_CUT' }, String(paths[i]));
    else t.pass(String(paths[i]));
  }
});
