import { execFile, spawn } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { PassThrough, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import {
  type App,
  type Environ,
  HttpError,
  html,
  json,
  lint,
  type Middleware,
  Router,
  serve,
  WsgiHandler,
  WsgiResponse,
  waitForBody,
} from '../src/index.js';
import {
  accessLog,
  type BlockingMessage,
  bodyLimit,
  cleanPath,
  cors,
  errorPage,
  health,
  mount,
  proxyHeaders,
  requestId,
  secureHeaders,
  serverTiming,
  timeout,
  timing,
  warnBlocking,
} from '../src/middleware/index.js';
import { type TestRequest, testClient } from '../src/testing/index.js';
import { ask, client, recorder } from './support/ask.js';

const run = promisify(execFile);
const GATEWAYS = ['uws', 'node'] as const;
const hello: App = (_environ, start) => {
  start('200 OK', [['Content-Type', 'text/plain']]);
  return ['hello'];
};
const stack = (...middleware: Middleware[]) => new WsgiHandler(middleware.map((one) => lint(one)));
const behind = (one: Middleware) => stack(one, hello);
/** Shows what a handler sees. */
const show =
  (...keys: string[]): App =>
  (environ) =>
    json(Object.fromEntries(keys.map((key) => [key, environ[key] ?? null])));

/** A stream that keeps what is written. */
function sink() {
  const chunks: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { stream, lines: () => chunks.join('').split('\n').slice(0, -1) };
}

/** One request over a socket, in raw bytes: gives what came back until the end of the connection. */
async function raw(port: number, request: string | Buffer): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.end(request);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await Promise.race([once(socket, 'close'), sleep(3000, undefined, { ref: false })]);
  socket.destroy();
  return Buffer.concat(chunks).toString('latin1');
}

async function listen(test: Test, app: App, gateway: 'uws' | 'node', options = {}) {
  const server = await serve(app, { bind: '127.0.0.1:0', gateway, logLevel: 'silent', ...options });
  test.teardown(() => server.close({ timeoutMs: 0 }));
  return { server, url: server.url, port: (server.address as { port: number }).port };
}

t.test('options are checked when a middleware is made', async (t) => {
  const wrong: [string, () => unknown][] = [
    ['requestId header', () => requestId({ header: 'a b' })],
    ['requestId trust', () => requestId({ trust: 'yes' as never })],
    ['requestId generate', () => requestId({ generate: 5 as never })],
    ['requestId unknown', () => requestId({ trusted: true } as never)],
    ['requestId no object', () => requestId('x' as never)],
    ['accessLog letter', () => accessLog({ format: '%(x)s' })],
    ['accessLog open', () => accessLog({ format: '%(h' })],
    ['accessLog percent', () => accessLog({ format: '100%' })],
    ['accessLog kind', () => accessLog({ format: '%({a}x)s' })],
    ['accessLog header', () => accessLog({ format: '%({a b}i)s' })],
    ['accessLog line', () => accessLog({ format: 'a\nb' })],
    ['accessLog destination', () => accessLog({ destination: 'file' as never })],
    ['accessLog limitBytes', () => accessLog({ limitBytes: -1 })],
    ['accessLog flushMs', () => accessLog({ flushMs: 0 })],
    ['accessLog skip', () => accessLog({ skip: true as never })],
    ['timeout none', () => timeout({} as never)],
    ['timeout zero', () => timeout({ timeoutMs: 0 })],
    ['timeout NaN', () => timeout({ timeoutMs: Number.NaN })],
    ['timeout status', () => timeout({ timeoutMs: 5, status: 500 as never })],
    ['cors none', () => cors({} as never)],
    ['cors any with credentials', () => cors({ origins: '*', credentials: true })],
    ['cors path', () => cors({ origins: ['https://a.example/'] })],
    ['cors host', () => cors({ origins: ['a.example'] })],
    ['cors star in list', () => cors({ origins: ['*'] })],
    ['cors string', () => cors({ origins: 'https://a.example' as never })],
    ['cors method', () => cors({ origins: '*', methods: ['A B'] })],
    ['cors header', () => cors({ origins: '*', headers: ['a:b'] })],
    ['cors maxAge', () => cors({ origins: '*', maxAgeSeconds: 1.5 })],
    ['cors expose any', () => cors({ origins: [], credentials: true, exposeHeaders: ['*'] })],
    ['secureHeaders value', () => secureHeaders({ xFrameOptions: 'ALLOWALL' as never })],
    ['secureHeaders true', () => secureHeaders({ xFrameOptions: true as never })],
    ['secureHeaders referrer', () => secureHeaders({ referrerPolicy: 'nowhere' })],
    ['secureHeaders hsts', () => secureHeaders({ strictTransportSecurity: { maxAgeSeconds: -1 } })],
    ['secureHeaders unknown', () => secureHeaders({ hsts: false } as never)],
    ['csp unquoted', () => secureHeaders({ contentSecurityPolicy: { directives: { 'img-src': ['self'] } } })],
    ['csp semicolon', () => secureHeaders({ contentSecurityPolicy: { directives: { 'img-src': ['a;b'] } } })],
    ['csp camel', () => secureHeaders({ contentSecurityPolicy: { directives: { imgSrc: ["'self'"] } } })],
    ['csp empty', () => secureHeaders({ contentSecurityPolicy: { useDefaults: false } })],
    ['bodyLimit none', () => bodyLimit({} as never)],
    ['bodyLimit text', () => bodyLimit({ limitBytes: '1mb' as never })],
    ['cleanPath status', () => cleanPath({ status: 303 as never })],
    ['proxyHeaders none', () => proxyHeaders({} as never)],
    ['proxyHeaders range', () => proxyHeaders({ trusted: ['10.0.0.0/99'] })],
    ['proxyHeaders name', () => proxyHeaders({ trusted: ['proxy.example'] })],
    ['proxyHeaders use', () => proxyHeaders({ trusted: [], use: 'both' as never })],
    ['serverTiming total', () => serverTiming({ total: 'a b' })],
    ['serverTiming allow', () => serverTiming({ allow: true as never })],
    ['timing name', () => timing({} as Environ, 'a b')],
    ['health path', () => health({ livePath: 'livez' })],
    ['health same', () => health({ livePath: '/a', readyPath: '/a' })],
    ['health check', () => health({ checks: { db: true as never } })],
    ['health timeoutMs', () => health({ timeoutMs: 0 })],
    ['errorPage none', () => errorPage({} as never)],
    ['errorPage status', () => errorPage({ pages: { 200: {} } })],
    ['errorPage type', () => errorPage({ pages: { 404: { html: () => '' } } })],
    ['errorPage renderer', () => errorPage({ pages: { 404: { 'text/html': 'x' as never } } })],
    ...['shop', '/', '', '/a/', '//a', '/a//b', '/a/../b', '/a?b', '/a#b', '/%61', '/a\\b', 5].map(
      (prefix) => [`mount ${prefix}`, () => mount(prefix as string, hello)] as [string, () => unknown],
    ),
    ['mount app', () => mount('/a', {} as never)],
  ];
  for (const [name, make] of wrong) t.throws(make, TypeError, name);
});

t.test('requestId', async (t) => {
  const sees = show('vela.request_id');
  const { response, text } = await ask(t, stack(requestId(), sees));
  const id = response.header('x-request-id') ?? '';
  t.match(id, /^[\w-]{20}$/);
  t.same(JSON.parse(text), { 'vela.request_id': id });
  const given = { headers: { 'x-request-id': 'abc-1' } };
  t.not((await ask(t, behind(requestId()), '/', given)).response.header('x-request-id'), 'abc-1', 'no trust');
  const trusting = behind(requestId({ trust: true }));
  t.equal((await ask(t, trusting, '/', given)).response.header('x-request-id'), 'abc-1');
  t.equal((await ask(t, trusting)).response.headerValues('x-request-id').length, 1);
  const asked = behind(requestId({ trust: (environ) => environ.REMOTE_ADDR === '127.0.0.1' }));
  t.equal((await ask(t, asked, '/', given)).response.header('x-request-id') === 'abc-1', await isLocal());
  const own: App = () => new WsgiResponse({ content: 'x', headers: [['x-request-ID', 'theirs']] });
  t.equal(
    (await ask(t, stack(requestId({ generate: () => 'mine' }), own))).response.header('x-request-id'),
    'mine',
  );
  t.equal((await ask(t, behind(requestId({ generate: () => 'a b' })))).response.status, 500);
  const ids = new Set<string>();
  const many = client(t, behind(requestId()));
  for (let i = 0; i < 500; i++) ids.add((await many.get('/')).header('x-request-id') as string);
  t.equal(ids.size, 500);

  async function isLocal() {
    return (await ask(t, show('REMOTE_ADDR'))).text.includes('127.0.0.1');
  }
});

