import t, { type Test } from 'tap';
import {
  type App,
  type AppFunction,
  BadRequest,
  type Body,
  type Environ,
  type HeaderPair,
  Http401,
  Http404,
  HttpError,
  HttpGone,
  HttpRedirect,
  lazyWsgi,
  lint,
  MethodNotAllowed,
  type Middleware,
  type MiddlewareFunction,
  PayloadTooLarge,
  PermissionDenied,
  type StartContext,
  TAKEN,
  UnprocessableEntity,
  Unsupported,
  type VelaError,
  WsgiHandler,
  WsgiResponse,
  waitForBody,
  waitForBodyMiddleware,
} from '../src/index.js';
import {
  accessLog,
  authenticate,
  authorization,
  bodyLimit,
  cleanPath,
  compress,
  cors,
  csrf,
  decodeBody,
  errorPage,
  etag,
  health,
  mount,
  proxyHeaders,
  rateLimit,
  requestId,
  secureHeaders,
  serverTiming,
  session,
  timeout,
} from '../src/middleware/index.js';
import { testClient as createClient, type TestRequest } from '../src/testing/index.js';
import { ask, client, recorder, testClient } from './support/ask.js';

const TEXT: HeaderPair[] = [['Content-Type', 'text/plain']];
const BINARY: HeaderPair[] = [['Content-Type', 'application/octet-stream']];

const answer =
  (text: string): AppFunction =>
  (_environ, startResponse) => {
    startResponse('200 OK', TEXT);
    return [text];
  };

t.test('WsgiHandler', async (t) => {
  t.test('calls middleware in order until one returns something', async (t) => {
    const called: string[] = [];
    const pass =
      (name: string, result: unknown): MiddlewareFunction =>
      () => {
        called.push(name);
        return result as undefined;
      };
    const later = async () => {
      await null;
      called.push('later');
    };
    const handler = new WsgiHandler([
      lint(pass('undefined', undefined)),
      lint(pass('null', null)),
      lint(later),
      lint(answer('found')),
      pass('never', undefined),
    ]);
    t.equal((await ask(t, handler)).text, 'found');
    t.same(called, ['undefined', 'null', 'later']);
  });

  t.test('is synchronous as long as its middleware is', async (t) => {
    const handler = new WsgiHandler([() => undefined, answer('sync')]);
    let result: unknown;
    const outer: App = (environ, startResponse) => {
      result = handler.handle(environ, startResponse);
      return result as Body;
    };
    await ask(t, outer);
    t.same(result, ['sync']);
  });

  t.test('nothing handled: 404; an empty handler too', async (t) => {
    for (const handler of [new WsgiHandler([]), new WsgiHandler([() => undefined, async () => null])]) {
      const { response, text } = await ask(t, handler);
      t.equal(response.status, 404);
      t.equal(text, 'Cannot find what you are looking for.\n');
    }
  });

  t.test('an empty body ends the walk', async (t) => {
    const empty: App = (_environ, start) => {
      start('200 OK', [...TEXT, ['Content-Length', '0']]);
      return [];
    };
    const { response, text } = await ask(t, new WsgiHandler([empty, answer('no')]));
    t.equal(response.header('content-length'), '0');
    t.equal(text, '');
  });

  t.test('nests, and takes objects with handle', async (t) => {
    const inner = new WsgiHandler([{ handle: answer('inner') }]);
    t.equal((await ask(t, new WsgiHandler([() => undefined, inner]))).text, 'inner');
  });

  t.test('refuses at once what is no middleware', async (t) => {
    t.throws(() => new WsgiHandler(answer('x') as unknown as Middleware[]), /array of middleware/);
    t.throws(() => new WsgiHandler(['x' as unknown as Middleware]), /middleware 0 must be a function/);
    t.throws(() => new WsgiHandler([answer('x'), {} as Middleware]), /middleware 1 must be/);
    t.throws(
      () => new WsgiHandler([], { responseMiddleware: [{} as never] }),
      /responseMiddleware must be functions/,
    );
    t.throws(
      () => new WsgiHandler([], { responseMiddelware: [] } as never),
      /no option "responseMiddelware"/,
    );
  });

  t.test('refuses response middleware among the middleware, and the other way round', async (t) => {
    const sessions = session({ passwords: ['x'.repeat(32)] });
    const pages = { 404: { 'text/plain': () => 'x' } };
    for (const one of [etag(), compress(), errorPage({ pages }), sessions.save]) {
      const misplaced = one as unknown as Middleware;
      t.throws(() => new WsgiHandler([misplaced]), /middleware 0 \(\w+\) is response middleware/, one.name);
      t.throws(() => mount('/a', misplaced), /is response middleware/, one.name);
      new WsgiHandler([], { responseMiddleware: [one] });
    }
    const others: Middleware[] = [
      accessLog({ destination: 'logger' }),
      authenticate({ scheme: 'bearer', verify: () => false }),
      authorization(),
      bodyLimit({ limitBytes: 5 }),
      cleanPath(),
      cors({ origins: '*' }),
      csrf(),
      decodeBody(),
      health(),
      mount('/a', answer('x')),
      proxyHeaders({ trusted: ['loopback'] }),
      rateLimit({ limit: 5, windowMs: 1000 }),
      requestId(),
      secureHeaders(),
      serverTiming(),
      sessions,
      timeout({ timeoutMs: 1000 }),
      waitForBody(),
    ];
    for (const one of others) {
      t.throws(
        () => new WsgiHandler([], { responseMiddleware: [etag(), one as never] }),
        /responseMiddleware 1 \(\w+\) is middleware/,
        (one as { name: string }).name,
      );
      new WsgiHandler([one]);
    }
    new WsgiHandler([() => undefined], { responseMiddleware: [() => undefined] });
  });

  t.test('response middleware sees every WsgiResponse before it starts, in order', async (t) => {
    const handler = new WsgiHandler(
      [
        (environ) => (environ.PATH_INFO === '/raw' ? undefined : new WsgiResponse({ content: 'made' })),
        (environ, start) => {
          if (environ.QUERY_STRING === 'throw') throw new BadRequest('bad');
          start('200 OK', TEXT);
          return ['raw'];
        },
      ],
      {
        responseMiddleware: [
          (_environ, response) => void response.setHeader('X-First', '1'),
          async (_environ, response) => {
            await null;
            response.addHeader('X-Second', String(response.status));
          },
          (environ, response) =>
            environ.QUERY_STRING === 'replace'
              ? new WsgiResponse({ status: 203, content: 'other', headers: response.headers })
              : null,
        ],
      },
    );
    const made = client(t, handler);
    const plain = await made.get('/');
    t.same([plain.header('x-first'), plain.header('x-second'), await plain.text()], ['1', '200', 'made']);
    const replaced = await made.get('/?replace');
    t.same([replaced.status, replaced.header('x-first'), await replaced.text()], [203, '1', 'other']);
    const raw = await made.get('/raw');
    t.same(
      [raw.header('x-first'), await raw.text()],
      [undefined, 'raw'],
      'a response that has started passes it by',
    );
    const failed = await made.get('/raw?throw');
    t.same([failed.status, failed.header('x-second')], [400, '400'], 'error responses too');
    t.equal(
      (await new WsgiHandler([], { responseMiddleware: [() => undefined] }).describe()).name,
      'WsgiHandler',
    );
  });

  t.test('a response middleware that throws is 500', async (t) => {
    const boom = () => {
      throw new Error('in the response middleware');
    };
    const boomLater = async () => boom();
    for (const responseMiddleware of [[boom], [boomLater], [() => undefined, boomLater]]) {
      const handler = new WsgiHandler([() => new WsgiResponse({ content: 'x' })], { responseMiddleware });
      t.equal((await ask(t, handler)).response.status, 500);
    }
  });
});

