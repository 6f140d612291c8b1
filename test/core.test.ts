import { Readable } from 'node:stream';
import t, { type Test } from 'tap';
import {
  type App,
  type AppFunction,
  type Body,
  type Environ,
  environKeys,
  type HeaderPair,
  HttpError,
  lint,
  type StartResponse,
  toObject,
  WsgiHandler,
} from '../src/index.js';
import type { TestRequest } from '../src/testing/index.js';
import { ask, client, recorder, testClient } from './support/ask.js';

const TEXT: HeaderPair[] = [['Content-Type', 'text/plain']];

/** An app that answers with what a function says of the environ. */
const say =
  (describe: (environ: Environ) => unknown): AppFunction =>
  (environ, startResponse) => {
    const text = JSON.stringify(describe(environ));
    startResponse('200 OK', [['Content-Type', 'application/json']]);
    return [text];
  };

t.test('environ', async (t) => {
  t.test('has the keys of CGI and WSGI', async (t) => {
    const { text } = await ask(
      t,
      say((environ) => ({
        ...toObject(environ),
        'wsgi.input': 0,
        'wsgi.errors': 0,
        'vela.signal': 0,
        'vela.cfg': 0,
        'vela.logger': 0,
      })),
      '/a%20b/%C3%A9?x=1&y=%20',
      { headers: { Accept: 'text/html', 'Content-Type': 'text/x' } },
    );
    t.match(JSON.parse(text), {
      REQUEST_METHOD: 'GET',
      SCRIPT_NAME: '',
      PATH_INFO: '/a b/é',
      QUERY_STRING: 'x=1&y=%20',
      RAW_URI: '/a%20b/%C3%A9?x=1&y=%20',
      CONTENT_TYPE: 'text/x',
      CONTENT_LENGTH: '',
      SERVER_NAME: 'testserver',
      SERVER_PORT: '80',
      SERVER_PROTOCOL: 'HTTP/1.1',
      SERVER_SOFTWARE: /^vela\//,
      REMOTE_ADDR: '127.0.0.1',
      HTTP_ACCEPT: 'text/html',
      HTTP_HOST: 'testserver',
      'wsgi.version': [1, 0],
      'wsgi.url_scheme': 'http',
      'wsgi.multithread': false,
      'wsgi.multiprocess': false,
      'wsgi.run_once': false,
      'wsgi.async': true,
      'vela.raw_path': '/a%20b/%C3%A9',
      'vela.request_id': /^\w{6}-\w+$/,
    });
  });

  t.test('reads, assigns and asks like a plain object', async (t) => {
    const { text } = await ask(
      t,
      say((environ) => {
        const before = [
          'HTTP_X_A' in environ,
          'HTTP_X_B' in environ,
          'PATH_INFO' in environ,
          'my.key' in environ,
          'HTTPS' in environ,
        ];
        environ['my.key'] = 1;
        environ.HTTP_X_A = 'mine';
        environ.PATH_INFO = '/changed';
        environ.HTTP_X_B = undefined;
        environ.SERVER_NAME = 'other';
        const after = [
          'my.key' in environ,
          environ['my.key'],
          environ.HTTP_X_A,
          environ.PATH_INFO,
          environ.SERVER_NAME,
        ];
        return [before, after, environ.toString(), environ.HTTP_CONTENT_TYPE === undefined];
      }),
      '/',
      { headers: { 'X-A': 'theirs', 'Content-Type': 'text/x' } },
    );
    t.same(JSON.parse(text), [
      [true, false, true, false, false],
      [true, 1, 'mine', '/changed', 'other'],
      '[object Object]',
      true,
    ]);
  });

  t.test('joins repeated headers, Cookie with a semicolon; of a singleton the first counts', async (t) => {
    const headers: [string, string][] = [
      ['X-List', 'a'],
      ['x-list', 'b'],
      ['Cookie', 'c=1'],
      ['cookie', 'd=2'],
      ['User-Agent', 'one'],
      ['User-Agent', 'two'],
      ['X_List', 'spoofed'],
    ];
    const { text } = await ask(
      t,
      say((environ) => [
        environ.HTTP_X_LIST,
        environ.HTTP_COOKIE,
        environ.HTTP_USER_AGENT,
        environKeys(environ).filter((key) => key.startsWith('HTTP_X')),
      ]),
      '/',
      { headers },
    );
    t.same(JSON.parse(text), ['a, b', 'c=1; d=2', 'one', ['HTTP_X_LIST']]);
  });

  t.test('keeps all headers for an async handler', async (t) => {
    const app: App = async (environ, startResponse) => {
      await null;
      startResponse('200 OK', TEXT);
      return [`${environ.HTTP_X_A} ${environ.HTTP_NONE} ${environ.QUERY_STRING}`];
    };
    t.equal((await ask(t, app, '/?q', { headers: { 'X-A': '1' } })).text, '1 undefined q');
  });

  t.test('refuses, by name, what it cannot tell any more', async (t) => {
    let late: Environ | undefined;
    const app: App = (environ, startResponse) => {
      late = environ;
      startResponse('200 OK', TEXT);
      return ['done'];
    };
    const plain = testClient(app);
    await plain.get('/');
    t.throws(() => late?.HTTP_X_A, { code: 'ERR_ENVIRON_EXPIRED', message: /x-a/ });
    t.throws(() => late !== undefined && 'HTTP_X_A' in late, { code: 'ERR_ENVIRON_IN' });
    t.equal(late?.PATH_INFO, '/');
  });

  t.test('keeps only declared headers, and says so', async (t) => {
    const app: AppFunction = async (environ, startResponse) => {
      await null;
      const seen = environ.HTTP_USER_AGENT;
      let code = '';
      try {
        void environ.HTTP_X_OTHER;
      } catch (error) {
        code = (error as { code: string }).code;
      }
      startResponse('200 OK', TEXT);
      return [`${seen} ${code} ${environ.HTTP_REFERER}`];
    };
    app.headers = ['User-Agent', 'referer'];
    const made = testClient(app);
    const response = await made.get('/', { headers: { 'User-Agent': 'me', 'X-Other': '1' } });
    t.equal(await response.text(), 'me ERR_ENVIRON_EXPIRED undefined');
    t.throws(
      () => testClient(Object.assign(() => [], { headers: ['HTTP_USER_AGENT'] }) as AppFunction),
      /HTTP spelling/,
    );
  });

  t.test('what is not declared cannot be read after an await, linted or not', async (t) => {
    const app: AppFunction = async (environ, startResponse) => {
      const early = environ.HTTP_X_OTHER;
      await null;
      const names = environKeys(environ).filter((key) => key.startsWith('HTTP_'));
      const refusal = await Promise.resolve()
        .then(() => environ.HTTP_X_OTHER)
        .catch((error: Error) => error.message);
      startResponse('200 OK', TEXT);
      return [`${early} ${environ.HTTP_X_A} ${names} ${refusal}`];
    };
    app.headers = ['x-a'];
    for (const given of [app, lint(app), new WsgiHandler([lint(app)])]) {
      for (const request of [{}, { body: 'x' }, { method: 'POST' }, { body: ['x'] }]) {
        const made = testClient(given);
        const response = await made.request('/', { ...request, headers: { 'X-A': '1', 'X-Other': '2' } });
        t.match(await response.text(), /^2 1 HTTP_X_A .*add it: app\.headers = \[\.\.\., 'x-other'\]$/);
        await made.close();
      }
    }
    const late = new WsgiHandler([Object.assign(async () => undefined, { headers: [] }), lint(app)]);
    const response = await testClient(late).post('/', { headers: { 'X-A': '1' }, json: 1 });
    t.match(await response.text(), /An exception/, 'a middleware that waited has used the time up');
    t.throws(
      () => testClient(Object.assign(() => [], { headers: 'x-a' }) as never),
      /as an array, app\.headers/,
    );
    t.throws(() => new WsgiHandler([Object.assign(() => [], { headers: 'x-a' }) as never]), /as an array/);
  });

  t.test('a malformed path is 400 even from inside the application', async (t) => {
    for (const path of ['/%zz', '/%', '/%ff', '/%C3%28', '/\u00e9']) {
      t.equal(
        (
          await ask(
            t,
            say((environ) => environ.PATH_INFO),
            path,
          )
        ).response.status,
        400,
        path,
      );
    }
    t.equal(
      (
        await ask(
          t,
          say((environ) => environ.RAW_URI),
          '/%zz',
        )
      ).text,
      '"/%zz"',
      'RAW_URI is untouched',
    );
    t.equal(
      (
        await ask(
          t,
          say((environ) => environ.PATH_INFO),
          '/a%2Fb%00',
        )
      ).text,
      '"/a/b\\u0000"',
    );
  });
});