t.test('requestId never takes what is no sane token', async (t) => {
  const app = client(t, behind(requestId({ trust: true })));
  const oracle = /^[A-Za-z0-9._~+/=:@_-]{1,128}$/;
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((n) => String.fromCharCode(n)) }),
      async (id) => {
        if (/[\r\n\0]/.test(id)) return true;
        const response = await app.get('/', { headers: { 'x-request-id': id } });
        return response.status === 200 && (response.header('x-request-id') === id) === oracle.test(id);
      },
    ),
  );
  const long = await app.get('/', { headers: { 'x-request-id': 'a'.repeat(100_000) } });
  t.equal(long.header('x-request-id')?.length, 20);
  const twice = await app.get('/', {
    headers: [
      ['x-request-id', 'a'],
      ['x-request-id', 'b'],
    ],
  });
  t.equal(twice.header('x-request-id')?.length, 20);
});

t.test('accessLog writes each format', async (t) => {
  const request: TestRequest = {
    headers: { 'user-agent': 'curl/8', referer: 'https://a.example/', 'x-a': 'b' },
  };
  const line = async (format: string, target = '/a%20b?c=d') => {
    const { stream, lines } = sink();
    const app = testClient(behind(accessLog({ format, destination: stream })));
    await app.get(target, request);
    await app.close();
    t.equal(lines().length, 1);
    return lines()[0] as string;
  };
  const time = String.raw`\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]`;
  const address = String.raw`\S+`;
  const common = String.raw`${address} - - ${time} "GET /a%20b\?c=d HTTP/1\.1" 200 5`;
  t.match(await line('common'), new RegExp(`^${common}$`));
  t.match(await line('combined'), new RegExp(`^${common} "https://a.example/" "curl/8"$`));
  const entry = JSON.parse(await line('json')) as Record<string, unknown>;
  t.match(entry, {
    method: 'GET',
    uri: '/a%20b?c=d',
    status: 200,
    bodyBytes: 5,
    outcome: 'sent',
    userAgent: 'curl/8',
  });
  t.ok(!Number.isNaN(Date.parse(entry.time as string)));
  t.equal(
    await line(
      '%(m)s|%(U)s|%(q)s|%(H)s|%(s)s|%(b)s|%(B)s|%(f)s|%(a)s|%(l)s|%%|%({x-a}i)s|%({X-B}i)s|%({Content-Type}o)s',
    ),
    `GET|/a%20b|c=d|HTTP/1.1|200|5|5|https://a.example/|curl/8|-|%|b|-|text/plain`,
  );
  t.match(await line('%(T)s %(M)s %(D)s %(L)s %(p)s'), /^0 \d+ \d+ 0\.\d{6} <\d+>$/);
  t.match(
    await line('%({REQUEST_METHOD}e)s %({vela.request_id}e)s %({HTTP_X_A}e)s %({none}e)s'),
    /^GET \S+ b -$/,
  );
  t.equal(await line('%(q)s %(r)s', '/'), '- GET / HTTP/1.1');
  t.equal(await line('é → %(m)s 😀'), 'é → GET 😀', 'what stands in the format may be any text');
  for (const letters of [20_000, 70_000])
    t.equal(await line(`${'→'.repeat(letters)}%(m)s`), `${'→'.repeat(letters)}GET`, 'and long');
});

t.test('accessLog goes to the logger, and skips', async (t) => {
  const logger = recorder();
  const log = accessLog({
    destination: 'logger',
    format: '%(U)s %(s)s %(u)s',
    skip: (e) => e.RAW_URI === '/skip',
  });
  const user: Middleware = (environ) => {
    environ.REMOTE_USER = 'a "b"';
  };
  const app = client(t, stack(log, user, hello), { logger });
  await app.get('/skip');
  await app.get('/x');
  t.same(
    logger.lines.filter(({ level }) => level === 'info').map(({ message }) => message),
    [String.raw`/x 200 a \x22b\x22`],
  );
  const fields = recorder();
  await ask(t, behind(accessLog({ destination: 'logger', format: 'json' })), '/y', {}, { logger: fields });
  t.match(fields.lines, [{ level: 'info', message: 'request', details: { uri: '/y', status: 200 } }]);
});

t.test('nothing in a request forges a log line', async (t) => {
  const { stream, lines } = sink();
  const format = '"%(r)s" "%(f)s" "%(a)s" "%({x-a}i)s" "%({app.x}e)s" "%({X-Out}o)s" %(u)s';
  const app = testClient(
    stack(accessLog({ format, destination: stream }), (environ) => {
      environ['app.x'] = environ.HTTP_X_A;
      environ.REMOTE_USER = 'x\ny "z" \u2028 \ud800';
      return new WsgiResponse({ content: 'x', headers: [['X-Out', 'a"b\\c']] });
    }),
  );
  let count = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((n) => String.fromCharCode(n)), maxLength: 40 }),
      async (value) => {
        if (/[\r\n\0]/.test(value)) return;
        count++;
        await app.get('/', { headers: { 'user-agent': value, referer: value, 'x-a': value } });
      },
    ),
  );
  await app.close();
  t.equal(lines().length, count);
  for (const line of lines()) {
    if (!/^[ -~]*$/.test(line) || line.split('"').length !== 13) t.fail(line);
  }
  t.match(lines()[0], String.raw`x\x0Ay \x22z\x22 \xE2\x80\xA8 \xEF\xBF\xBD`);
  const { stream: jsonStream, lines: jsonLines } = sink();
  const other = testClient(behind(accessLog({ format: 'json', destination: jsonStream })));
  await other.get('/', { headers: { 'user-agent': 'a"b\\\u0085\u007f' } });
  await other.close();
  t.match(jsonLines()[0], /^[ -~]+$/);
  t.match(JSON.parse(jsonLines()[0] as string), { userAgent: 'a"b\\\u0085\u007f' });
});

t.test('accessLog tells of errors, streams, cuts and aborts', async (t) => {
  const { stream, lines } = sink();
  const app = testClient(
    stack(accessLog({ format: '%(U)s %(s)s %(B)s', destination: stream }), async (environ, start) => {
      const { PATH_INFO } = environ;
      if (PATH_INFO === '/error') throw new HttpError(409, 'no');
      if (PATH_INFO === '/never')
        await sleep(5000, undefined, { signal: environ['vela.signal'] }).catch(() => {});
      start('200 OK', [['Content-Type', 'text/plain']]);
      return (async function* () {
        yield 'abc';
        if (PATH_INFO === '/cut') throw new Error('broken');
        if (PATH_INFO === '/wait') await sleep(5000, undefined, { signal: environ['vela.signal'] });
        yield 'def';
      })();
    }),
  );
  await (await app.get('/stream')).text();
  await (await app.get('/error')).text();
  await t.rejects((await app.get('/cut')).text());
  for (const path of ['/wait', '/never']) {
    const abort = new AbortController();
    const asked = app.get(path, { signal: abort.signal });
    if (path === '/wait') await (await asked).body[Symbol.asyncIterator]().next();
    abort.abort();
    if (path === '/never') await t.rejects(asked);
  }
  await app.close();
  t.same(lines(), ['/stream 200 6', '/error 409 3', '/cut 200 3', '/wait 200 3', '/never 499 0']);
});

