import t from 'tap';
import {
  type App,
  createCookieSealer,
  type Environ,
  eventStream,
  requestOf,
  serve,
  WsgiHandler,
  WsgiResponse,
  waitForBody,
} from '../src/index.js';
import {
  accessLog,
  authenticate,
  compress,
  csrf,
  decodeBody,
  health,
  proxyHeaders,
  rateLimit,
  requestId,
  secureHeaders,
  serverTiming,
  session,
  timeout,
  timing,
} from '../src/middleware/index.js';
import { MediaRouter } from '../src/static/index.js';
import { ask, client, recorder, testClient } from './support/ask.js';

declare module '../src/core/contract.js' {
  interface Environ {
    'test.user'?: { name: string };
  }
}

const ok = () => new WsgiResponse({ content: 'ok' });
const FALSY = [false, null, undefined, '', 0, 0n, Number.NaN];

t.test('authenticate refuses whatever is falsy, now and later', async (t) => {
  for (const [header, scheme] of [
    ['Basic Onp6', 'basic'],
    ['Bearer abc', 'bearer'],
  ] as const) {
    for (const value of FALSY) {
      for (const verify of [() => value, async () => value]) {
        const gate = authenticate({ scheme, verify });
        const { response } = await ask(t, new WsgiHandler([gate, ok]), '/', {
          headers: { Authorization: header },
        });
        t.equal(response.status, 401, `${scheme} ${String(value)}`);
      }
    }
    const gate = authenticate({ scheme, verify: () => ({ name: '' }) });
    const { response } = await ask(t, new WsgiHandler([gate, ok]), '/', {
      headers: { Authorization: header },
    });
    t.equal(response.status, 200);
  }
});

t.test('a body that a handler took from wsgi.input is not blamed on the client', async (t) => {
  const takers: Record<string, (environ: Environ) => unknown> = {
    read: (environ) => environ['wsgi.input'].read(),
    'some of it': (environ) => environ['wsgi.input'].read(1),
    readline: (environ) => environ['wsgi.input'].readline(),
    iteration: async (environ) => {
      for await (const chunk of environ['wsgi.input']) if (chunk.length > 0) break;
    },
    readSync: async (environ) => {
      await environ['wsgi.input'].load();
      environ['wsgi.input'].readSync();
    },
  };
  const type = { 'Content-Type': 'application/json' };
  for (const [name, take] of Object.entries(takers)) {
    const logger = recorder();
    const app = new WsgiHandler([
      async (environ) => {
        await take(environ);
        await requestOf(environ).json();
        return ok();
      },
    ]);
    const { response } = await ask(t, app, '/', { body: '{"a":1}', headers: type }, { logger });
    t.equal(response.status, 500, name);
    t.match(
      JSON.stringify(logger.lines.map(({ details }) => (details.err as { code: string }).code)),
      'ERR_BODY_READ',
    );
  }
  const kept = new WsgiHandler([
    async (environ) => {
      await requestOf(environ).bytes();
      await environ['wsgi.input'].read();
      t.equal((await environ['wsgi.input'].read()).length, 0, 'as files do');
      return new WsgiResponse({ content: JSON.stringify(await requestOf(environ).json()) });
    },
  ]);
  t.equal((await ask(t, kept, '/', { body: '{"a":1}', headers: type })).text, '{"a":1}');
  const empty: App = async (environ) => {
    await environ['wsgi.input'].read();
    await requestOf(environ).json();
    return ok();
  };
  t.equal((await ask(t, empty, '/', { body: '', headers: type })).response.status, 400, 'no body at all');
  const parts = { body: '--b\r\n', headers: { 'Content-Type': 'multipart/form-data; boundary=b' } };
  const upload: App = async (environ) => {
    await environ['wsgi.input'].read();
    for await (const _part of requestOf(environ).multipart());
    return ok();
  };
  t.equal((await ask(t, upload, '/', parts)).response.status, 500);
});