t.test('startResponse', async (t) => {
  const refuse = async (t: Test, name: string, status: unknown, headers: unknown, pattern: RegExp) => {
    const app = ((_environ: Environ, start: StartResponse) => {
      start(status as string, headers as HeaderPair[]);
      return ['x'];
    }) as App;
    const made = testClient(app, { debug: true });
    const response = await made.get('/');
    t.equal(response.status, 500, name);
    t.match(await response.text(), pattern, `${name}: says why`);
    t.equal(response.header('x'), undefined);
  };

  t.test('refuses what must not reach the wire', async (t) => {
    for (const status of [
      '200',
      '200OK',
      'OK',
      '',
      '099 Low',
      '100 Continue',
      '1000 High',
      '200 OK\r\nX: 1',
      200,
      null,
      '200 Ø',
      '200  ',
    ]) {
      await refuse(t, `status ${JSON.stringify(status)}`, status, [], /ERR_CONTRACT_STATUS|three digits/);
    }
    for (const headers of [undefined, null, {}, 'x', [['a']], [['a', 'b', 'c']], ['ab'], [null]]) {
      await refuse(t, `headers ${JSON.stringify(headers)}`, '200 OK', headers, /array of pairs/);
    }
    for (const name of ['', 'a b', 'a:', 'a\r\nb', 'é', 'a\0'])
      await refuse(t, `name ${JSON.stringify(name)}`, '200 OK', [[name, 'x']], /must be a token/);
    for (const value of ['a\r\nb', 'a\nb', 'a\rb', 'a\0', '\u{1f600}', 'a\x7f', undefined]) {
      await refuse(
        t,
        `value ${JSON.stringify(value)}`,
        '200 OK',
        [['X', value]],
        /must be a string without control/,
      );
    }
    await refuse(t, 'a number', '200 OK', [['X', 5]], /must be text: '5'; received the number 5/);
    for (const name of [
      'Connection',
      'keep-alive',
      'TE',
      'Transfer-Encoding',
      'UPGRADE',
      'Proxy-Connection',
      'Trailer',
    ]) {
      await refuse(t, name, '200 OK', [[name, 'x']], /belongs to the connection/);
    }
    for (const value of ['-1', '1.5', 'x', ''])
      await refuse(t, `length ${value}`, '200 OK', [['Content-Length', value]], /whole number of bytes/);
    await refuse(
      t,
      'two lengths',
      '200 OK',
      [
        ['Content-Length', '1'],
        ['content-length', '2'],
      ],
      /one whole number/,
    );
  });

  t.test('a bad name is refused in a place that no response has used before', async (t) => {
    const before: HeaderPair[] = Array.from({ length: 13 }, (_, i) => [`X-${i}`, String(i)]);
    for (const name of ['', undefined, ' '])
      await refuse(t, `name ${name}`, '200 OK', [...before, [name, 'x']], /must be a token/);
  });

  t.test('a remembered good value does not let a bad one pass', async (t) => {
    for (let round = 0; round < 2; round++) {
      const { response } = await ask(
        t,
        (_environ, start) => (start('200 OK', [...TEXT, ['X-Good', 'good']]), ['x']),
      );
      t.equal(response.header('x-good'), 'good');
      await refuse(t, 'bad', '200 OK', [['X-Good', 'good\n']], /control/);
    }
  });

  t.test('twice: only with the error, which replaces status and headers', async (t) => {
    const twice =
      (excInfo?: Error): App =>
      (_environ, start) => {
        start('200 OK', [['X-First', '1'], ...TEXT]);
        start('418 Teapot', [['X-Second', '2'], ...TEXT], excInfo);
        return ['x'];
      };
    const plain = await testClient(twice(), { debug: true }).get('/');
    t.equal(plain.status, 500);
    const page = await plain.text();
    t.match(page, /called twice: to replace a response that is not sent, pass the error/);
    t.match(page, /an earlier middleware called it and returned nothing/, 'and the likely cause');
    const { response } = await ask(t, twice(new Error('replaced')));
    t.equal(response.statusLine, '418 Teapot');
    t.equal(response.header('x-first'), undefined);
    t.equal(response.header('x-second'), '2');
  });

  t.test('twice, after something was sent: the response is cut', async (t) => {
    const logger = recorder();
    const app: App = async (_environ, start) => {
      const write = start('200 OK', TEXT);
      await write('begun');
      start('500 Late', TEXT, new Error('too late'));
      return ['never'];
    };
    const response = await testClient(app, { logger }).get('/');
    await t.rejects(response.text(), { code: 'ERR_TEST_CUT' });
    t.match(logger.lines, [{ level: 'error', message: /response cut: too late/ }]);
  });

  t.test('write() sends at once, and its promise is back-pressure', async (t) => {
    let waited = 0;
    const app: App = async (_environ, start) => {
      const write = start('200 OK', TEXT);
      for (let i = 0; i < 10; i++) {
        const drained = write(Buffer.alloc(50_000, 'w'));
        if (drained !== undefined) {
          waited++;
          await drained;
        }
      }
      return ['end'];
    };
    t.equal((await ask(t, app)).text.length, 500_003);
    t.ok(waited > 0, 'the writer had to wait');
  });
});