t.test('accessLog holds no more than its limit for a slow stream, and survives a broken one', async (t) => {
  const logger = recorder();
  const slow = new PassThrough({ highWaterMark: 1 });
  const app = testClient(
    behind(accessLog({ format: '%(r)s', destination: slow, limitBytes: 100, flushMs: 1 })),
    { logger },
  );
  for (let i = 0; i < 20; i++) await app.get('/');
  await sleep(20);
  for (let i = 0; i < 20; i++) await app.get('/');
  t.ok(slow.writableLength + slow.readableLength < 200);
  slow.resume();
  await sleep(10);
  await app.get('/');
  await app.close();
  const dropped = logger.lines.filter(({ details }) => 'dropped' in details);
  t.ok(dropped.length >= 1 && dropped.length <= 3);
  t.equal(slow.listenerCount('error'), 0, 'leaves no listener');

  const broken = new Writable({ write: (_chunk, _encoding, done) => done(new Error('disk full')) });
  const told = recorder();
  const other = testClient(behind(accessLog({ destination: broken, flushMs: 1 })), { logger: told });
  for (let i = 0; i < 5; i++) {
    t.equal((await other.get('/')).status, 200);
    await sleep(5);
  }
  await other.close();
  t.equal(told.lines.filter(({ message }) => message.includes('disk full')).length, 1);
});

t.test('timeout answers for a slow handler and aborts its work', async (t) => {
  for (const status of [503, 504] as const) {
    let reason: unknown;
    const slow: App = async (environ) => {
      await sleep(5000, undefined, { signal: environ['vela.signal'] }).catch((error: Error) => {
        reason = error.cause;
      });
      return new WsgiResponse({ content: 'late' });
    };
    const { response } = await ask(t, stack(timeout({ timeoutMs: 30, status }), slow));
    t.equal(response.status, status);
    await sleep(5);
    t.match(reason, { status });
  }
  const { response, text } = await ask(
    t,
    stack(timeout({ timeoutMs: 30 }), async (_environ, start) => {
      start('200 OK', [['Content-Type', 'text/plain']]);
      return (async function* () {
        yield 'a';
        await sleep(80);
        yield 'b';
      })();
    }),
  );
  t.equal(response.status, 200);
  t.equal(text, 'ab', 'a response that has begun is not bounded');
  const late = testClient(behind(timeout({ timeoutMs: 30_000 })));
  await t.rejects(late.get('/'), { code: 'ERR_CONFIG_INVALID', message: /requestTimeoutMs/ });
});

t.test('cors on requests', async (t) => {
  const origin = 'https://a.example';
  const headersOf = async (
    one: Middleware,
    request: TestRequest = { headers: { origin } },
    app: App = hello,
  ) => {
    const { response } = await ask(t, stack(one, app), '/', request);
    t.equal(response.status, 200);
    return Object.fromEntries(response.headers.filter(([name]) => /^(?:access|vary)/i.test(name)));
  };
  t.same(await headersOf(cors({ origins: '*' })), { 'Access-Control-Allow-Origin': '*' });
  t.same(await headersOf(cors({ origins: '*' }), {}), { 'Access-Control-Allow-Origin': '*' });
  const allowed = { 'Access-Control-Allow-Origin': origin, Vary: 'Origin' };
  t.same(await headersOf(cors({ origins: [origin] })), allowed);
  t.same(await headersOf(cors({ origins: [origin] }), {}), { Vary: 'Origin' });
  t.same(await headersOf(cors({ origins: [origin], credentials: true, exposeHeaders: ['X-A'] })), {
    ...allowed,
    'Access-Control-Allow-Credentials': 'true',
    'Access-Control-Expose-Headers': 'X-A',
  });
  t.same(await headersOf(cors({ origins: (one) => one === origin })), allowed);
  t.same(await headersOf(cors({ origins: async (one) => one === origin })), allowed);
  t.same(await headersOf(cors({ origins: () => 'yes' as never })), { Vary: 'Origin' }, 'only true allows');
  for (const other of [
    'https://a.example.evil.com',
    'http://a.example',
    'https://a.example:444',
    'null',
    'HTTPS://A.EXAMPLE',
    '',
  ])
    t.same(
      await headersOf(cors({ origins: [origin] }), { headers: { origin: other } }),
      { Vary: 'Origin' },
      other,
    );
  t.same(
    (await headersOf(cors({ origins: ['null'] }), { headers: { origin: 'null' } }))[
      'Access-Control-Allow-Origin'
    ],
    'null',
  );
  const own: App = () =>
    new WsgiResponse({
      content: 'x',
      headers: [
        ['access-control-allow-origin', '*'],
        ['vary', 'Accept'],
      ],
    });
  t.same(await headersOf(cors({ origins: [origin] }), { headers: { origin } }, own), {
    'Access-Control-Allow-Origin': origin,
    vary: 'Accept, Origin',
  });
  t.same(await headersOf(cors({ origins: [] }), { headers: { origin } }, own), { vary: 'Accept, Origin' });
  const failing = await ask(
    t,
    stack(cors({ origins: [origin] }), () => {
      throw new HttpError(409);
    }),
    '/',
    { headers: { origin } },
  );
  t.equal(failing.response.header('access-control-allow-origin'), origin, 'errors too');
});

t.test('cors answers preflights before routing', async (t) => {
  const origin = 'https://a.example';
  const preflight = async (options: Parameters<typeof cors>[0], headers: Record<string, string> = {}) => {
    const app = stack(cors(options), () => {
      throw new Error('routed');
    });
    const { response } = await ask(t, app, '/', {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'PUT', ...headers },
    });
    return response;
  };
  const good = await preflight(
    {
      origins: [origin],
      headers: ['X-A', 'Content-Type'],
      credentials: true,
      maxAgeSeconds: 60,
      allowPrivateNetwork: true,
    },
    {
      'access-control-request-headers': 'x-a,content-type',
      'access-control-request-private-network': 'true',
    },
  );
  t.equal(good.status, 204);
  t.same(Object.fromEntries(good.headers), {
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Methods': 'GET, HEAD, PUT, PATCH, POST, DELETE',
    'Access-Control-Max-Age': '60',
    'Access-Control-Allow-Headers': 'x-a, content-type',
    'Access-Control-Allow-Credentials': 'true',
    'Access-Control-Allow-Private-Network': 'true',
    Vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers, Access-Control-Request-Private-Network',
  });
  const any = await preflight(
    { origins: '*', headers: '*' },
    { 'access-control-request-headers': 'X-B, x-c' },
  );
  t.equal(any.header('access-control-allow-origin'), '*');
  t.equal(any.header('access-control-allow-headers'), 'x-b, x-c');
  const refused: [string, Parameters<typeof cors>[0], Record<string, string>][] = [
    ['origin', { origins: ['https://b.example'] }, {}],
    ['predicate', { origins: async () => false }, {}],
    ['method', { origins: '*', methods: ['GET'] }, {}],
    ['method in another case', { origins: '*' }, { 'access-control-request-method': 'put' }],
    ['method that is none', { origins: '*' }, { 'access-control-request-method': 'A B' }],
    ['header', { origins: '*' }, { 'access-control-request-headers': 'x-a' }],
    ['header that is none', { origins: '*', headers: '*' }, { 'access-control-request-headers': 'a b' }],
    [
      '10,000 headers',
      { origins: '*', headers: '*' },
      { 'access-control-request-headers': 'a,'.repeat(10_000) },
    ],
    ['private network', { origins: '*' }, { 'access-control-request-private-network': 'true' }],
  ];
  for (const [name, options, headers] of refused) {
    const response = await preflight(options, headers);
    t.equal(response.status, 403, name);
    t.notOk(
      response.headers.some(([header]) => /^access-control/i.test(header)),
      name,
    );
    t.match(response.header('vary'), /^Origin/, name);
  }
  const plain = await ask(t, stack(cors({ origins: '*' }), hello), '/', { method: 'OPTIONS' });
  t.equal(plain.response.status, 200, 'OPTIONS that is no preflight goes on');
});