t.test('errors become responses', async (t) => {
  const thrower =
    (error: unknown): App =>
    () => {
      throw error;
    };

  t.test('each class has its status, and shows its text', async (t) => {
    for (const [error, status] of [
      [new BadRequest('because'), 400],
      [new Http401('because'), 401],
      [new PermissionDenied('because'), 403],
      [new Http404('because'), 404],
      [new MethodNotAllowed(['GET', 'HEAD'], 'because'), 405],
      [new HttpGone('because'), 410],
      [new PayloadTooLarge('because'), 413],
      [new Unsupported('because'), 415],
      [new UnprocessableEntity('because'), 422],
      [new HttpError(503, 'because', { headers: [['Retry-After', '5']] }), 503],
      [new HttpError(599, 'because'), 599],
    ] as const) {
      for (const app of [
        thrower(error),
        new WsgiHandler([thrower(error)]),
        (async () => Promise.reject(error)) as App,
      ]) {
        const { response, text } = await ask(t, app);
        t.equal(response.status, status);
        t.equal(text, 'because\n');
        for (const [name, value] of error.headers) t.equal(response.header(name), value);
      }
    }
    t.equal((await ask(t, thrower(new Http404()))).text, 'Not Found\n');
  });

  t.test('a redirect has its location and no body', async (t) => {
    const { response, text } = await ask(t, thrower(new HttpRedirect('/there', 308)));
    t.same([response.status, response.header('location'), text], [308, '/there', '']);
    const split = await ask(t, thrower(new HttpRedirect('/there\r\nX: y\0\x7f\x85')));
    t.equal(split.response.status, 302, 'what a client put into a location is no fault of the server');
    t.equal(split.response.header('location'), '/there%0D%0AX:%20y%00%7F%C2%85', 'and splits nothing');
    t.equal(split.response.header('x'), undefined);
  });

  t.test('a location is sent as a URI, whatever letters it was given with', async (t) => {
    for (const [location, sent] of [
      ['/ü b?x=東京#😀', '/%C3%BC%20b?x=%E6%9D%B1%E4%BA%AC#%F0%9F%98%80'],
      ['/%C3%BC%2F?a=%&b=+', '/%C3%BC%2F?a=%&b=+'],
      ['/a\ud800', '/a%EF%BF%BD'],
      ['https://other.example/é', 'https://other.example/%C3%A9'],
    ] as const) {
      const { response } = await ask(t, thrower(new HttpRedirect(location)));
      t.same([response.status, response.header('location')], [302, sent], location);
    }
    t.equal(new HttpRedirect('/ü').location, '/ü');
  });

  t.test('what fails because the client has left is no error in the log', async (t) => {
    const log = recorder();
    const aborter = new AbortController();
    const told = new Promise<void>((resolve) => {
      const { debug, error } = log;
      log.debug = (details, message) => (debug(details, message), resolve());
      log.error = (details, message) => (error(details, message), resolve());
    });
    const reader: Middleware = async (environ) => {
      aborter.abort();
      return [await environ['wsgi.input'].read()];
    };
    async function* body() {
      yield 'begun';
      await told;
    }
    const request = { method: 'POST', body: body(), signal: aborter.signal };
    await t.rejects(ask(t, new WsgiHandler([reader]), '/', request, { logger: log }));
    await told;
    t.match(log.lines, [{ level: 'debug', details: { err: { code: 'ERR_CLIENT_ABORTED' } } }]);
  });

  t.test('other errors keep a status from 400 to 599, and hide their text', async (t) => {
    for (const [thrown, status, shown] of [
      [Object.assign(new Error('secret'), { status: 418 }), 418, /teapot/i],
      [Object.assign(new Error('secret'), { status: 302 }), 500, /An exception/],
      [Object.assign(new Error('secret'), { status: '404' }), 500, /An exception/],
      [new Error('secret'), 500, /An exception/],
      ['secret', 500, /An exception/],
      [undefined, 500, /An exception/],
      [null, 500, /An exception/],
    ] as const) {
      const { response, text } = await ask(t, thrower(thrown));
      t.equal(response.status, status);
      t.match(text, shown);
      t.notMatch(text, /secret/);
    }
  });

  t.test('are logged with the request: server errors as such, the rest at debug level', async (t) => {
    const logger = recorder();
    await ask(t, thrower(new Error('broken', { cause: new Error('why') })), '/x?y', {}, { logger });
    await ask(t, thrower(new BadRequest('wrong')), '/z', {}, { logger });
    t.match(logger.lines, [
      {
        level: 'error',
        message: 'broken',
        details: { method: 'GET', uri: '/x?y', status: 500, requestId: String },
      },
      { level: 'debug', message: 'wrong', details: { status: 400 } },
    ]);
  });

  t.test('in the form that the client accepts', async (t) => {
    for (const [accept, type, pattern] of [
      [undefined, 'text/plain; charset=utf-8', /^&<because>\n$/],
      ['*/*', 'text/plain; charset=utf-8', /^&<because>/],
      ['text/html,*/*;q=0.8', 'text/html; charset=utf-8', /<p>&amp;&lt;because&gt;<\/p>/],
      ['application/json', 'application/json', /^\{"status":400,"message":"&<because>"\}$/],
      ['text/plain;q=0.1, application/json;q=0.2', 'application/json', /status/],
      ['image/png', 'text/plain; charset=utf-8', /because/],
      ['', 'text/plain; charset=utf-8', /because/],
    ] as const) {
      const { response, text } = await ask(
        t,
        thrower(new BadRequest('&<because>')),
        '/',
        accept === undefined ? {} : { headers: { accept } },
      );
      t.equal(response.header('content-type'), type, String(accept));
      t.match(text, pattern);
    }
  });

  t.test('stack and cause in debug only', async (t) => {
    const error = new Error('outer <b>', { cause: new Error('inner') });
    for (const accept of ['text/plain', 'text/html', 'application/json']) {
      const shown = await ask(t, thrower(error), '/', { headers: { accept } }, { debug: true });
      t.match(shown.text, /outer/);
      t.match(shown.text, /Caused by: Error: inner/);
      t.match(shown.text, /handler\.test/);
      const hidden = await ask(t, thrower(error), '/', { headers: { accept } });
      await t.notMatch(hidden.text, /outer|inner|handler\.test/);
    }
    t.notMatch(
      (await ask(t, thrower(error), '/', { headers: { accept: 'text/html' } }, { debug: true })).text,
      /<b>/,
      'escaped',
    );
  });

  t.test('an error replaces a response that had begun, and of which nothing was sent', async (t) => {
    const app: App = (_environ, start) => {
      start('200 OK', [['X-Begun', '1'], ...TEXT]);
      throw new BadRequest('no');
    };
    for (const one of [app, new WsgiHandler([app])]) {
      const { response } = await ask(t, one);
      t.same([response.status, response.header('x-begun')], [400, undefined]);
    }
  });

  t.test('HttpError wants a status from 300 to 599', async (t) => {
    for (const status of [200, 600, 400.5, Number.NaN]) t.throws(() => new HttpError(status), RangeError);
  });

  t.test('an HttpError and its children say what they take', async (t) => {
    const make = (error: new (...args: never[]) => Error, ...args: unknown[]) =>
      new (error as new (...args: unknown[]) => Error)(...args);
    for (const [error, args, pattern] of [
      [HttpError, ['404'], /^HttpError needs a status from 300 to 599; received "404"$/],
      [HttpError, [404, 5], /^HttpError takes its message as text; received 5$/],
      [HttpError, [404, null], /takes its message as text; received null$/],
      [HttpError, [404, 'x', 'y'], /^HttpError takes its options as an object.*received "y"/],
      [
        HttpError,
        [404, 'x', { header: [] }],
        /^HttpError has no option "header" \(did you mean "headers"\?\)/,
      ],
      [HttpError, [404, 'x', { headers: { a: 'b' } }], /^HttpError takes its headers as an array of pairs/],
      [HttpError, [404, 'x', { headers: [['a', 5]] }], /^HttpError takes its headers as an array of pairs/],
      [Http404, [404, 'x'], /^Http404 takes its message as text; received 404$/],
      [Http401, ['x', [['WWW-Authenticate', 'Basic']]], /^Http401 takes its options as an object.*an array/],
      [
        MethodNotAllowed,
        ['GET, POST'],
        /takes an array of methods, \['GET', 'POST'\]; received "GET, POST"$/,
      ],
      [MethodNotAllowed, [['GET'], 'x', 'y'], /^MethodNotAllowed takes its options/],
      [HttpRedirect, [undefined], /^HttpRedirect takes a location.*received undefined$/],
      [HttpRedirect, ['/', 404], /^HttpRedirect needs a status of 301, .*received 404$/],
      [HttpRedirect, ['/', 302, { headers: 'x' }], /^HttpRedirect takes its headers/],
    ] as const) {
      t.throws(() => make(error, ...args), { message: pattern }, String(pattern));
    }
    const { headers, cause } = new HttpRedirect('/', 302, { headers: [['X-A', 'b']], cause: 'why' });
    t.same(
      [headers, cause],
      [
        [
          ['Location', '/'],
          ['X-A', 'b'],
        ],
        'why',
      ],
    );
    t.same(new MethodNotAllowed().headers, [['Allow', '']]);
  });

  t.test('a debug page has the name and code of an error, and so has its log line', async (t) => {
    const logger = recorder();
    const app: App = (environ) => {
      environ['wsgi.input'].readSync();
      return [];
    };
    const { text } = await ask(t, app, '/', { body: 'x' }, { debug: true, logger });
    t.match(text, /^VelaError \[ERR_INPUT_NOT_LOADED\]: /m);
    const own = Object.assign(new TypeError('mine'), { code: 'E_MINE', cause: new Http404('inner') });
    const page = await ask(t, thrower(own), '/', {}, { debug: true });
    t.match(page.text, /^TypeError \[E_MINE\]: mine\n/m);
    t.match(page.text, /^Caused by: Http404: inner\n/m);
  });

  t.test('messages name the likely mistake', async (t) => {
    const debug = { debug: true };
    const broken = async (app: unknown) => (await ask(t, app as App, '/', {}, debug)).text;
    function check() {
      return true as never;
    }
    class Gate {
      handle() {
        return 0 as never;
      }
    }
    const pass = () => undefined;
    for (const [app, pattern] of [
      [thrower(HttpError), /the class HttpError was thrown, not an error: throw new HttpError\(\.\.\.\)/],
      [
        new WsgiHandler([pass, check]),
        /Middleware 1 \(check\) must return.*received true: return nothing to pass/,
      ],
      [new WsgiHandler([pass, new Gate()]), /Middleware 1 \(Gate\) must return.*received 0: return nothing/],
      [
        new WsgiHandler([async () => false as never]),
        /Middleware 0 must return.*received false: return nothing/,
      ],
      [
        new WsgiHandler([() => 'text' as never]),
        /Middleware 0 must return.*put it into an array: return \[text\]/,
      ],
      [
        new WsgiHandler([() => new Http404() as never]),
        /Middleware 0.*: throw it: throw new Http404\(\.\.\.\)/,
      ],
      [new WsgiHandler([waitForBody as never]), /waitForBody makes the middleware.*call it: waitForBody\(\)/],
      [() => new WsgiResponse({ content: Promise.resolve('x') as never }), /\(Promise\): await it/],
      [
        () => new WsgiResponse().setHeader('X', 5 as never),
        /setHeader takes a header's name and value as text.*5$/m,
      ],
      [() => new WsgiResponse().addHeader(5 as never, 'x'), /addHeader takes .*received 5 and "x"/],
    ] as const) {
      // Without lint, which would tell of some of these first.
      const made = testClient(app as App, debug);
      t.match(await (await made.get('/')).text(), pattern);
      await made.close();
    }
    t.match(
      await broken(new WsgiHandler([pass], { responseMiddleware: [() => ({ status: 200 }) as never] })),
      /Response middleware returns nothing or a WsgiResponse; received an object \(Object\)/,
    );
    let late: unknown;
    const forgets: App = (_environ, start) => {
      queueMicrotask(() => {
        try {
          start('200 OK', TEXT);
        } catch (error) {
          late = error;
        }
      });
      return new WsgiResponse({ content: 'early' });
    };
    await broken(forgets);
    t.match(late, { code: 'ERR_CONTRACT_LATE', message: /await or return the promise of the work/ });
    const later = async () => 'x' as never;
    t.match(
      await broken(new WsgiHandler([pass], { responseMiddleware: [later] })),
      /Response middleware \(later\) returns nothing or a WsgiResponse; received "x"/,
    );
    t.throws(
      () => new WsgiHandler(pass as never, pass as never),
      /takes an array of middleware: new WsgiHandler\(\[/,
    );
    const server = testClient(((_environ: Environ) => new HttpError(404)) as never, debug);
    t.match(await (await server.get('/')).text(), /throw it: throw new HttpError/);
  });

  t.test('TAKEN without a connection that was taken is 500', async (t) => {
    t.equal((await ask(t, () => TAKEN)).response.status, 500);
  });
});

t.test('WsgiResponse', async (t) => {
  t.test('may be returned by a bare application, sync and async', async (t) => {
    for (const app of [
      () => new WsgiResponse({ content: 'x' }),
      async () => new WsgiResponse({ content: 'x' }),
    ] as App[]) {
      const { response, text } = await ask(t, app);
      t.same([response.header('content-type'), text], ['text/plain; charset=utf-8', 'x']);
    }
  });

  t.test('headers are found whatever their case', async (t) => {
    const response = new WsgiResponse({ headers: [['X-A', '1']], contentType: 'text/css' });
    t.equal(response.getHeader('x-a'), '1');
    response.setHeader('x-A', '2').addHeader('X-a', '3');
    t.same(
      response.headers.filter(([name]) => name.toLowerCase() === 'x-a').map(([, value]) => value),
      ['2', '3'],
    );
    t.equal(response.deleteHeader('X-A').getHeader('x-a'), undefined);
    t.equal(response.getHeader('content-type'), 'text/css');
  });

  t.test('content: text, bytes, any body, nothing', async (t) => {
    for (const [content, expected] of [
      ['text', 'text'],
      [Buffer.from('bytes'), 'bytes'],
      [['a', 'b'], 'ab'],
      [
        (async function* () {
          yield 'later';
        })(),
        'later',
      ],
      [undefined, ''],
    ] as const) {
      const options = content === undefined ? { status: 204 } : { content, contentType: 'text/plain' };
      t.equal((await ask(t, () => new WsgiResponse(options))).text, expected);
    }
  });

  t.test('content that is no body is refused when the response is made', async (t) => {
    for (const [content, pattern] of [
      [{ a: 1 }, /received an object \(Object\): content: JSON\.stringify\(value\), contentType/],
      [new Response('x'), /received an object \(Response\): give its body: content: response\.body/],
      [5, /received 5: content: String\(value\)/],
      [null, /received null: .*or '' for none/],
    ] as const) {
      t.throws(() => new WsgiResponse({ content: content as never }), {
        name: 'TypeError',
        message: pattern,
      });
    }
  });

  t.test('wants a status from 200 to 599', async (t) => {
    for (const status of [100, 600, 2.5, '200'])
      t.throws(() => new WsgiResponse({ status: status as number }), RangeError);
    t.equal(
      (await ask(t, () => new WsgiResponse({ status: 299, content: 'x' }))).response.statusLine,
      '299 Unknown',
    );
  });
});

t.test('waitForBody', async (t) => {
  const echo: App = (environ, start) => {
    const body = environ['wsgi.input'].readSync();
    start('200 OK', BINARY);
    return [body];
  };
  const handler = new WsgiHandler([waitForBody({ limitBytes: 100_000 }), echo]);

  t.test('the handlers after it read without waiting', async (t) => {
    t.equal((await ask(t, handler, '/', { body: 'hello' })).text, 'hello');
    t.equal((await ask(t, handler)).text, '', 'no body');
    t.equal((await ask(t, handler, '/', { body: '' })).text, '', 'an empty one');
    const parts = async function* () {
      for (let i = 0; i < 10; i++) {
        yield Buffer.alloc(9_999, 'x');
        await null;
      }
    };
    t.equal((await ask(t, handler, '/', { body: parts() })).text.length, 99_990, 'chunked');
    t.equal((await ask(t, new WsgiHandler([waitForBodyMiddleware, echo]), '/', { body: 'x' })).text, 'x');
  });

  t.test('more than its limit is 413, declared or not', async (t) => {
    t.equal((await ask(t, handler, '/', { body: Buffer.alloc(100_001) })).response.status, 413);
    t.equal(
      (await ask(t, handler, '/', { body: [Buffer.alloc(60_000), Buffer.alloc(60_000)] })).response.status,
      413,
    );
    t.equal(
      (await ask(t, new WsgiHandler([waitForBody(), echo]), '/', { body: 'x' }, { maxBodyBytes: 0 })).response
        .status,
      413,
      'the server has a limit too',
    );
  });

  t.test('its options are checked', async (t) => {
    for (const limitBytes of [-1, 1.5, '1', Number.NaN])
      t.throws(() => waitForBody({ limitBytes: limitBytes as number }), /limitBytes/);
    t.throws(() => waitForBody({ limit: 5 } as never), /no option "limit"/);
  });

  t.test('without it, readSync says what is missing', async (t) => {
    const response = await testClient(echo, { debug: true }).post('/', { body: 'x' });
    t.equal(response.status, 500);
    t.match(await response.text(), /put waitForBody\(\) before/);
  });
});

t.test('wsgi.input', async (t) => {
  const reading =
    (read: (input: Environ['wsgi.input']) => Promise<unknown>): App =>
    async (environ, start) => {
      const result = await read(environ['wsgi.input']);
      start('200 OK', [['Content-Type', 'application/json']]);
      return [JSON.stringify(result)];
    };
  const slowly = async function* (...chunks: string[]) {
    for (const chunk of chunks) {
      await new Promise(setImmediate);
      yield chunk;
    }
  };
  const ok = async (
    t: Test,
    read: (input: Environ['wsgi.input']) => Promise<unknown>,
    body: TestRequest['body'],
    expected: unknown,
  ) =>
    t.same(JSON.parse((await ask(t, reading(read), '/', body === undefined ? {} : { body })).text), expected);

  t.test('read', async (t) => {
    await ok(t, async (input) => String(await input.read()), 'whole', 'whole');
    await ok(t, async (input) => String(await input.read()), slowly('a', 'b', 'c'), 'abc');
    await ok(
      t,
      async (input) => [
        String(await input.read(2)),
        String(await input.read(2)),
        String(await input.read(2)),
        String(await input.read(2)),
      ],
      slowly('a', 'bcd', 'e'),
      ['ab', 'cd', 'e', ''],
    );
    await ok(
      t,
      async (input) => [
        String(await input.read(0)),
        String(await input.read(-1)),
        String(await input.read()),
      ],
      'x',
      ['', 'x', ''],
    );
    await ok(t, async (input) => String(await input.read()), undefined, '');
    await ok(
      t,
      async (input) => (await input.read(200_000)).length,
      Array.from({ length: 20 }, () => Buffer.alloc(10_000)),
      200_000,
    );
  });

  t.test('readline and readlines', async (t) => {
    const body = () => slowly('one\ntw', 'o\n', '\nfo', 'ur');
    await ok(t, async (input) => (await input.readlines()).map(String), body(), [
      'one\n',
      'two\n',
      '\n',
      'four',
    ]);
    await ok(
      t,
      async (input) => [
        String(await input.readline(2)),
        String(await input.readline(100)),
        String(await input.readline()),
      ],
      body(),
      ['on', 'e\n', 'two\n'],
    );
    await ok(t, async (input) => (await input.readlines(5)).map(String), body(), ['one\n', 'two\n']);
    await ok(t, async (input) => [String(await input.readline()), String(await input.readline())], 'x', [
      'x',
      '',
    ]);
  });

  t.test('a line of a hundred thousand pieces is found in time', async (t) => {
    const pieces = (function* () {
      for (let i = 0; i < 100_000; i++) yield 'x';
      yield '\n';
    })();
    await ok(t, async (input) => (await input.readline()).length, pieces, 100_001);
  });

  t.test('for await', async (t) => {
    await ok(
      t,
      async (input) => {
        let total = 0;
        for await (const chunk of input) total += chunk.length;
        return total;
      },
      slowly('abc', 'de'),
      5,
    );
  });

  t.test('one read at a time', async (t) => {
    await ok(
      t,
      async (input) => {
        const first = input.read(3);
        const second = await input.read(1).catch((error: VelaError) => error.code);
        return [String(await first), second];
      },
      slowly('abc'),
      ['abc', 'ERR_INPUT_BUSY'],
    );
  });

  t.test('sizes are whole numbers', async (t) => {
    await ok(
      t,
      async (input) => input.read(1.5).catch((error: Error) => error.message),
      'x',
      'A size to read must be a whole number of bytes, or left out; received 1.5',
    );
  });

  t.test('a body larger than the limit is 413 while it is read', async (t) => {
    const { response } = await ask(
      t,
      reading((input) => input.read()),
      '/',
      { body: [Buffer.alloc(600), Buffer.alloc(600)] },
      { maxBodyBytes: 1000 },
    );
    t.equal(response.status, 413);
  });

  t.test('what nobody reads is held back, and the response does not wait for it', async (t) => {
    let sent = 0;
    const endless = (async function* () {
      for (;;) {
        sent++;
        yield Buffer.alloc(10_000);
        await new Promise(setImmediate);
      }
    })();
    const app: App = async (_environ, start) => {
      for (let i = 0; i < 100; i++) await new Promise(setImmediate);
      start('200 OK', TEXT);
      return ['done'];
    };
    const { text } = await ask(t, app, '/', { body: endless });
    t.equal(text, 'done');
    t.ok(sent < 15, `${sent} chunks of 10,000 bytes were taken`);
  });
});

t.test('lifecycle', async (t) => {
  t.test('start, stop and describe reach every part, once and in order', async (t) => {
    const events: string[] = [];
    const part = (name: string): MiddlewareFunction =>
      Object.assign(() => undefined, {
        start: (context: StartContext) =>
          void events.push(`start ${name} ${typeof context.config.maxBodyBytes}`),
        stop: async () => void events.push(`stop ${name}`),
        describe: () => ({ name }),
      });
    const handler = new WsgiHandler([part('a'), new WsgiHandler([part('b'), part('c')]), answer('x')]);
    const made = testClient(lint(handler));
    await made.get('/');
    await made.get('/');
    await made.close();
    t.same(events, ['start a number', 'start b number', 'start c number', 'stop c', 'stop b', 'stop a']);
    t.match(handler.describe(), {
      name: 'WsgiHandler',
      parts: [{ name: 'a' }, { name: 'WsgiHandler', parts: [{ name: 'b' }, { name: 'c' }] }, {}],
    });
  });

  t.test('a start that fails stops what had started, and fails the client', async (t) => {
    const events: string[] = [];
    const handler = new WsgiHandler([
      Object.assign(() => undefined, { start: () => {}, stop: () => void events.push('stopped') }),
      Object.assign(() => undefined, { start: () => Promise.reject(new Error('cannot start')) }),
    ]);
    await t.rejects(testClient(handler).get('/'), /cannot start/);
    t.same(events, ['stopped']);
  });

  t.test('declared headers are merged when every middleware declares its own', async (t) => {
    const declaring = (...headers: string[]): MiddlewareFunction =>
      Object.assign(() => undefined, { headers });
    t.same(new WsgiHandler([declaring('X-A'), waitForBody(), declaring('x-a', 'b')]).headers, ['x-a', 'b']);
    t.equal(new WsgiHandler([declaring('x-a'), answer('x')]).headers, undefined);
  });
});

t.test('lazyWsgi', async (t) => {
  t.test('builds once, when the first request comes', async (t) => {
    let built = 0;
    const made = client(
      t,
      lazyWsgi(async () => {
        built++;
        await null;
        return new WsgiHandler([answer('built')]);
      }),
    );
    t.equal(built, 0);
    const all = await Promise.all([made.get('/'), made.get('/'), made.get('/')]);
    for (const response of all) t.equal(await response.text(), 'built');
    t.equal(built, 1);
  });

  t.test('tries again after a failure, and starts and stops what it built', async (t) => {
    const events: string[] = [];
    let tries = 0;
    const made = testClient(
      lazyWsgi(() => {
        tries++;
        if (tries === 1) throw new BadRequest('not yet');
        return Object.assign(answer('now'), {
          start: () => void events.push('start'),
          stop: () => void events.push('stop'),
        });
      }),
    );
    t.equal((await made.get('/')).status, 400);
    t.equal((await made.get('/')).status, 200);
    await made.close();
    t.same(events, ['start', 'stop']);
    t.throws(() => lazyWsgi('x' as never), TypeError);
  });

  t.test('what it builds must be an application', async (t) => {
    const response = await testClient(
      lazyWsgi(() => 5 as never),
      { debug: true },
    ).get('/');
    t.match(await response.text(), /What lazyWsgi builds must be a function/);
  });
});

t.test('testClient', async (t) => {
  const hello: App = (_environ, start) => (start('200 OK', [['Content-Type', 'text/plain']]), ['hello']);

  t.test('says what it takes', async (t) => {
    for (const [app, options, pattern] of [
      [null, {}, /testClient is given must be a function \(environ, startResponse\).*received null/],
      [5, {}, /received 5/],
      [hello, { bind: 0 }, /testClient has no option "bind"; it has "debug"/],
      [hello, { loger: console }, /no option "loger"/],
      [hello, null, /takes its options as an object.*received null/],
      [hello, { logger: {} }, /"logger" an object with debug, info, warn, error; received an object/],
    ] as const) {
      const make = () => testClient(app as never, options as never);
      t.throws(make, { name: 'TypeError', message: pattern });
    }
  });

  t.test('writes errors to standard error, unless it is told otherwise', async (t) => {
    const failing: App = () => {
      throw Object.assign(new Error('it broke'), { code: 'E_MINE', cause: new Http404('inner') });
    };
    const found: App = () => {
      throw new Http404();
    };
    const logger = recorder();
    const { write } = process.stderr;
    let text = '';
    process.stderr.write = (chunk: unknown) => {
      text += String(chunk);
      return true;
    };
    try {
      for (const [app, options] of [
        [found, {}],
        [failing, { logLevel: 'silent' }],
        [failing, { logger }],
      ] as const) {
        await createClient(app, options).get('/');
      }
      t.equal(text, '', 'a 404 is no error, and who asks for silence has it');
      t.match(logger.lines, [{ level: 'error', message: 'it broke' }]);
      await createClient(failing).get('/x');
    } finally {
      process.stderr.write = write;
    }
    t.match(
      text,
      /^\S+ error vela\.wsgi \[[\w-]+\] GET \/x 500 Error \[E_MINE\]: it broke\n +at .*handler\.test/,
    );
    t.match(text, /\nCaused by: Http404: inner\n/);
    t.throws(() => createClient(failing, { logLevel: 'loud' as never }), /"logLevel" must be levels/);
  });

  t.test('says what a request takes', async (t) => {
    const made = client(t, hello);
    for (const [target, request, pattern] of [
      [undefined, {}, /target that begins with "\/".*received undefined/],
      ['http://testserver/', {}, /without scheme and host; received "http:/],
      ['/', null, /takes its options as an object/],
      ['/', { header: {} }, /no option "header" \(did you mean "headers"\?\); it has "method", "headers"/],
      ['/a b', {}, /target as it is sent, without blanks.*received "\/a b": encode/],
      ['/a?b c', {}, /without blanks/],
      ['/a#b', {}, /and fragment; received "\/a#b"/],
      ['/a\n', {}, /control characters/],
      [
        '/',
        { method: 'G T' },
        /"method" a method that servers know, such as 'GET', in upper case; received "G T"/,
      ],
      ['/', { method: 'get' }, /in upper case; received "get"/],
      ['/', { method: 'FOO' }, /that servers know.*received "FOO"/],
      ['/', { headers: 5 }, /"headers" an object.*received 5/],
      ['/', { headers: ['a'] }, /"headers" pairs.*received "a"/],
      ['/', { headers: { 'a b': 'x' } }, /names such as 'X-A'; received "a b"/],
      ['/', { headers: { 'X-A': 5 } }, /text as the value of X-A, '5' and not 5, in one line; received 5/],
      ['/', { body: { a: 1 } }, /"body" text.*an object as "json"; received an object \(Object\)/],
      ['/', { body: 'x', json: 1 }, /either "body" or "json"; received both/],
      ['/', { json: () => 1 }, /"json" a value that JSON has; received a function/],
      ['/', { signal: 5 }, /"signal" an AbortSignal; received 5/],
    ] as const) {
      const expected = { name: 'TypeError', message: pattern };
      await t.rejects(made.request(target as never, request as never), expected);
    }
    await t.rejects(async () => made.get('/', 5 as never), TypeError);
    t.equal(await (await made.get('/')).text(), 'hello');
  });

  t.test('a body is read once', async (t) => {
    const response = await client(t, hello).get('/');
    t.equal(await response.text(), 'hello');
    await t.rejects(response.json(), { code: 'ERR_TEST_READ', message: /read it once, and keep/ });
  });

  t.test('closes once, and takes no requests then', async (t) => {
    let stops = 0;
    const made = testClient(
      Object.assign(hello.bind(undefined) as AppFunction, { stop: () => void stops++ }),
    );
    await made.get('/');
    await Promise.all([made.close(), made.close()]);
    t.equal(stops, 1);
    await t.rejects(made.get('/'), { code: 'ERR_TEST_CLOSED', message: /before close\(\)/ });
  });
});

t.test('testClient keeps cookies', async (t) => {
  const app: App = (environ, start) => {
    const set =
      environ.QUERY_STRING === ''
        ? []
        : [['Set-Cookie', decodeURIComponent(environ.QUERY_STRING)] as HeaderPair];
    start('200 OK', [...TEXT, ...set]);
    return [environ.HTTP_COOKIE ?? '-'];
  };
  const made = client(t, app);
  const get = async (path: string) => (await made.get(path)).text();
  const set = (cookie: string, path = '/') => get(`${path}?${encodeURIComponent(cookie)}`);
  t.equal(await set('a=1'), '-');
  t.equal(await set('b=2; Path=/sub'), 'a=1');
  t.equal(await get('/sub/x'), 'b=2; a=1');
  t.equal(await get('/subway'), 'a=1');
  await set('a=; Max-Age=0');
  t.equal(await get('/'), '-');
  await set('c=3; Expires=Thu, 01 Jan 1970 00:00:00 GMT');
  t.equal(await get('/'), '-');
  t.equal(
    await (await made.get('/sub/', { headers: { Cookie: 'own=1' } })).text(),
    'own=1',
    'a given header wins',
  );
  t.equal(await (await made.post('/sub/', { json: { a: 1 } })).text(), 'b=2');
});