t.test('bodies', async (t) => {
  const bodies: Record<string, () => Body> = {
    array: () => ['a', Buffer.from('b'), '', 'c'],
    'one chunk': () => ['abc'],
    generator: () =>
      (function* () {
        yield 'a';
        yield '';
        yield Buffer.from('bc');
      })(),
    'generator with promises': () =>
      (function* () {
        yield Promise.resolve('a');
        yield new Promise<string>((resolve) => setImmediate(() => resolve('b')));
        yield 'c';
      })(),
    'async generator': () =>
      (async function* () {
        yield 'a';
        await null;
        yield 'bc';
      })(),
    Set: () => new Set(['a', 'b', 'c']),
    'Node stream': () => Readable.from(['a', 'bc']),
  };
  for (const [name, make] of Object.entries(bodies)) {
    t.test(`${name} arrives whole`, async (t) => {
      const app: App = (_environ, start) => (start('200 OK', TEXT), make());
      t.equal((await ask(t, app)).text, 'abc');
      const later: App = async (_environ, start) => (await null, start('200 OK', TEXT), make());
      t.equal((await ask(t, later)).text, 'abc', 'from an async handler');
      const head = await ask(t, app, '/', { method: 'HEAD' });
      t.equal(head.text, '', 'HEAD sends none of it');
    });
  }

  t.test('HEAD has the length of GET, 204 and 304 none, 205 zero', async (t) => {
    const answer =
      (status: string): App =>
      (_environ, start) => (
        start(status, status.startsWith('2') && status !== '204 No Content' ? TEXT : []), ['five!']
      );
    const head = await testClient(answer('200 OK')).head('/');
    t.equal(head.header('content-length'), '5');
    for (const [status, length] of [
      ['204 No Content', undefined],
      ['304 Not Modified', undefined],
      ['205 Reset Content', '0'],
    ] as const) {
      const { response, text } = await ask(t, answer(status));
      t.equal(text, '', status);
      t.equal(response.header('content-length'), length, status);
    }
  });

  t.test('what is no body is refused, with the remedy', async (t) => {
    for (const [body, pattern] of [
      ['bare', /return \[text\]/],
      [Buffer.from('bare'), /received an object \(Buffer\): put it into an array: return \[bytes\]/],
      [new ArrayBuffer(1), /return \[new Uint8Array\(buffer\)\]/],
      [new Blob(['bare']), /return blob\.stream\(\)/],
      [
        new Response('bare'),
        /call startResponse\(status, headers\) and return a body, or return a WsgiResponse/,
      ],
      [5, /received 5/],
      [null, /received null: .*or \[\] for an empty body/],
      [undefined, /received undefined: .*a Router or a middleware.* stands in a WsgiHandler/],
      [{}, /received an object \(Object\): .*\[JSON\.stringify\(value\)\]/],
      [[5], /received 5: yield String\(value\)/],
      [['a', null], /received null: leave it out/],
      [[{}], /received an object \(Object\): .*JSON\.stringify\(value\)/],
      [[['a']], /received an array of 1: yield its items one by one/],
      [[new ArrayBuffer(1)], /yield new Uint8Array\(buffer\)/],
    ] as const) {
      const app = ((_environ: Environ, start: StartResponse) => (
        start('200 OK', TEXT), body
      )) as unknown as App;
      const response = await testClient(app, { debug: true }).get('/');
      t.equal(response.status, 500, String(body));
      t.match(await response.text(), pattern);
    }
  });

  t.test('without startResponse there is no response', async (t) => {
    for (const app of [
      () => ['x'],
      () => [],
      async () => ['x', 'y'],
      () =>
        (async function* () {
          yield 'x';
        })(),
    ] as App[]) {
      const response = await testClient(app, { debug: true }).get('/');
      t.equal(response.status, 500);
      t.match(await response.text(), /was not called before/);
    }
  });

  t.test('a generator may start the response before its first chunk', async (t) => {
    const app: App = (_environ, start) =>
      (function* () {
        start('201 Created', TEXT);
        yield 'made';
      })();
    const { response, text } = await ask(t, app);
    t.equal(response.status, 201);
    t.equal(text, 'made');
  });

  t.test('a length that the body contradicts', async (t) => {
    const stated =
      (length: number, body: () => Body): App =>
      (_environ, start) => (start('200 OK', [...TEXT, ['Content-Length', String(length)]]), body());
    const small = await testClient(
      stated(4, () => ['fün!']),
      { debug: true },
    ).get('/');
    t.equal(small.status, 500, 'too small');
    t.match(
      await small.text(),
      /of 4 bytes, and its body has at least 5: leave Content-Length out, .* Buffer\.byteLength\(text\)/,
    );
    t.equal((await testClient(stated(6, () => ['five!'])).get('/')).status, 500, 'too large');
    t.equal((await testClient(stated(5, () => ['fi', 've!'])).get('/')).status, 200, 'right');
    const short = await testClient(
      stated(200_001, () =>
        (function* () {
          yield Buffer.alloc(100_000);
          yield Buffer.alloc(100_000);
        })(),
      ),
    ).get('/');
    await t.rejects(short.bytes(), { code: 'ERR_TEST_CUT' }, 'found out under way: cut');
    const long = await testClient(
      stated(150_000, () =>
        (function* () {
          yield Buffer.alloc(100_000);
          yield Buffer.alloc(100_000);
        })(),
      ),
    ).get('/');
    await t.rejects(long.bytes(), { code: 'ERR_TEST_CUT' });
  });

  t.test('close() or return() is called exactly once on every path', async (t) => {
    const paths: Record<
      string,
      {
        chunks: () => Generator<string | Promise<string>>;
        request?: TestRequest;
        status?: string;
        fails?: boolean;
      }
    > = {
      end: {
        chunks: function* () {
          yield 'a';
          yield 'b';
        },
      },
      HEAD: {
        chunks: function* () {
          yield 'a';
          yield 'b';
        },
        request: { method: 'HEAD' },
      },
      '304': {
        chunks: function* () {
          yield 'a';
        },
        status: '304 Not Modified',
      },
      'a throw': {
        chunks: function* () {
          yield 'a';
          throw new Error('half-way');
        },
        fails: true,
      },
      'a rejection': {
        chunks: function* () {
          yield Promise.reject(new Error('half-way'));
        },
        fails: true,
      },
      'a bad chunk': {
        chunks: function* () {
          yield 5 as unknown as string;
        },
        fails: true,
      },
    };
    for (const [name, { chunks, request, status = '200 OK', fails = false }] of Object.entries(paths)) {
      let closed = 0;
      const app: App = (_environ, start) => {
        start(status, status === '200 OK' ? TEXT : []);
        const body = chunks();
        return {
          [Symbol.iterator]: () => body,
          close: () => {
            closed++;
          },
        } as Body;
      };
      const response = await testClient(app).request('/', request);
      await response.bytes().catch(() => undefined);
      t.equal(closed, 1, name);
      if (fails) t.equal(response.status, 500, `${name}: nothing was sent, so 500`);
    }
  });

  t.test('a close that throws harms nobody, and is logged', async (t) => {
    const logger = recorder();
    const app: App = (_environ, start) => (
      start('200 OK', TEXT),
      {
        *[Symbol.iterator]() {
          yield 'whole';
        },
        close() {
          throw new Error('cannot close');
        },
      } as Body
    );
    const { text } = await ask(t, app, '/', {}, { logger });
    t.equal(text, 'whole');
    t.match(logger.lines, [{ level: 'error', details: { err: { message: 'cannot close' } } }]);
  });

  t.test('a throw after the first chunk cuts the response', async (t) => {
    const app: App = (_environ, start) => (
      start('200 OK', TEXT),
      (async function* () {
        yield 'first';
        await new Promise(setImmediate);
        throw new Error('half-way');
      })()
    );
    const response = await testClient(app).get('/');
    t.equal(response.status, 200);
    await t.rejects(response.text(), { code: 'ERR_TEST_CUT' });
  });

  t.test('a slow reader holds the application back', async (t) => {
    const sizes = { large: 65_536, small: 100 };
    for (const [name, size] of Object.entries(sizes)) {
      let made = 0;
      const forms: Record<string, () => Body> = {
        sync: function* () {
          for (;;) {
            made += size;
            yield Buffer.alloc(size);
          }
        },
        async: async function* () {
          for (;;) {
            made += size;
            yield Buffer.alloc(size);
          }
        },
        promises: function* () {
          for (;;) {
            made += size;
            yield Promise.resolve(Buffer.alloc(size));
          }
        },
      };
      for (const [form, make] of Object.entries(forms)) {
        made = 0;
        const made0 = testClient((_environ, start) => (start('200 OK', TEXT), make()));
        const response = await made0.get('/');
        const reader = response.body[Symbol.asyncIterator]();
        await reader.next();
        for (let i = 0; i < 2000; i++) await new Promise(setImmediate);
        t.ok(made < 400_000, `${form}, ${name} chunks: ${made} bytes were made`);
        let read = 0;
        while (read < 500_000) {
          const step = await reader.next();
          read += (step.value as Uint8Array).length;
        }
        t.ok(made > 500_000, 'and goes on when it is read');
        await made0.close();
      }
    }
  });
});