const HELMET: Record<string, string> = {
  'Content-Security-Policy':
    "default-src 'self';base-uri 'self';font-src 'self' https: data:;form-action 'self';frame-ancestors 'self';img-src 'self' data:;object-src 'none';script-src 'self';script-src-attr 'none';style-src 'self' https: 'unsafe-inline';upgrade-insecure-requests",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Origin-Agent-Cluster': '?1',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-DNS-Prefetch-Control': 'off',
  'X-Download-Options': 'noopen',
  'X-Frame-Options': 'SAMEORIGIN',
  'X-Permitted-Cross-Domain-Policies': 'none',
  'X-XSS-Protection': '0',
};

t.test('secureHeaders', async (t) => {
  const headersOf = async (...middleware: Middleware[]) =>
    Object.fromEntries(
      (await ask(t, stack(...middleware))).response.headers.filter(([name]) => name !== 'Content-Length'),
    );
  const https: Middleware = (environ) => {
    environ['wsgi.url_scheme'] = 'https';
  };
  const hsts = 'Strict-Transport-Security';
  const csp = 'Content-Security-Policy';
  t.same(await headersOf(https, secureHeaders(), hello), {
    ...HELMET,
    [hsts]: 'max-age=31536000; includeSubDomains',
    'Content-Type': 'text/plain',
  });
  const plain = HELMET[csp]?.replace(';upgrade-insecure-requests', '');
  t.same(
    await headersOf(secureHeaders(), hello),
    { ...HELMET, [csp]: plain, 'Content-Type': 'text/plain' },
    'over plain http without what asks for https',
  );
  const upgrade = { 'upgrade-insecure-requests': true };
  const asked = secureHeaders({ contentSecurityPolicy: { directives: upgrade } });
  t.ok((await headersOf(asked, hello))[csp]?.endsWith('upgrade-insecure-requests'), 'unless it is asked for');
  const custom = secureHeaders({
    strictTransportSecurity: { maxAgeSeconds: 5, includeSubDomains: false, preload: true },
  });
  t.equal((await headersOf(https, custom, hello))[hsts], 'max-age=5; preload');
  const none = secureHeaders({
    contentSecurityPolicy: false,
    crossOriginOpenerPolicy: false,
    crossOriginResourcePolicy: false,
    originAgentCluster: false,
    referrerPolicy: false,
    strictTransportSecurity: false,
    xContentTypeOptions: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xFrameOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  });
  t.same(await headersOf(https, none, hello), { 'Content-Type': 'text/plain' });
  const own: App = () => new WsgiResponse({ content: 'x', headers: [['x-frame-options', 'DENY']] });
  const kept = await headersOf(secureHeaders(), own);
  t.equal(kept['x-frame-options'], 'DENY');
  t.notOk('X-Frame-Options' in kept);
  const failed = await ask(
    t,
    stack(secureHeaders(), () => {
      throw new Error('x');
    }),
  );
  t.equal(failed.response.header('x-content-type-options'), 'nosniff', 'errors too');
});

t.test('a nonce is new for each request, and the handler has it', async (t) => {
  const csp = {
    directives: { 'script-src': ["'self'", "'nonce'"] },
    reportOnly: true,
  };
  const app = client(t, stack(secureHeaders({ contentSecurityPolicy: csp }), show('vela.csp_nonce')));
  const nonces = new Set<string>();
  for (let i = 0; i < 50; i++) {
    const response = await app.get('/');
    const nonce = ((await response.json()) as Record<string, string>)['vela.csp_nonce'] as string;
    t.equal(Buffer.from(nonce, 'base64').length, 16);
    const policy = response.header('content-security-policy-report-only') ?? '';
    t.ok(policy.includes(`script-src 'self' 'nonce-${nonce}';`) && !policy.includes('upgrade'));
    nonces.add(nonce);
  }
  t.equal(nonces.size, 50);
});

t.test('bodyLimit counts stated and counted bytes', async (t) => {
  const echo: App = async (environ) =>
    new WsgiResponse({ content: (await environ['wsgi.input'].read()).toString() || 'none' });
  const app = client(t, stack(bodyLimit({ limitBytes: 10 }), echo));
  t.equal((await app.post('/', { body: 'x'.repeat(10) })).status, 200);
  t.equal((await app.post('/', { body: 'x'.repeat(11) })).status, 413);
  t.equal((await app.post('/', { body: ['x'.repeat(5), 'x'.repeat(5)] })).status, 200);
  t.equal((await app.post('/', { body: ['x'.repeat(6), 'x'.repeat(6)] })).status, 413);
  t.equal((await app.get('/')).status, 200);
  const outer = client(
    t,
    stack(bodyLimit({ limitBytes: 10 }), bodyLimit({ limitBytes: 100 }), waitForBody(), echo),
  );
  t.equal((await outer.post('/', { body: ['x'.repeat(11)] })).status, 413, 'the smallest counts');
  const large = testClient(behind(bodyLimit({ limitBytes: 100 })), { maxBodyBytes: 99 });
  await t.rejects(large.get('/'), { code: 'ERR_CONFIG_INVALID', message: /maxBodyBytes/ });
});

t.test('cleanPath redirects within the site', async (t) => {
  const app = client(t, behind(cleanPath()));
  const location = async (target: string) => {
    const response = await app.get(target);
    return response.status === 308 ? response.header('location') : response.status;
  };
  t.equal(await location('/a//b///c?x=//y'), '/a/b/c?x=//y');
  t.equal(await location('//evil.com'), '/evil.com');
  t.equal(await location('//evil.com//x?y'), '/evil.com/x?y');
  t.equal(await location('///'), '/');
  t.equal(await location('//\\evil.com'), '/%5Cevil.com');
  t.equal(await location('/a%2F%2Fb'), 200);
  t.equal(await location('/a/b?c=//d'), 200);
  t.equal(await location('//%2F/evil.com'), '/%2F/evil.com');
  const mounted = client(t, stack(mount('/a é', stack(cleanPath(), hello))));
  t.equal((await mounted.get('/a%20%C3%A9//b')).header('location'), '/a%20%C3%A9/b');
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.constantFrom(
          '/',
          '//',
          '\\',
          '.',
          '..',
          '@',
          ':',
          '%2f',
          '%5c',
          '%',
          'a',
          ';',
          'evil.com',
          '?',
          '\x80',
        ),
      ),
      async (parts) => {
        const found = await location(`/${parts.join('')}`);
        return typeof found === 'number'
          ? found === 200 || found === 400
          : !found?.startsWith('//') &&
              new URL(found as string, 'https://here.example/a').origin === 'https://here.example';
      },
    ),
    { numRuns: 2000 },
  );
});

const PROXY_KEYS = ['REMOTE_ADDR', 'wsgi.url_scheme', 'HTTPS', 'HTTP_HOST', 'SERVER_PORT'];

/** What a handler sees behind proxyHeaders, of a peer at an address. */
async function seen(
  test: Test,
  options: Parameters<typeof proxyHeaders>[0],
  headers: TestRequest['headers'],
  peer = '10.0.0.1',
) {
  const from: Middleware = (environ) => {
    environ.REMOTE_ADDR = peer;
  };
  const { response, text } = await ask(test, stack(from, proxyHeaders(options), show(...PROXY_KEYS)), '/', {
    headers: headers ?? {},
  });
  return response.status === 200 ? Object.values(JSON.parse(text) as object).join(' ') : response.status;
}