t.test('options and texts', async (t) => {
  for (const format of ['dev', ':method :url', '%%', '%%(h)s'])
    t.throws(
      () => accessLog({ format }),
      { name: 'TypeError', message: /'common', 'combined', 'json'.*%\(X\)s/ },
      format,
    );
  t.doesNotThrow(() => accessLog({ format: '%(p)s' }));
  const small = { maxBodyBytes: 10 };
  await t.rejects(testClient(new WsgiHandler([waitForBody({ limitBytes: 11 }), ok]), small).get('/'), {
    code: 'ERR_CONFIG_INVALID',
    message: /waitForBody\(\) must not be above/,
  });
  t.equal((await ask(t, new WsgiHandler([waitForBody(), ok]), '/', {}, small)).response.status, 200);
  t.throws(
    () => health({ checks: [] as never }),
    /Option "checks" of health\(\) must be an object, \{ name: /,
  );
  await t.rejects(new MediaRouter({ root: '/nowhere/at/all' }).start(), {
    message: /cannot use its root \/nowhere\/at\/all: ENOENT/,
  });
  const wrong: [Parameters<WsgiResponse['setCookie']>, RegExp][] = [
    [['a b', 'v'], /setCookie takes a name such as 'sid'.*received "a b"/],
    [
      ['a', 'v', { sameSite: 'foo' as never }],
      /"sameSite" of the cookie "a" must be 'strict'.*received "foo"/,
    ],
    [
      ['a', 'v', { maxAgeSeconds: 1.5 }],
      /"maxAgeSeconds" of the cookie "a" must be a whole number of seconds/,
    ],
    [['a', 'v', { expires: new Date(Number.NaN) }], /"expires".* a valid Date/],
    [['a', 'v', { domain: 'http://x' }], /"domain".*received "http:\/\/x"/],
    [['a', 'v', { path: '/;' }], /"path".*received "\/;"/],
  ];
  for (const [args, message] of wrong)
    t.throws(() => ok().setCookie(...args), { name: 'TypeError', message });
  t.throws(
    () => csrf({ tokens: { keys: [undefined as never] } }),
    /received undefined: is the environment variable set/,
  );
  const decoded: App = (environ) => [environ['wsgi.input'].readSync()];
  const logger = recorder();
  const stack = new WsgiHandler([waitForBody(), decodeBody(), decoded]);
  await ask(t, stack, '/', { body: 'x', headers: { 'Content-Encoding': 'gzip' } }, { logger });
  t.match(String(logger.lines[0]?.details.err), 'behind decodeBody()');
  const keys = ['k'.repeat(32)];
  const tokens = (readToken?: () => undefined) =>
    csrf({ tokens: readToken ? { keys, readToken } : { keys } });
  const post = { method: 'POST' };
  t.match(
    (await ask(t, tokens(), '/', post)).text,
    /in X-CSRF-Token: a form without script needs .*readToken/,
  );
  t.match(
    (
      await ask(
        t,
        tokens(() => undefined),
        '/',
        post,
      )
    ).text,
    /nor where readToken/,
  );
});

t.test('an option that is a question must be answered at once', async (t) => {
  const late = (async () => {
    throw new Error('too late');
  }) as unknown as () => boolean;
  const sink = { write: () => true, on() {}, off() {} };
  for (const [name, one] of Object.entries({
    accessLog: accessLog({ skip: late, destination: sink }),
    csrf: csrf({ skip: late }),
    rateLimit: rateLimit({ limit: 5, skip: late }),
    requestId: requestId({ trust: late }),
    serverTiming: serverTiming({ allow: late }),
    'rateLimit ': rateLimit({ limit: 5, key: late as never }),
    ' rateLimit': rateLimit({ limit: 5, cost: late as never }),
    ' requestId': requestId({ generate: late as never }),
  })) {
    const logger = recorder();
    const { response } = await ask(t, new WsgiHandler([one, ok]), '/', { method: 'POST' }, { logger });
    t.equal(response.status, 500, name);
    t.match(logger.lines[0]?.message, `of ${name.trim()}() must answer at once; it gave a promise`);
  }
});

t.test('a scope may be looked up, and all but true refuses', async (t) => {
  for (const [hasScope, status] of [
    [async () => true, 200],
    [() => true, 200],
    [async () => false, 403],
    [() => 'yes' as never, 403],
    [() => Promise.reject(new Error('down')), 500],
  ] as const) {
    const gate = authenticate({ scheme: 'bearer', scope: 'x', verify: () => ({ n: 1 }), hasScope });
    const headers = { authorization: 'Bearer abc' };
    t.equal((await ask(t, new WsgiHandler([gate, ok]), '/', { headers })).response.status, status);
  }
  const rejects = (async () => {
    throw new Error('too late');
  }) as unknown as () => boolean;
  const app = new WsgiHandler([ok], { responseMiddleware: [compress({ skip: rejects })] });
  t.equal((await ask(t, app, '/', { headers: { 'accept-encoding': 'br' } })).response.status, 500);
});

t.test('what proxyHeaders refuses has an id, a line and safe headers; what it finds is logged', async (t) => {
  for (const format of ['%(h)s %({Host}i)s %({REMOTE_PORT}e)s %(s)s', 'json']) {
    const logger = recorder();
    const app = new WsgiHandler([
      requestId(),
      accessLog({ format, destination: 'logger' }),
      secureHeaders({ contentSecurityPolicy: { directives: { 'script-src': ["'nonce'"] } } }),
      proxyHeaders({ trusted: ['loopback'] }),
      waitForBody(),
      (environ) => new WsgiResponse({ content: String(environ['vela.csp_nonce']) }),
    ]);
    const web = client(t, app, { logger });
    const headers = {
      'X-Forwarded-For': '192.0.2.7',
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Host': 'site.example',
    };
    const good = await web.get('/', { headers });
    t.match(good.header('strict-transport-security'), 'max-age');
    t.match(good.header('content-security-policy'), `'nonce-${await good.text()}'`);
    t.match(good.header('content-security-policy'), 'upgrade-insecure-requests');
    const bad = await web.get('/', { headers: { 'X-Forwarded-For': 'junk' } });
    t.equal(bad.status, 400);
    t.ok(bad.header('x-request-id'));
    t.equal(bad.header('x-content-type-options'), 'nosniff');
    t.equal(bad.header('strict-transport-security'), undefined);
    const lines = logger.lines.filter(({ level }) => level === 'info');
    if (format === 'json')
      t.match(
        lines.map(({ details }) => details.remoteAddress),
        ['192.0.2.7', '127.0.0.1'],
      );
    else
      t.strictSame(
        lines.map(({ message }) => message),
        ['192.0.2.7 site.example - 200', '127.0.0.1 testserver - 400'],
      );
  }
});

t.test('vela.stopping aborts when the server begins to stop', { timeout: 20_000 }, async (t) => {
  const warned: Error[] = [];
  const warn = (warning: Error) => warned.push(warning);
  process.on('warning', warn);
  for (const gateway of ['uws', 'node'] as const) {
    const seen = new Set<AbortSignal>();
    const app: App = (environ, startResponse) => {
      const { 'vela.stopping': stopping, 'vela.signal': signal } = environ;
      seen.add(stopping);
      startResponse('200 OK', []);
      return (async function* () {
        yield 'begun\n';
        await new Promise((resolve) => stopping.addEventListener('abort', resolve, { once: true }));
        yield `aborted ${signal.aborted}\n`;
      })();
    };
    const server = await serve(app, {
      bind: '127.0.0.1:0',
      gateway,
      logLevel: 'silent',
      gracefulTimeoutMs: 15_000,
    });
    const responses = await Promise.all(Array.from({ length: 15 }, () => fetch(server.url)));
    const begun = performance.now();
    await server.close();
    t.ok(performance.now() - begun < 5000, `${gateway} waits for nobody`);
    for (const response of responses) t.equal(await response.text(), 'begun\naborted false\n');
    t.equal(seen.size, 1);
  }
  process.off('warning', warn);
  t.strictSame(warned, []);
  let stopping: AbortSignal | undefined;
  const web = testClient(((environ: Environ) => {
    stopping = environ['vela.stopping'];
    environ['test.user'] = { name: 'ann' };
    timing(environ, 'db')();
    return new WsgiResponse({ content: environ['test.user'].name });
  }) as App);
  t.equal(await (await web.get('/')).text(), 'ann');
  t.equal(stopping?.aborted, false);
  await web.close();
  t.equal(stopping?.aborted, true);
});

t.test('durations that no timer waits, and that no client can read, are refused', async (t) => {
  const passwords = ['k'.repeat(32)];
  const cookie = (options: Parameters<WsgiResponse['setCookie']>[2]) => ok().setCookie('a', 'v', options);
  async function* events() {
    yield 'one';
  }
  const DAY_MS = 86_400_000;
  const sealer = createCookieSealer({ passwords, ttlMs: 30 * 365 * DAY_MS });
  t.equal(await sealer.unseal('a', await sealer.seal('a', 'kept')), 'kept');
  for (const ttlMs of [1e21, 2 ** 31 * 1000, Number.POSITIVE_INFINITY]) {
    const message = /"ttlMs" must be a number of ms above 0, up to 2147483647000 \(68 years\); received/;
    t.throws(() => createCookieSealer({ passwords, ttlMs }), { name: 'TypeError', message });
    await t.rejects(sealer.seal('a', 'v', ttlMs), { name: 'TypeError', message });
  }
  const refused: [string, () => unknown, RegExp][] = [
    [
      'idle',
      () => session({ passwords, idleTimeoutMs: 1e21 }),
      /"idleTimeoutMs".* from 1000 to 2147483647000/,
    ],
    ['absolute', () => session({ passwords, absoluteTimeoutMs: 1e21 }), /"absoluteTimeoutMs".*\(68 years\)/],
    ['heartbeat', () => eventStream(events(), { heartbeatMs: 2 ** 31 }), /"heartbeatMs".* up to 2147483647;/],
    ['store', () => rateLimit({ limit: 1, storeTimeoutMs: 2 ** 31 }), /"storeTimeoutMs".* to 2147483647;/],
    ['window', () => rateLimit({ limit: 1, windowMs: 2 ** 31 * 1000 }), /"windowMs".* to 2147483647000;/],
    ['limit', () => rateLimit({ limit: 1e15 }), /"limit" must be a whole number from 1 to 999999999999999;/],
    ['timeout', () => timeout({ timeoutMs: 2 ** 31 }), /"timeoutMs".* up to 2147483647;/],
    ['health', () => health({ timeoutMs: 2 ** 31 }), /"timeoutMs".* up to 2147483647;/],
    ['access log', () => accessLog({ flushMs: 2 ** 31 }), /"flushMs".* up to 2147483647;/],
    [
      'max-age',
      () => cookie({ maxAgeSeconds: 1e21 }),
      /"maxAgeSeconds".* at the most 2147483647 \(68 years\)/,
    ],
    ['min-age', () => cookie({ maxAgeSeconds: -1e21 }), /"maxAgeSeconds"/],
    ['expires', () => cookie({ expires: new Date(8.64e15) }), /"expires".* of the years 1601 to 9999;/],
    ['expired', () => cookie({ expires: new Date(-8.64e15) }), /"expires"/],
  ];
  for (const [name, make, message] of refused) t.throws(make, { name: 'TypeError', message }, name);
  for (const take of [
    () => session({ passwords, idleTimeoutMs: 2_147_483_647_000, absoluteTimeoutMs: 2_147_483_647_000 }),
    () => eventStream(events(), { heartbeatMs: 2_147_483_647 }),
    () => rateLimit({ limit: 999_999_999_999_999, storeTimeoutMs: 2_147_483_647 }),
    () => cookie({ maxAgeSeconds: 2_147_483_647, expires: new Date(Date.UTC(9999, 11, 31)) }),
  ])
    t.doesNotThrow(take);
});