t.test('aborts and deadlines', async (t) => {
  t.test('a client that goes away stops the work', async (t) => {
    const abort = new AbortController();
    let signalled = '';
    let isClosed = false;
    const app: App = (environ, start) => {
      environ['vela.signal'].addEventListener('abort', () => {
        signalled = (environ['vela.signal'].reason as { code: string }).code;
      });
      start('200 OK', TEXT);
      return (async function* () {
        try {
          for (;;) {
            yield 'tick';
            await new Promise(setImmediate);
          }
        } finally {
          isClosed = true;
        }
      })();
    };
    const response = await client(t, app).get('/', { signal: abort.signal });
    const reader = response.body[Symbol.asyncIterator]();
    await reader.next();
    abort.abort(new Error('gone'));
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    t.equal(signalled, 'ERR_CLIENT_ABORTED');
    t.ok(isClosed, 'the generator was closed');
  });

  t.test('a generator that ends its own request is closed behind its step', async (t) => {
    let isClosed = false;
    const app: App = (environ, start) => {
      start('200 OK', TEXT);
      return (function* () {
        try {
          environ['vela.response'].fail(new HttpError(409, 'not so'));
          yield 'never';
          yield 'nor this';
        } finally {
          isClosed = true;
        }
      })();
    };
    t.equal((await client(t, app).get('/')).status, 409);
    t.ok(isClosed);
  });

  t.test('a handler that never answers is 504, and its late answer is closed', async (t) => {
    let finish: (body: Body) => void = () => {};
    let closed = 0;
    const logger = recorder();
    const app: App = () =>
      new Promise<Body>((resolve) => {
        finish = resolve;
      });
    const { response } = await ask(t, app, '/', {}, { requestTimeoutMs: 20, logger });
    t.equal(response.status, 504);
    finish({
      *[Symbol.iterator]() {
        yield 'late';
      },
      close: () => {
        closed++;
      },
    } as Body);
    await new Promise(setImmediate);
    t.equal(closed, 1);
  });

  t.test('a body that does not come is 408; the wait stands still while it comes', async (t) => {
    const app: App = async (environ, start) => {
      const body = await environ['wsgi.input'].read();
      start('200 OK', TEXT);
      return [String(body.length)];
    };
    const stuck = async function* () {
      yield 'a';
      await new Promise(() => {});
    };
    t.equal((await ask(t, app, '/', { body: stuck() }, { requestTimeoutMs: 20 })).response.status, 408);
    const slow = async function* () {
      for (let i = 0; i < 20; i++) {
        yield 'a';
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    t.equal((await ask(t, app, '/', { body: slow() }, { requestTimeoutMs: 80 })).text, '20');
  });

  t.test('a response without progress is cut', async (t) => {
    const app: App = (_environ, start) => (
      start('200 OK', TEXT),
      (async function* () {
        yield 'a';
        await new Promise(() => {});
      })()
    );
    const response = await testClient(app, { stallTimeoutMs: 20 }).get('/');
    await t.rejects(response.text(), { code: 'ERR_TEST_CUT' });
  });
});