t.test('proxyHeaders takes what trusted proxies say', async (t) => {
  const trusted = ['10.0.0.0/8', 'fd00::/8'];
  const plain = 'http  testserver 80';
  const see = (headers: TestRequest['headers'], peer?: string) => seen(t, { trusted }, headers, peer);
  t.equal(await see({}), `10.0.0.1 ${plain}`);
  t.equal(await see({ 'x-forwarded-for': '1.2.3.4' }), `1.2.3.4 ${plain}`);
  t.equal(
    await see({ 'x-forwarded-for': '1.2.3.4' }, '9.9.9.9'),
    `9.9.9.9 ${plain}`,
    'a peer that is not trusted',
  );
  t.equal(await see({ 'x-forwarded-for': '1.2.3.4' }, '::ffff:10.0.0.9'), `1.2.3.4 ${plain}`, 'mapped');
  t.equal(await see({ 'x-forwarded-for': '1.2.3.4' }, ''), `1.2.3.4 ${plain}`, 'unix socket');
  t.equal(
    await seen(t, { trusted, trustUnixSocket: false }, { 'x-forwarded-for': '1.2.3.4' }, ''),
    ` ${plain}`,
  );
  t.equal(
    await see({ 'x-forwarded-for': '6.6.6.6, 1.2.3.4, 10.1.1.1' }),
    `1.2.3.4 ${plain}`,
    'spoofed on the left',
  );
  t.equal(await see({ 'x-forwarded-for': '<script>,,, 1.2.3.4' }), `1.2.3.4 ${plain}`, 'junk on the left');
  t.equal(await see({ 'x-forwarded-for': '10.2.2.2, 10.1.1.1' }), `10.2.2.2 ${plain}`, 'all trusted');
  t.equal(
    await see([
      ['x-forwarded-for', '6.6.6.6'],
      ['x-forwarded-for', '1.2.3.4'],
    ]),
    `1.2.3.4 ${plain}`,
    'two lines',
  );
  t.equal(await see({ 'x-forwarded-for': '1.2.3.4:5678' }), `1.2.3.4 ${plain}`, 'port');
  t.equal(await see({ 'x-forwarded-for': '[2001:db8::1]:5678' }), `2001:db8::1 ${plain}`);
  t.equal(await see({ 'x-forwarded-for': '2001:db8::1' }), `2001:db8::1 ${plain}`);
  for (const [given, canonical] of [
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['::FFFF:102:304', '1.2.3.4'],
    ['[0:0:0:0:0:ffff:1.2.3.4]:80', '1.2.3.4'],
    ['2001:DB8:0::1', '2001:db8::1'],
    ['::ffff:1', '::ffff:1'],
    ['fe80::00:1%eth0', 'fe80::1%eth0'],
  ] as const)
    t.equal(await see({ 'x-forwarded-for': given }), `${canonical} ${plain}`, `one spelling: ${given}`);
  for (const [host, port, proto, seenHost] of [
    ['[::1]:8080', '443', 'https', '[::1] 443'],
    ['a.example:8080', '443', 'http', 'a.example:443 443'],
    ['a.example:80', '80', 'http', 'a.example 80'],
    ['[::1]', '8443', 'https', '[::1]:8443 8443'],
  ] as const)
    t.equal(
      await see({ 'x-forwarded-host': host, 'x-forwarded-port': port, 'x-forwarded-proto': proto }),
      `10.0.0.1 ${proto} ${proto === 'https' ? 'on' : ''} ${seenHost}`,
      `the stated port counts: ${host}`,
    );
  t.equal(await see({ 'x-forwarded-for': 'unknown' }), `unknown ${plain}`);
  t.equal(
    await see({
      'x-forwarded-for': '1.2.3.4',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'a.example',
    }),
    '1.2.3.4 https on a.example 443',
  );
  t.equal(
    await see({ 'x-forwarded-proto': 'https', 'x-forwarded-host': 'a.example:8443' }),
    '10.0.0.1 https on a.example:8443 8443',
  );
  t.equal(
    await see({ 'x-forwarded-host': 'a.example', 'x-forwarded-port': '8080' }),
    '10.0.0.1 http  a.example:8080 8080',
  );
  t.equal(
    await see({
      'x-forwarded-for': '6.6.6.6, 1.2.3.4',
      'x-forwarded-proto': 'http, https',
      'x-forwarded-host': 'evil.com, a.example',
    }),
    '1.2.3.4 https on a.example 443',
    'lists are read at the place of the client',
  );
  t.equal(
    await seen(t, { trusted, takeHost: false }, { 'x-forwarded-host': 'evil.com' }),
    `10.0.0.1 ${plain}`,
  );
  const port = { 'x-forwarded-host': 'a.example:1', 'x-forwarded-port': '8443' };
  t.equal(
    await see({ 'x-forwarded-port': '8443' }),
    '10.0.0.1 http  testserver 8443',
    'alone it leaves the host',
  );
  t.equal(await seen(t, { trusted, takeHost: false }, port), '10.0.0.1 http  testserver 8443');
  t.equal(
    await see({ ...port, 'x-forwarded-for': '6.6.6.6, 1.2.3.4', 'x-forwarded-port': '1, 8443' }),
    '1.2.3.4 http  a.example:8443 8443',
  );
  t.equal(await see({ forwarded: 'for=1.2.3.4' }), `10.0.0.1 ${plain}`, 'the other header is not read');
  for (const headers of [
    { 'x-forwarded-for': 'evil' },
    { 'x-forwarded-for': '', 'x-forwarded-proto': 'ftp' },
    { 'x-forwarded-for': '1.2.3.4, ' },
    { 'x-forwarded-for': '1.2.3.4:99999:1' },
    { 'x-forwarded-for': '999.2.3.4' },
    { 'x-forwarded-proto': 'javascript' },
    { 'x-forwarded-host': 'a b' },
    { 'x-forwarded-host': 'a.example/x' },
    { 'x-forwarded-host': 'user@a.example' },
    { 'x-forwarded-host': 'a.example:99999' },
    { 'x-forwarded-host': 'a.example:' },
    { 'x-forwarded-host': '[:::]' },
    { 'x-forwarded-port': '0' },
    { 'x-forwarded-port': '80x' },
  ])
    t.equal(await see(headers), 400, JSON.stringify(headers));
});

t.test('proxyHeaders reads Forwarded (RFC 7239)', async (t) => {
  const see = (forwarded: string | string[]) =>
    seen(
      t,
      { trusted: ['10.0.0.0/8', '2001:db8:cafe::/48'], use: 'forwarded' },
      Array.isArray(forwarded)
        ? forwarded.map((one) => ['forwarded', one] as [string, string])
        : { forwarded },
    );
  t.equal(
    await see('for=192.0.2.60;proto=https;by=203.0.113.43;host=a.example'),
    '192.0.2.60 https on a.example 443',
  );
  t.equal(await see('For="[2001:db8::17]:4711"'), '2001:db8::17 http  testserver 80');
  t.equal(
    await see('for=6.6.6.6;host=evil.com, for=192.0.2.43;proto=https, for="[2001:db8:cafe::17]"'),
    '192.0.2.43 https on testserver 443',
  );
  t.equal(await see(['for=6.6.6.6', 'for=192.0.2.43']), '192.0.2.43 http  testserver 80');
  t.equal(await see('for=_hidden'), '_hidden http  testserver 80');
  t.equal(await see('for="\\1.2.3.4"'), '1.2.3.4 http  testserver 80', 'quoted-pair');
  t.equal(await see('proto=https'), '10.0.0.1 https on testserver 443');
  for (const bad of [
    '',
    'for',
    'for=',
    'for="1.2.3.4',
    'for=1.2.3.4;for=5.6.7.8',
    'for=1.2.3.4;',
    'for=1.2.3.4,',
    'for=evil',
    ';',
    'for=[::1]x',
    'for=1.2.3.4 proto=https',
    'for=1.2.3.4;proto=ftp',
    'for=1.2.3.4;host="a b"',
    'for="2001:db8::1"x',
  ])
    t.equal(await see(bad), 400, bad);
  const beganMs = performance.now();
  for (const bad of [
    'for=a;'.repeat(2000),
    `for="${'\\'.repeat(10_000)}`,
    ','.repeat(10_000),
    `for=${'1.'.repeat(5000)}`,
    `for="[${':'.repeat(10_000)}"`,
  ])
    t.equal(await see(bad), 400);
  t.ok(performance.now() - beganMs < 1000);
});

t.test('proxyHeaders agrees with proxy-addr about the address', async (t) => {
  const { default: proxyAddr } = await import('proxy-addr');
  const trusted = ['10.0.0.0/8', '::1/128'];
  const address = fc.oneof(fc.ipV4(), fc.constantFrom('10.1.2.3', '10.9.9.9', '::1', '2001:db8::1'));
  await fc.assert(
    fc.asyncProperty(fc.array(address, { minLength: 1, maxLength: 6 }), address, async (list, peer) => {
      const request = { headers: { 'x-forwarded-for': list.join(', ') }, socket: { remoteAddress: peer } };
      const expected = proxyAddr(request as never, trusted);
      return String(await seen(t, { trusted }, request.headers, peer)).startsWith(`${expected} `);
    }),
  );
});

t.test('serverTiming', async (t) => {
  const work: App = async (environ) => {
    const end = timing(environ, 'db', 'find "it" é');
    await sleep(5);
    end();
    timing(environ, 'open');
    return new WsgiResponse({ content: 'x' });
  };
  const header = async (...middleware: Middleware[]) =>
    (await ask(t, stack(...middleware))).response.header('server-timing');
  t.match(
    await header(serverTiming(), work),
    /^total;dur=[\d.]+, db;dur=[\d.]+;desc="find \\"it\\" \?", open;dur=[\d.]+$/,
  );
  t.match(await header(serverTiming({ total: '' }), work), /^db;/);
  t.equal(await header(serverTiming({ allow: () => false }), work), undefined);
  t.equal(await header(work), undefined, 'timing() without the middleware does nothing');
  const many: App = (environ) => {
    for (let i = 0; i < 100_000; i++) timing(environ, 'x');
    return new WsgiResponse({ content: 'x' });
  };
  t.equal((await header(serverTiming(), many))?.split(',').length, 50);
});

t.test('health', async (t) => {
  const logger = recorder();
  let isUp = true;
  let calls = 0;
  const checks = {
    db: async () => {
      calls++;
      await sleep(5);
      if (!isUp) throw new Error('password 1234 refused');
    },
    sync: () => true,
  };
  const app = client(t, stack(health({ checks, cacheMs: 0 }), hello), { logger });
  t.same(await (await app.get('/livez')).json(), { status: 'ok' });
  const ready = await app.get('/readyz');
  t.equal(ready.status, 200);
  t.equal(ready.header('cache-control'), 'no-store');
  t.match(await ready.json(), { status: 'ok', checks: { db: { status: 'ok' }, sync: { status: 'ok' } } });
  calls = 0;
  await Promise.all(Array.from({ length: 20 }, () => app.get('/readyz')));
  t.equal(calls, 1, 'probes side by side share a run');
  isUp = false;
  const failed = await app.get('/readyz');
  t.equal(failed.status, 503);
  const text = await failed.text();
  t.match(JSON.parse(text), {
    status: 'failed',
    checks: { db: { status: 'failed' }, sync: { status: 'ok' } },
  });
  t.notMatch(text, /1234/);
  t.ok(logger.lines.some(({ message }) => message.includes('"db"')));
  t.equal((await app.get('/livez')).status, 200);
  t.equal((await app.post('/livez')).status, 405);
  t.equal((await app.head('/readyz')).status, 503);
  t.equal((await app.get('/other')).status, 200);
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`c${i}`, () => sleep(1)]));
  const warned: Error[] = [];
  const onWarning = (warning: Error) => warned.push(warning);
  process.on('warning', onWarning);
  t.equal((await ask(t, stack(health({ checks: many })), '/readyz')).response.status, 200);
  await sleep(1);
  process.off('warning', onWarning);
  t.same(warned, [], 'many checks leave no warning of leaks');

  let hung = 0;
  let aborted = 0;
  const hanging = client(
    t,
    stack(
      health({
        checks: {
          never: (signal) => {
            hung++;
            signal.addEventListener('abort', () => aborted++);
            return new Promise(() => {});
          },
        },
        timeoutMs: 20,
        cacheMs: 0,
      }),
    ),
  );
  for (let i = 0; i < 3; i++)
    t.match(await (await hanging.get('/readyz')).json(), {
      status: 'failed',
      checks: { never: { status: 'timeout' } },
    });
  t.same([hung, aborted], [1, 1], 'a check that hangs is not begun again');
});

t.test('errorPage renders by status and Accept', async (t) => {
  const pages = {
    404: {
      'text/html': ({ message }: { message: string }) => html`<h1>${message}</h1>`,
      'application/json': () => ({ lost: true }),
    },
    '5xx': { 'text/html': async () => html`<p>${Promise.resolve('<later>')}</p>` },
    409: {
      'text/plain': () => {
        throw new Error('broken page');
      },
    },
    410: { 'text/html': () => 'a <b>' },
    422: { 'text/html': () => ({}) },
    423: { 'text/html': () => html`${Promise.reject(new Error('broken part'))}` },
    default: {
      'text/plain': ({ status, reason }: { status: number; reason: string }) => `${status} ${reason}!`,
    },
  };
  const logger = recorder();
  const app = new WsgiHandler(
    [
      lint((environ) => {
        const status = Number(environ.PATH_INFO.slice(1));
        if (status > 0) throw new HttpError(status, 'say "<b>"', { headers: [['X-A', 'b']] });
        return environ.PATH_INFO === '/own' ? new WsgiResponse({ status: 404, content: 'own' }) : undefined;
      }),
    ],
    { responseMiddleware: [errorPage({ pages })] },
  );
  const get = async (target: string, accept?: string) => {
    const { response, text } = await ask(
      t,
      app,
      target,
      accept === undefined ? {} : { headers: { accept } },
      { logger },
    );
    return [response.status, response.header('content-type'), text, response.header('x-a')];
  };
  const HTML = 'text/html; charset=utf-8';
  const TEXT = 'text/plain; charset=utf-8';
  t.same(await get('/404', 'text/html'), [404, HTML, '<h1>say &quot;&lt;b&gt;&quot;</h1>', 'b']);
  t.same(await get('/404', 'application/json'), [404, 'application/json', '{"lost":true}', 'b']);
  t.match(await get('/404'), [404, HTML, /^<h1>/]);
  t.match(await get('/404', 'image/png'), [404, TEXT, 'say "<b>"\n'], 'no renderer that the client takes');
  t.match(await get('/0'), [404, HTML, /^<h1>Cannot find/], 'nothing handled it');
  t.match(await get('/own'), [404, TEXT, 'own'], "a handler's own response");
  t.same(await get('/503', 'text/html'), [503, HTML, '<p>&lt;later&gt;</p>', 'b']);
  t.same(await get('/410'), [410, HTML, 'a &lt;b&gt;', 'b']);
  t.same(await get('/418'), [418, TEXT, "418 I'm a Teapot!", 'b']);
  for (const status of [409, 422, 423])
    t.same(await get(`/${status}`), [status, TEXT, 'say "<b>"\n', 'b'], 'a renderer that fails');
  t.equal(logger.lines.filter(({ message }) => message.startsWith('errorPage')).length, 3);
  t.match(await get('/404', `${'a/b,'.repeat(10_000)}`), [404]);
});

t.test('mount keeps the paths in step', async (t) => {
  const keys = ['SCRIPT_NAME', 'PATH_INFO', 'vela.raw_path'];
  const inner: Middleware = (environ) => {
    if (environ.PATH_INFO === '/pass') return undefined;
    if (environ.PATH_INFO === '/later') return Promise.resolve(undefined);
    if (environ.PATH_INFO === '/throw') throw new HttpError(409);
    return json(Object.fromEntries(keys.map((key) => [key, environ[key]])));
  };
  const app = client(
    t,
    stack(
      mount('/shop', lint(inner)),
      mount('/a b/ü', lint(inner)),
      mount('/deep', mount('/er', lint(inner))),
      show(...keys),
    ),
  );
  const see = async (target: string) =>
    Object.values((await (await app.get(target)).json()) as object).join('|');
  t.equal(await see('/shop'), '/shop||');
  t.equal(await see('/shop/'), '/shop|/|/');
  t.equal(await see('/shop/x%2Fy?q'), '/shop|/x/y|/x%2Fy');
  t.equal(await see('/%73hop/x'), '/shop|/x|/x');
  t.equal(await see('/a%20b/%C3%BC/c'), '/a b/ü|/c|/c');
  t.equal(await see('/deep/er/x'), '/deep/er|/x|/x');
  for (const path of ['/shopping', '/', '/a%20b%2F%C3%BC', '/Shop', '/x/shop', '//shop', '/shop%2Fx'])
    t.equal(await see(path), `|${decodeURIComponent(path)}|${path}`, path);
  for (const path of ['/shop/pass', '/shop/later', '/deep/er/pass'])
    t.equal(await see(path), `|${path}|${path}`, `${path} is restored`);
  t.equal((await app.get('/shop/throw')).status, 409);
  t.equal((await app.get('/shop/%ZZ')).status, 400);
  t.equal((await app.get('/%ZZ/shop')).status, 400);

  const told: string[] = [];
  const part: Middleware = {
    handle: () => undefined,
    start: () => void told.push('start'),
    stop: () => void told.push('stop'),
    describe: () => ({ name: 'part' }),
    headers: ['accept'],
  };
  const mounted = mount('/x', part);
  t.same(mounted.headers, ['accept']);
  t.same(mounted.describe?.(), { name: 'mount', prefix: '/x', parts: [{ name: 'part' }] });
  const started = testClient(mounted);
  await started.get('/');
  await started.close();
  t.same(told, ['start', 'stop']);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('/', 'shop', '%73', '%2F', 'hop', 'x', '.', '%', '%ff')),
      async (parts) => {
        const target = `/${parts.join('')}`;
        const response = await app.get(target);
        if (response.status === 400) return true;
        const {
          SCRIPT_NAME = '',
          PATH_INFO = '',
          ...rest
        } = (await response.json()) as Record<string, string>;
        return (
          SCRIPT_NAME + PATH_INFO === decodeURIComponent(target) &&
          PATH_INFO === decodeURIComponent(rest['vela.raw_path'] as string)
        );
      },
    ),
    { numRuns: 500 },
  );
});

/** The whole stack, with everything on. */
function everything(log: Writable): App {
  return new WsgiHandler([
    health(),
    proxyHeaders({ trusted: ['loopback'] }),
    requestId({ trust: true }),
    accessLog({ format: '%(h)s "%(r)s" %(s)s %(B)s', destination: log, flushMs: 1 }),
    timeout({ timeoutMs: 1000 }),
    cors({ origins: ['https://a.example'], credentials: true }),
    secureHeaders(),
    serverTiming(),
    cleanPath(),
    bodyLimit({ limitBytes: 1000 }),
    mount('/slow', async (environ) => {
      await sleep(5000, undefined, { signal: environ['vela.signal'] }).catch(() => {});
      return new WsgiResponse({ content: 'late' });
    }),
    mount('/echo', async (environ) => {
      const body = await environ['wsgi.input'].read();
      return new WsgiResponse({ content: `${body.length} ${environ['vela.request_id']}` });
    }),
    hello,
  ]);
}

for (const gateway of GATEWAYS) {
  t.test(`all together over a socket: ${gateway}`, async (t) => {
    const { stream, lines } = sink();
    const { url, port } = await listen(t, everything(stream), gateway);
    const curl = async (...args: string[]) =>
      (await run('curl', ['-s', '-i', '--max-time', '5', ...args])).stdout;
    const page = await curl(
      '--path-as-is',
      `${url}/x?y`,
      '-H',
      'Origin: https://a.example',
      '-H',
      'X-Forwarded-For: 1.2.3.4',
      '-H',
      'X-Forwarded-Proto: https',
      '-H',
      'X-Request-Id: r1',
    );
    for (const expected of [
      /^HTTP\/1\.1 200 OK/,
      /X-Request-Id: r1/i,
      /Access-Control-Allow-Origin: https:\/\/a\.example/i,
      /Vary: Origin/i,
      /Strict-Transport-Security/i,
      /Server-Timing: total/i,
      /\r\n\r\nhello$/,
    ])
      t.match(page, expected);
    t.match(
      await curl('--path-as-is', `${url}//evil.com//a?b=//c`),
      /^HTTP\/1\.1 308[\s\S]*\r\nLocation: \/evil\.com\/a\?b=\/\/c\r\n/i,
    );
    t.match(
      await curl(
        '-X',
        'OPTIONS',
        `${url}/x`,
        '-H',
        'Origin: https://a.example',
        '-H',
        'Access-Control-Request-Method: PUT',
      ),
      /^HTTP\/1\.1 204/,
    );
    t.match(await curl(`${url}/slow`), /^HTTP\/1\.1 503/);
    t.match(await curl(`${url}/echo`, '-d', 'x'.repeat(1000), '-H', 'X-Request-Id: r2'), /1000 r2$/);
    t.match(await curl(`${url}/echo`, '-d', 'x'.repeat(1001)), /^HTTP\/1\.1 413/);
    t.match(
      await curl(`${url}/echo`, '-H', 'Transfer-Encoding: chunked', '-d', 'x'.repeat(5000)),
      /^HTTP\/1\.1 413/,
    );
    t.match(await curl(`${url}/readyz`), /^HTTP\/1\.1 200/);
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
    await sleep(50);
    socket.destroy();
    for (let i = 0; i < 100 && !lines().some((line) => line.includes('499')); i++) await sleep(10);
    t.same(
      lines().map((line) => line.replace(/ \d+$/, '')),
      [
        '1.2.3.4 "GET /x?y HTTP/1.1" 200',
        '127.0.0.1 "GET //evil.com//a?b=//c HTTP/1.1" 308',
        '127.0.0.1 "OPTIONS /x HTTP/1.1" 204',
        '127.0.0.1 "GET /slow HTTP/1.1" 503',
        '127.0.0.1 "POST /echo HTTP/1.1" 200',
        '127.0.0.1 "POST /echo HTTP/1.1" 413',
        '127.0.0.1 "POST /echo HTTP/1.1" 413',
        '127.0.0.1 "GET /slow HTTP/1.1" 499',
      ],
    );
  });

  t.test(`hostile requests get a 4xx, never a 500: ${gateway}`, async (t) => {
    const { stream, lines } = sink();
    const { port } = await listen(t, everything(stream), gateway);
    const random = (length: number) =>
      Buffer.from(fc.sample(fc.uint8Array({ minLength: length, maxLength: length }), 1)[0] as Uint8Array);
    const head = (...fields: string[]) =>
      `GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${fields.map((one) => `${one}\r\n`).join('')}\r\n`;
    const names = [
      'X-Request-Id',
      'X-Forwarded-For',
      'X-Forwarded-Proto',
      'X-Forwarded-Host',
      'X-Forwarded-Port',
      'Origin',
      'Referer',
      'User-Agent',
      'Accept',
    ];
    const requests: (string | Buffer)[] = [
      head(`Cookie: ${'a=b; '.repeat(2500)}`),
      head(`X-Forwarded-For: ${'1,'.repeat(5000)}`),
      head(`X-Forwarded-For: ${'127.0.0.1,'.repeat(1000)}`),
      'GET //%ZZ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      'GET /slow/%ff HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n',
      'OPTIONS /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nOrigin: https://a.example\r\nAccess-Control-Request-Method: \x80\r\nAccess-Control-Request-Headers: \xff,,\r\n\r\n',
      ...names.map((name) => head(`${name}: \x01`)),
      ...names.map((name) => head(`${name}: \xff\xfe"\\`)),
      ...names.flatMap((name) =>
        Array.from({ length: 5 }, () =>
          Buffer.concat([
            Buffer.from(head().slice(0, -2)),
            Buffer.from(`${name}: `),
            random(40),
            Buffer.from('\r\n\r\n'),
          ]),
        ),
      ),
    ];
    const beganMs = performance.now();
    const answers = await Promise.all(
      requests.map((request) =>
        raw(port, typeof request === 'string' ? Buffer.from(request, 'latin1') : request),
      ),
    );
    t.ok(performance.now() - beganMs < 10_000);
    for (const [index, answer] of answers.entries()) {
      const status = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1];
      if (status !== undefined && !/^(?:2..|4..|308|505)$/.test(status))
        t.fail(`${status} for ${String(requests[index]).slice(0, 200)}`);
    }
    t.match(await raw(port, head()), /^HTTP\/1\.1 200/, 'and the server goes on');
    for (const line of lines()) if (!/^[ -~]*$/.test(line)) t.fail(line);
  });

  t.test(`not ready from the moment that the server stops: ${gateway}`, async (t) => {
    const app = new WsgiHandler([
      health(),
      async () => {
        await sleep(300);
        return new WsgiResponse({ content: 'x' });
      },
    ]);
    const { server, port } = await listen(t, app, gateway);
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    const other = connect(port, '127.0.0.1');
    other.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    socket.write('GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n');
    while (!text.includes('"ok"')) await once(socket, 'data');
    t.match(text, /^HTTP\/1\.1 200/);
    text = '';
    const closing = server.close({ timeoutMs: 2000 });
    socket.write('GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n');
    // node:http closes idle connections at once, so there a probe finds nobody.
    const closed = once(socket, 'close');
    while (!text.includes('stopping') && !socket.closed) await Promise.race([once(socket, 'data'), closed]);
    t.match(text, gateway === 'node' ? /^$|^HTTP\/1\.1 503/ : /^HTTP\/1\.1 503/);
    await closing;
    socket.destroy();
    other.destroy();
  });

  t.test(`behind a middleware that waits, each reads the headers that it declares: ${gateway}`, async (t) => {
    const wait: Middleware = Object.assign(async () => void (await sleep(1)), { headers: [] });
    const origins = ['https://a.example'];
    for (const one of [
      requestId({ trust: true }),
      accessLog({ destination: sink().stream }),
      accessLog({ destination: sink().stream, format: '%({x-a}i)s %({HTTP_X_B}e)s' }),
      cors({ origins }),
      cors({ origins: '*' }),
      proxyHeaders({ trusted: ['loopback'] }),
      proxyHeaders({ trusted: ['loopback'], use: 'forwarded' }),
      secureHeaders(),
      serverTiming(),
      timeout({ timeoutMs: 1000 }),
      cleanPath(),
      bodyLimit({ limitBytes: 10 }),
      health(),
    ]) {
      const app = new WsgiHandler([wait, one, Object.assign(hello, { headers: [] })]);
      t.ok(app.headers, 'all declare theirs');
      const { url } = await listen(t, app, gateway);
      t.equal((await fetch(url, { headers: { origin: 'https://a.example' } })).status, 200);
      const preflight = { origin: 'https://a.example', 'access-control-request-method': 'GET' };
      t.ok((await fetch(url, { method: 'OPTIONS', headers: preflight })).ok);
    }
  });
}

t.test('the toolkit example', async (t) => {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const child = spawn(
    process.execPath,
    ['--import=./scripts/tsx.mjs', `${root}examples/toolkit/server.ts`, '--bind', '127.0.0.1:0'],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  t.teardown(() => child.kill('SIGKILL'));
  const lines: string[] = [];
  const output = createInterface(child.stdout);
  output.on('line', (line) => lines.push(line));
  const [ready] = await once(output, 'line', { signal: AbortSignal.timeout(30_000) });
  const origin = /http:\/\/\S+/.exec(ready as string)?.[0] ?? 'not ready';
  const get = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(origin + path, { redirect: 'manual', ...init });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  const home = await get('/', { headers: { 'x-forwarded-for': '1.2.3.4', 'x-forwarded-proto': 'https' } });
  t.equal(home.status, 200);
  const nonce = /<style nonce="([^"]+)">/.exec(home.text)?.[1];
  t.match(home.headers.get('content-security-policy'), `style-src 'nonce-${nonce}'`);
  t.match(home.headers.get('strict-transport-security'), /max-age/);
  t.match(home.headers.get('server-timing'), /^total;dur=\S+, work;dur=/);
  t.match(home.text, `<code>${home.headers.get('x-request-id')}</code> from <code>1.2.3.4</code> over https`);
  const missing = await get('/missing', { headers: { accept: 'text/html' } });
  t.equal(missing.status, 404);
  t.match(missing.text, /^<!doctype html>[\s\S]*404 Not Found/);
  t.equal((await get('//a//b')).headers.get('location'), '/a/b');
  t.equal((await get('/slow')).status, 503);
  t.match(JSON.parse((await get('/readyz')).text), { status: 'ok', checks: { loop: { status: 'ok' } } });
  const post = { method: 'POST', headers: { origin: 'https://app.example' } };
  const echoed = await get('/api/echo', { ...post, body: 'abc' });
  t.same(JSON.parse(echoed.text), { bytes: 3, mountedAt: '/api' });
  t.equal(echoed.headers.get('access-control-allow-origin'), 'https://app.example');
  t.equal((await get('/api/echo', { ...post, body: 'x'.repeat(1001) })).status, 413);
  child.kill('SIGTERM');
  await once(child, 'close');
  const logged = lines.filter((line) => / "(?:GET|POST) /.test(line));
  t.equal(logged.length, 6, 'probes are answered before the log');
  t.match(logged[0], /^1\.2\.3\.4 - - \[.*\] "GET \/ HTTP\/1\.1" 200 \d+ "-" "node"$/);
});

for (const gateway of GATEWAYS) {
  t.test(`a Host that is none is no way out of the log: ${gateway}`, async (t) => {
    const { stream, lines } = sink();
    const log = accessLog({
      destination: stream,
      format: '%(s)s "%({host}i)s" %({HTTP_HOST}e)s',
      flushMs: 1,
    });
    const { port } = await listen(t, new WsgiHandler([log, show('HTTP_HOST')]), gateway);
    const answers = [];
    for (const host of ['a b', 'a.example'])
      answers.push((await raw(port, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).slice(9, 12));
    t.strictSame(answers, ['400', '200']);
    for (let i = 0; i < 100 && lines().length < (gateway === 'uws' ? 2 : 1); i++) await sleep(5);
    t.strictSame(lines(), [...(gateway === 'uws' ? ['400 "-" -'] : []), '200 "a.example" a.example']);
  });
}

t.test('warnBlocking tells who held the loop', async (t) => {
  const hold = (ms: number) => {
    const end = performance.now() + ms;
    while (performance.now() < end);
  };
  const log = recorder();
  const heard: BlockingMessage[] = [];
  const hear = (message: unknown) => heard.push(message as BlockingMessage);
  subscribe('vela:blocking', hear);
  t.teardown(() => unsubscribe('vela:blocking', hear));
  const router = new Router()
    .get('/calls/:ms', { params: { ms: 'int' } }, ({ params }) => {
      hold(params.ms);
      return 'called';
    })
    .get('/throws', () => {
      hold(250);
      throw new HttpError(409);
    })
    .get('/later', async () => {
      // A turn of the loop, so that the timer runs.
      await new Promise((resolve) => setTimeout(resolve, 120));
      hold(450);
      await new Promise((resolve) => setTimeout(resolve, 120));
      return 'later';
    });
  const watched = lint(warnBlocking(router, { thresholdMs: 200 }));
  const one = testClient(watched, { logger: log });
  t.teardown(() => one.close());
  t.equal(await (await one.get('/calls/1')).text(), 'called');
  t.same(heard, []);
  await one.get('/calls/220');
  await one.get('/calls/230');
  t.equal((await one.get('/throws')).status, 409);
  await one.get('/later');
  t.match(
    heard.map(({ during, environs: [environ] }) => [during, environ?.['vela.route']]),
    [
      ['call', '/calls/:ms'],
      ['call', '/calls/:ms'],
      ['call', '/throws'],
      ['later', '/later'],
    ],
  );
  t.ok(heard.every(({ heldMs }) => heldMs >= 200));
  const warnings = log.lines.filter(({ level }) => level === 'warn');
  t.match(warnings, [
    {
      message: /^GET \/calls\/:ms held the loop for \d+ ms, .*offload\(\)/,
      details: { route: 'GET /calls/:ms' },
    },
    { message: /^GET \/throws held the loop/ },
    { message: /^the loop was held for \d+ ms, .* under way: GET \/later$/ },
  ]);
  t.equal(warnings.length, 3, 'a route is told of once in a while');
  t.match(watched.describe?.(), { name: 'warnBlocking', thresholdMs: 200, parts: [{ name: 'Router' }] });
  t.throws(() => warnBlocking(router, { thresholdMs: 0 }), /"thresholdMs" of warnBlocking\(\) must be/);
  t.throws(() => warnBlocking(router, { quietMs: -1 }), /"quietMs"/);
  t.throws(() => warnBlocking(router, { threshold: 1 } as never), /did you mean "thresholdMs"/);
  t.throws(() => warnBlocking(5 as never), /What warnBlocking is given/);
});
