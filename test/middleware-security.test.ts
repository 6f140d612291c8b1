import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import {
  type App,
  createCookieSealer,
  createCookieSigner,
  type Environ,
  equalText,
  eventStream,
  HttpError,
  html,
  json,
  lint,
  type Middleware,
  type MiddlewareFunction,
  parseAuthorization,
  type ServerOptions,
  serve,
  WsgiHandler,
  type WsgiHandlerOptions,
  WsgiResponse,
} from '../src/index.js';
import {
  authenticate,
  authorization,
  authorizationOf,
  type CsrfOptions,
  compress,
  createMemoryRateLimitStore,
  createMemoryStore,
  csrf,
  csrfTokenOf,
  type DigestOptions,
  type RateLimitOptions,
  rateLimit,
  type SessionOptions,
  type SessionStore,
  session,
  sessionOf,
} from '../src/middleware/index.js';
import { testClient } from '../src/testing/index.js';

const run = promisify(execFile);
const KEY = 'k'.repeat(32);
const OTHER_KEY = 'o'.repeat(32);
const GATEWAYS = ['uws', 'node'] as const;
const ok: App = () => new WsgiResponse({ content: 'ok' });

/** Linted middleware before an application. */
function stack(middleware: Middleware | Middleware[], app: App = ok, options: WsgiHandlerOptions = {}): App {
  const list = Array.isArray(middleware) ? middleware : [middleware];
  return new WsgiHandler([...list.map((one) => lint(one as App)), lint(app)], options);
}

/** Serves an application on a port of its own while `use` runs. */
async function serving(
  app: App,
  gateway: 'uws' | 'node',
  use: (url: string, port: number) => Promise<void>,
  options: ServerOptions = {},
): Promise<void> {
  const server = await serve(app, { bind: '127.0.0.1:0', gateway, logLevel: 'silent', ...options });
  try {
    await use(server.url, (server.address as { port: number }).port);
  } finally {
    await server.close();
  }
}

async function curl(...args: string[]): Promise<string> {
  return (await run('curl', ['-s', '--max-time', '10', ...args], { encoding: 'latin1' })).stdout;
}

/** Bytes of a raw request, answered: the status line's code, or 0 for a closed connection. */
async function rawStatus(port: number, head: string): Promise<number> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(Buffer.from(head, 'latin1'));
  let text = '';
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1');
  });
  const timer = setTimeout(() => socket.destroy(), 5000);
  await once(socket, 'close').catch(() => {});
  clearTimeout(timer);
  return Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0);
}

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
/** Any text that a header can carry, byte by byte. */
const headerText = fc.string({
  unit: fc
    .integer({ min: 0x20, max: 0xff })
    .filter((code) => code !== 0x7f)
    .map((code) => String.fromCharCode(code)),
  maxLength: 200,
});

// Signed and sealed cookies.

t.test('signed cookies: what was signed comes back, anything else does not', async (t) => {
  const signer = createCookieSigner({ keys: [KEY] });
  t.equal(signer.verify('a', signer.sign('a', 'x.y.z')), 'x.y.z');
  t.equal(signer.verify('b', signer.sign('a', 'x')), undefined, 'a value counts under its own name only');
  t.not(signer.sign('a', 'b=c'), signer.sign('a=b', 'c'));
  for (const junk of [undefined, '', '.', 'x', 'x.', '.x', `x.${'A'.repeat(43)}`, 'x'.repeat(100_000)])
    t.equal(signer.verify('a', junk), undefined);
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.nat(), (name, value, at) => {
      const signed = signer.sign(name, value);
      if (signer.verify(name, signed) !== value) return false;
      const place = at % signed.length;
      const changed = `${signed.slice(0, place)}${signed[place] === 'A' ? 'B' : 'A'}${signed.slice(place + 1)}`;
      return signer.verify(name, changed) === undefined;
    }),
  );
  const rotated = createCookieSigner({ keys: [OTHER_KEY, KEY] });
  t.equal(rotated.verify('a', signer.sign('a', 'old')), 'old', 'all keys verify');
  t.equal(signer.verify('a', rotated.sign('a', 'new')), undefined, 'the first signs');
  t.throws(() => signer.sign('a', '\ud800'), TypeError);
  t.throws(() => signer.sign('a', 5 as never), TypeError);
  for (const keys of [[], KEY, ['short'], [KEY, KEY], [5], undefined, [Buffer.alloc(31)]])
    t.throws(() => createCookieSigner({ keys } as never), TypeError);
  const leak = (() => {
    try {
      return createCookieSigner({ keys: ['secret-but-short'] });
    } catch (error) {
      return (error as Error).message;
    }
  })();
  t.notMatch(leak, 'secret-but-short', 'the message tells no secret');
  t.throws(() => createCookieSigner({ keys: [KEY], key: KEY } as never), TypeError);
});

t.test('sealed cookies: what was sealed comes back, anything else does not', async (t) => {
  const sealer = createCookieSealer({ passwords: [KEY], ttlMs: 60_000 });
  const sealed = await sealer.seal('a', { b: [1, 'ü', null] });
  t.match(sealed, /^[\w.*-]+$/, 'it fits a cookie as it is');
  t.same(await sealer.unseal('a', sealed), { b: [1, 'ü', null] });
  t.equal(await sealer.unseal('b', sealed), undefined, 'a value counts under its own name only');
  const parts = sealed.split('*');
  for (let i = 0; i < 8; i++) {
    if (i === 6) continue; // the salt of a key that is used without one
    const changed = parts.map((part, at) =>
      at === i ? `${part.slice(0, -1)}${part.endsWith('A') ? 'B' : 'A'}x` : part,
    );
    t.equal(await sealer.unseal('a', changed.join('*')), undefined, `part ${i}`);
  }
  for (const junk of [
    undefined,
    '',
    '*',
    '*'.repeat(7),
    'Fe26.2*__proto__*a*b*c**d*e',
    'Fe26.2*constructor*a*b*c**d*e',
    'x'.repeat(100_000),
  ])
    t.equal(await sealer.unseal('a', junk), undefined);
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), async (value) => {
      const plain = JSON.parse(JSON.stringify(value)) as unknown;
      t.same(await sealer.unseal('n', await sealer.seal('n', plain)), plain);
    }),
    { numRuns: 30 },
  );
  const rotated = createCookieSealer({ passwords: [OTHER_KEY, KEY], ttlMs: 60_000 });
  t.same(await rotated.unseal('a', sealed), { b: [1, 'ü', null] }, 'all passwords unseal');
  t.equal(await sealer.unseal('a', await rotated.seal('a', 1)), undefined, 'the first seals');
  const first = (await sealer.unseal('a', sealed)) as { b: unknown[] };
  first.b.push('changed');
  t.same(await sealer.unseal('a', sealed), { b: [1, 'ü', null] }, 'each has a value of its own');
  const seen = await sealer.seal('a', 1, 50);
  t.equal(await sealer.unseal('a', seen), 1);
  const many = await Promise.all(Array.from({ length: 1100 }, (_, i) => sealer.seal('n', i)));
  for (const [i, one] of [...many.entries(), ...many.entries()]) {
    if ((await sealer.unseal('n', one)) !== i) t.fail(`value ${i} of 1,100`);
  }
  t.equal(await sealer.unseal('a', seen), undefined, 'too old, though it was unsealed before');
  const short = await sealer.seal('a', 1, 20);
  await sleep(30);
  t.equal(await sealer.unseal('a', short), undefined, 'too old');
  for (const value of [undefined, () => 1, Number.NaN, new Date(), { a: 1n }])
    await t.rejects(sealer.seal('a', value), TypeError);
  for (const options of [
    { passwords: [KEY] },
    { passwords: [KEY], ttlMs: 0 },
    { passwords: ['short'], ttlMs: 1 },
    { passwords: [KEY], ttlMs: 1, ttl: 1 },
  ])
    t.throws(() => createCookieSealer(options as never), TypeError);
});

t.test('equalText', async (t) => {
  t.ok(equalText('ä', 'ä'));
  t.notOk(equalText('a', 'b'));
  t.notOk(equalText('a', 'aa'));
});

// Authorization.

t.test('parseAuthorization reads Basic, Bearer and Digest, and nothing else', async (t) => {
  const cases: [string | undefined, unknown][] = [
    [basic('ann:a:b'), { scheme: 'basic', username: 'ann', password: 'a:b' }],
    [basic('jürgen:pässe'), { scheme: 'basic', username: 'jürgen', password: 'pässe' }],
    [basic(':'), { scheme: 'basic', username: '', password: '' }],
    [`bAsIc   ${Buffer.from('a:b').toString('base64')}`, { scheme: 'basic', username: 'a', password: 'b' }],
    [basic('no colon'), undefined],
    [basic('a:b\n'), undefined],
    [`Basic ${Buffer.from([0x61, 0x3a, 0xff]).toString('base64')}`, undefined],
    ['Basic a:b', undefined],
    ['Basic', undefined],
    ['Basic ', undefined],
    ['', undefined],
    [undefined, undefined],
    ['Bearer abc.def_~+/-==', { scheme: 'bearer', token: 'abc.def_~+/-==' }],
    ['Bearer a b', undefined],
    ['Bearer a,b', undefined],
    ['Negotiate abc', undefined],
    ['Digest ', undefined],
    ['Digest username="a"', undefined],
    ['Digest username="a", username="b", realm="r", nonce="n", uri="/", response="x"', undefined],
    ['Digest username="a" realm="r", nonce="n", uri="/", response="x"', undefined],
    ['Digest username="a, realm="r", nonce="n", uri="/", response="x"', undefined],
    ['Digest username="a", realm="r", nonce="n", uri="/", response="x", nc=1', undefined],
  ];
  for (const [header, expected] of cases) t.same(parseAuthorization(header), expected, String(header));
  t.match(
    parseAuthorization(
      'Digest username="a\\"b",realm="r" , nonce=n, uri="/x,y=\\\\", response="00", qop=auth, nc=0000000A, cnonce="", extra="y"',
    ),
    {
      scheme: 'digest',
      username: 'a"b',
      uri: '/x,y=\\',
      nc: '0000000A',
      cnonce: '',
      algorithm: 'MD5',
      qop: 'auth',
    },
  );
  t.match(
    parseAuthorization(`Digest username*=UTF-8''J%C3%A4s, realm="r", nonce="n", uri="/", response="x"`),
    { username: 'Jäs' },
  );
  t.equal(
    parseAuthorization(`Digest username*=UTF-8''%ff, realm="r", nonce="n", uri="/", response="x"`),
    undefined,
  );
  fc.assert(
    fc.property(fc.constantFrom('Basic ', 'Digest ', 'Bearer ', ''), headerText, (scheme, text) => {
      parseAuthorization(scheme + text);
      return true;
    }),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }).filter((name) => !/[:\p{Cc}]/u.test(name)),
      fc.string({ unit: 'grapheme' }).filter((word) => !/\p{Cc}/u.test(word)),
      (username, password) => {
        t.same(parseAuthorization(basic(`${username}:${password}`)), { scheme: 'basic', username, password });
      },
    ),
  );
  const began = performance.now();
  parseAuthorization(`Digest ${'a="b\\",'.repeat(20_000)}`);
  parseAuthorization(`Digest ${' ,'.repeat(50_000)}`);
  parseAuthorization(`Digest a=${'"\\'.repeat(50_000)}`);
  t.ok(performance.now() - began < 500, 'hostile lists take no time');
});

t.test("authorization() keeps what it read in environ['http.authorization']", async (t) => {
  const client = testClient(
    stack(authorization(), (environ) =>
      json([environ['http.authorization'] ?? null, authorizationOf(environ) ?? null]),
    ),
  );
  const seen = async (value: string) =>
    JSON.parse(await (await client.get('/', { headers: { authorization: value } })).text()) as unknown;
  const ann = { scheme: 'basic', username: 'ann', password: 'x' };
  t.same(await seen(basic('ann:x')), [ann, ann]);
  t.same(await seen('Basic junk'), [null, null]);
  await client.close();
});

t.test('Basic: 401 until verify knows them', async (t) => {
  const gate = authenticate({
    scheme: 'basic',
    realm: 'a "b"',
    verify: async (name, password) => name === 'jürgen' && equalText(password, 'a:ß'),
  });
  const client = testClient(stack(gate, (environ) => json(environ['vela.user'])));
  const none = await client.get('/');
  t.equal(none.status, 401);
  t.equal(none.header('www-authenticate'), 'Basic realm="a \\"b\\"", charset="UTF-8"');
  for (const value of [basic('jürgen:b'), basic('x:a:ß'), 'Basic ~', 'Bearer x', 'Basic', '='])
    t.equal((await client.get('/', { headers: { authorization: value } })).status, 401, value);
  const good = await client.get('/', { headers: { authorization: basic('jürgen:a:ß') } });
  t.equal(await good.text(), '"jürgen"');
  await client.close();

  const busy = testClient(
    stack(
      authenticate({
        scheme: 'basic',
        verify: () => {
          throw new HttpError(503);
        },
      }),
    ),
  );
  t.equal(
    (await busy.get('/', { headers: { authorization: basic('a:b') } })).status,
    503,
    'what verify throws is told',
  );
  await busy.close();
});

t.test('Bearer: the errors of RFC 6750', async (t) => {
  const gate = authenticate({
    scheme: 'bearer',
    realm: 'api',
    scope: 'read write',
    verify: (token) => (token === 'good' || token === 'weak' ? { token } : undefined),
    hasScope: (user) => (user as { token: string }).token === 'good',
  });
  const client = testClient(stack(gate, (environ) => json(environ['vela.user'])));
  const ask = async (value?: string) => {
    const response = await client.get('/', value === undefined ? {} : { headers: { authorization: value } });
    return [response.status, response.header('www-authenticate')];
  };
  const base = 'Bearer realm="api", scope="read write"';
  t.same(await ask(), [401, base]);
  t.same(await ask(basic('a:b')), [401, base]);
  t.same(await ask('Bearer bad'), [401, `${base}, error="invalid_token"`]);
  t.same(await ask('Bearer a b'), [400, `${base}, error="invalid_request"`]);
  t.same(await ask('Bearer'), [400, `${base}, error="invalid_request"`]);
  t.same(await ask('Bearer weak'), [403, `${base}, error="insufficient_scope"`]);
  t.same(await ask('bearer good'), [200, undefined]);
  await client.close();
});

t.test('authenticate checks its options', async (t) => {
  const verify = () => true;
  for (const options of [
    undefined,
    {},
    { scheme: 'ntlm', verify },
    { scheme: 'basic' },
    { scheme: 'basic', verify, realm: 'ü' },
    { scheme: 'basic', verify, realm: 'a\r\nb' },
    { scheme: 'basic', verify, scope: 'a' },
    { scheme: 'bearer', verify, scope: 'é' },
    { scheme: 'bearer', verify, hasScope: true },
    { scheme: 'digest', verify, algorithms: [] },
    { scheme: 'digest', verify, algorithms: ['SHA-1'] },
    { scheme: 'digest', verify, algorithms: ['toString'] },
    { scheme: 'digest', verify, nonceLifetimeMs: 0 },
    { scheme: 'digest', verify, maxNonces: 1.5 },
    { scheme: 'digest', verify, nonceKey: 'short' },
    { scheme: 'digest', verify, qop: 'auth-int' },
  ])
    t.throws(() => authenticate(options as never), TypeError, JSON.stringify(options));
});

// Digest.

const digestGate = (options: Partial<DigestOptions> = {}) =>
  authenticate({
    scheme: 'digest',
    realm: 'vault',
    verify: (name) => (name === 'Mufasa' ? { password: 'Circle of Life' } : undefined),
    ...options,
  });

/** A client of Digest by hand. */
class DigestClient {
  nonce = '';
  opaque = '';
  count = 0;

  learn(challenge: string | undefined): this {
    this.nonce = /nonce="([^"]*)"/.exec(challenge ?? '')?.[1] ?? '';
    this.opaque = /opaque="([^"]*)"/.exec(challenge ?? '')?.[1] ?? '';
    this.count = 0;
    return this;
  }

  async header(
    uri: string,
    change: Record<string, string> = {},
    password = 'Circle of Life',
  ): Promise<string> {
    const hash = (text: string) => createHash('sha256').update(text).digest('hex');
    this.count++;
    const given = {
      username: 'Mufasa',
      realm: 'vault',
      nonce: this.nonce,
      uri,
      nc: this.count.toString(16).padStart(8, '0'),
      cnonce: 'abc',
      qop: 'auth',
      opaque: this.opaque,
      algorithm: 'SHA-256',
      ...change,
    };
    const ha1 = hash(`${given.username}:vault:${password}`);
    const response = hash(
      `${ha1}:${given.nonce}:${given.nc}:${given.cnonce}:auth:${hash(`GET:${given.uri}`)}`,
    );
    const all: Record<string, string> = {
      ...given,
      response,
      ...(change.response === undefined ? {} : { response: change.response }),
    };
    return `Digest ${Object.entries(all)
      .map(([name, value]) => `${name}="${value}"`)
      .join(', ')}`;
  }
}

t.test('Digest: nonces, counts and targets', async (t) => {
  const client = testClient(stack(digestGate(), (environ) => json(environ['vela.user'])));
  const get = async (value: string, target = '/a?b=c') => {
    const response = await client.get(target, { headers: { authorization: value } });
    const challenge = response.header('www-authenticate');
    return [response.status, challenge?.includes('stale=true') ?? false, challenge] as const;
  };
  const first = await client.get('/a?b=c');
  t.match(
    first.header('www-authenticate'),
    /^Digest realm="vault", qop="auth", algorithm=SHA-256, nonce="[^"]+", opaque="[^"]+", charset=UTF-8$/,
  );
  const user = new DigestClient().learn(first.header('www-authenticate'));
  const header = await user.header('/a?b=c');
  t.match(await get(header), [200]);
  t.match(await get(header), [401, true], 'a replay');
  t.match(await get(await user.header('/a?b=c')), [200], 'the next count');
  user.count = 10;
  t.match(await get(await user.header('/a?b=c')), [200], 'a later one');
  user.count = 4;
  t.match(await get(await user.header('/a?b=c')), [200], 'one that was overtaken');
  user.count = 4;
  t.match(await get(await user.header('/a?b=c')), [401, true], 'and its replay');
  user.count = 60;
  t.match(await get(await user.header('/a?b=c')), [200]);
  user.count = 20;
  t.match(await get(await user.header('/a?b=c')), [401, true], 'too far behind');
  user.count = 100;
  t.match(await get(await user.header('/other')), [400], 'another target');
  t.match(await get(await user.header('/a?b=c', {}, 'wrong')), [401, false], 'wrong password');
  t.match(await get(await user.header('/a?b=c', { username: 'Scar' })), [401, false], 'unknown user');
  for (const change of [
    { algorithm: 'MD5' },
    { algorithm: 'SHA-256-sess' },
    { qop: 'auth-int' },
    { realm: 'other' },
    { opaque: 'other' },
    { userhash: 'true' },
    { response: '' },
    { response: 'x'.repeat(10_000) },
  ])
    t.match(
      await get(await user.header('/a?b=c', change as Record<string, string>)),
      [401, false],
      JSON.stringify(change),
    );
  const last = user.nonce.at(-1) as string;
  for (const other of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
    if (other !== last)
      t.match(
        await get(await user.header('/a?b=c', { nonce: user.nonce.slice(0, -1) + other })),
        [401, true],
        `another spelling: ${other}`,
      );
  for (const nonce of ['', 'x', 'zzzzzzzzzzz.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA', `${user.nonce}x`])
    t.match(await get(await user.header('/a?b=c', { nonce })), [401, true], `nonce ${nonce}`);
  t.match(await get(await user.header('/a?b=c', { nc: '00000000' })), [401, true], 'counts begin with 1');
  t.match(await get(await user.header('/a?b=c', { nc: 'ffffffff' })), [200]);
  await client.close();
});

t.test('Digest: nonces grow old, and the table of the used ones is bounded', async (t) => {
  const brief = testClient(stack(digestGate({ nonceLifetimeMs: 20 })));
  const user = new DigestClient().learn((await brief.get('/')).header('www-authenticate'));
  await sleep(40);
  const response = await brief.get('/', { headers: { authorization: await user.header('/') } });
  t.match(response.header('www-authenticate'), /stale=true/);
  await brief.close();

  const small = testClient(stack(digestGate({ maxNonces: 2 })));
  const login = async () => {
    const one = new DigestClient().learn((await small.get('/')).header('www-authenticate'));
    const header = await one.header('/');
    t.equal((await small.get('/', { headers: { authorization: header } })).status, 200);
    await sleep(2);
    return { one, header };
  };
  const { one, header } = await login();
  await login();
  await login();
  t.equal(
    (await small.get('/', { headers: { authorization: header } })).status,
    401,
    'no replay of a forgotten nonce',
  );
  t.equal(
    (await small.get('/', { headers: { authorization: await one.header('/') } })).status,
    401,
    'it is stale',
  );
  await login();
  await small.close();
});

t.test('Digest: hashes in place of passwords, and what verify gives', async (t) => {
  const ha1 = { 'SHA-256': createHash('sha256').update('Mufasa:vault:Circle of Life').digest('hex') };
  const ask = async (verify: DigestOptions['verify']) => {
    const client = testClient(stack(digestGate({ verify }), (environ) => json(environ['vela.user'])));
    const user = new DigestClient().learn((await client.get('/')).header('www-authenticate'));
    const response = await client.get('/', { headers: { authorization: await user.header('/') } });
    const text = await response.text();
    await client.close();
    return response.status === 200 ? text : response.status;
  };
  t.equal(await ask(() => ({ ha1, user: { id: 1 } })), '{"id":1}');
  t.equal(await ask(async () => ({ ha1: { 'SHA-256': ha1['SHA-256'].toUpperCase() } })), '"Mufasa"');
  t.equal(await ask(() => null), 401);
  t.equal(await ask(() => ({})), 500, 'a mistake of the program');
});

for (const gateway of GATEWAYS) {
  t.test(`curl and python log in: ${gateway}`, async (t) => {
    const users: Record<string, string> = { Mufasa: 'Circle of Life', 'jürgen "q"': 'pässe:x' };
    const byDigest = digestGate({
      algorithms: ['SHA-256', 'MD5'],
      verify: (name) => (users[name] === undefined ? undefined : { password: users[name] }),
    });
    const byBasic = authenticate({
      scheme: 'basic',
      realm: 'vault',
      verify: (name, password) => users[name] === password,
    });
    const old = digestGate({ algorithms: ['MD5'], verify: (name) => ({ password: users[name] ?? 'x' }) });
    const app: App = new WsgiHandler([
      (environ, start) => {
        const gate = environ.PATH_INFO.startsWith('/digest')
          ? byDigest
          : environ.PATH_INFO.startsWith('/old')
            ? old
            : byBasic;
        return (gate as MiddlewareFunction)(environ, start);
      },
      (environ) => new WsgiResponse({ content: `hello ${String(environ['vela.user'])}` }),
    ]);
    await serving(app, gateway, async (url) => {
      for (const [name, password] of Object.entries(users)) {
        const credentials = `${name}:${password}`;
        const hello = Buffer.from(`hello ${name}`).toString('latin1');
        t.equal(
          await curl('--digest', '-u', credentials, `${url}/digest?x=1,2&y=%22`),
          hello,
          `digest ${name}`,
        );
        t.equal(await curl('--basic', '-u', credentials, `${url}/basic`), hello, `basic ${name}`);
      }
      t.equal(await curl('--digest', '-u', 'Mufasa:wrong', `${url}/digest`), 'Wrong name or password\n');
      t.equal(
        await curl('--digest', '-u', 'Mufasa:Circle of Life', `${url}/digest/1`, `${url}/digest/2`),
        'hello Mufasahello Mufasa',
      );
      t.equal(
        await curl('--digest', '-u', 'Mufasa:Circle of Life', '-d', 'x=1', `${url}/digest`),
        'hello Mufasa',
        'POST',
      );
      const script = `
import sys, urllib.request as r
m = r.HTTPPasswordMgrWithDefaultRealm()
m.add_password('vault', sys.argv[1], 'Mufasa', 'Circle of Life')
o = r.build_opener(r.${'{}'}(m))
print(o.open(sys.argv[1]).read().decode(), o.open(sys.argv[1]).read().decode())`;
      const python = async (handler: string, path: string) =>
        (await run('python3', ['-c', script.replace('{}', handler), `${url}${path}`])).stdout.trim();
      t.equal(await python('HTTPBasicAuthHandler', '/basic'), 'hello Mufasa hello Mufasa');
      t.equal(await python('HTTPDigestAuthHandler', '/old'), 'hello Mufasa hello Mufasa', 'MD5 by choice');
    });
  });
}

// Sessions.

function sessionStack(options: SessionOptions, app: App): App {
  const sessions = session(options);
  return stack(sessions, app, { responseMiddleware: [sessions.save] });
}

/** Does to the session what the path says. */
const sessionApp: App = async (environ) => {
  const [, verb, name = '', value = ''] = environ.PATH_INFO.split('/');
  if (verb === 'none') return new WsgiResponse({ content: 'none' });
  const current = await sessionOf(environ);
  if (verb === 'set') current.set(name, value);
  if (verb === 'push') (current.get(name) as string[]).push(value);
  if (verb === 'list') current.set(name, []);
  if (verb === 'delete') current.delete(name);
  if (verb === 'regenerate') current.regenerate();
  if (verb === 'destroy') await current.destroy();
  if (verb === 'flash') {
    await current.destroy();
    current.set('flash', 'bye');
  }
  if (verb === 'throw') {
    current.set(name, value);
    throw new HttpError(409);
  }
  return json({
    data: Object.fromEntries(current.keys().map((key) => [key, current.get(key)])),
    isNew: current.isNew,
  });
};

const VAULTS: Record<string, () => SessionOptions> = {
  cookie: () => ({ passwords: [KEY] }),
  store: () => ({ store: createMemoryStore() }),
  'async store': () => ({ store: slowStore(createMemoryStore()) }),
};

function slowStore(store: SessionStore): SessionStore {
  return {
    get: async (id) => (await sleep(1), store.get(id)),
    set: async (...args) => (await sleep(1), store.set(...args)),
    destroy: async (id) => (await sleep(1), store.destroy(id)),
    touch: async (...args) => (await sleep(1), store.touch(...args)),
  };
}

for (const [vault, options] of Object.entries(VAULTS)) {
  t.test(`a session lasts from request to request: ${vault}`, async (t) => {
    const client = testClient(sessionStack(options(), sessionApp));
    const get = async (path: string) => {
      const response = await client.get(path);
      const text = await response.text();
      return {
        response,
        cookie: response.header('set-cookie'),
        body: text.startsWith('{') ? (JSON.parse(text) as { data: unknown; isNew: boolean }) : text,
      };
    };
    t.equal((await get('/none')).cookie, undefined, 'nobody asked for it');
    const empty = await get('/get');
    t.equal(empty.cookie, undefined, 'nothing is in it');
    t.equal(empty.response.header('vary'), 'Cookie');
    const made = await get('/set/a/1');
    t.match(made.cookie, /^session=[^;]{43,}; Max-Age=3600; Path=\/; HttpOnly; SameSite=Lax$/);
    t.equal(made.response.header('cache-control'), 'private');
    t.same((await get('/get')).body, { data: { a: '1' }, isNew: false });
    t.equal((await get('/get')).cookie, undefined, 'saved only when changed');
    t.equal((await get('/set/a/1')).cookie, undefined, 'the same is no change');
    await get('/list/l');
    await get('/push/l/x');
    t.same((await get('/get')).body, { data: { a: '1', l: ['x'] }, isNew: false }, 'a change within a value');
    await get('/set/__proto__/p');
    t.match((await get('/get')).body, { data: JSON.parse('{"__proto__":"p"}') });
    await get('/delete/__proto__');
    await get('/throw/b/2');
    t.match((await get('/get')).body, { data: { b: '2' } }, 'kept with an error response');
    const again = await get('/regenerate');
    t.ok(again.cookie);
    t.not(again.cookie?.split(';')[0], made.cookie?.split(';')[0]);
    t.match((await get('/get')).body, { data: { a: '1', b: '2' } });
    const gone = await get('/destroy');
    t.match(gone.cookie, /^session=; Max-Age=0; Path=\/; Expires=Thu, 01 Jan 1970/);
    t.same((await get('/get')).body, { data: {}, isNew: true });
    t.equal((await get('/destroy')).cookie, undefined, 'there was none');
    await get('/set/a/1');
    await get('/flash');
    t.same((await get('/get')).body, { data: { flash: 'bye' }, isNew: false });
    await client.close();
  });

  t.test(`a session ends: ${vault}`, async (t) => {
    const client = testClient(
      sessionStack({ ...options(), idleTimeoutMs: 1000, absoluteTimeoutMs: 1500 }, sessionApp),
    );
    await client.get('/set/a/1');
    await sleep(600);
    const renewed = await client.get('/get');
    t.match(await renewed.text(), /"a":"1"/);
    t.match(renewed.header('set-cookie'), /Max-Age=1;/, 'reading renews it');
    await sleep(600);
    t.match(await (await client.get('/get')).text(), /"a":"1"/, 'so it outlives the idle time');
    await sleep(500);
    t.match(await (await client.get('/get')).text(), /"data":\{\}/, 'but not its absolute time');
    await client.close();
  });
}

t.test('an id that a client made up is never adopted', async (t) => {
  const client = testClient(sessionStack({ store: createMemoryStore() }, sessionApp));
  const planted = 'A'.repeat(43);
  const response = await client.get('/set/a/1', { headers: { cookie: `session=${planted}` } });
  t.notMatch(response.header('set-cookie'), planted);
  for (const cookie of ['', 'x', '%ZZ', 'A'.repeat(5000), '"', '__proto__'])
    t.match(
      await (await client.get('/get', { headers: { cookie: `session=${cookie}` } })).text(),
      /"data":\{\}/,
    );
  await client.close();
});

t.test('after regenerate and destroy the old id is worth nothing, whatever runs beside', async (t) => {
  const store = createMemoryStore();
  const sessions = session({ store });
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const app = stack(
    sessions,
    async (environ) => {
      const current = await sessionOf(environ);
      if (environ.PATH_INFO === '/slow') {
        await held;
        current.set('late', true);
      } else if (environ.PATH_INFO === '/slow-login') {
        await held;
        current.regenerate();
      } else if (environ.PATH_INFO === '/login') current.regenerate().set('user', 'ann');
      else if (environ.PATH_INFO === '/logout') await current.destroy();
      else if (environ.PATH_INFO === '/begin') current.set('a', 1);
      return json(current.keys());
    },
    { responseMiddleware: [sessions.save] },
  );
  const ask = async (path: string, cookie?: string) => {
    const client = testClient(app);
    const response = await client.get(path, cookie === undefined ? {} : { headers: { cookie } });
    return {
      cookie: response.header('set-cookie')?.split(';')[0],
      keys: JSON.parse(await response.text()) as string[],
    };
  };
  const old = (await ask('/begin')).cookie;
  const slow = ask('/slow', old);
  const slowLogin = ask('/slow-login', old);
  const fresh = (await ask('/login', old)).cookie;
  t.same((await ask('/get', old)).keys, [], 'the old id');
  t.same((await ask('/get', fresh)).keys, ['a', 'user']);
  release();
  t.equal((await slow).cookie, undefined, 'a request that was under way brings nothing back');
  t.equal((await slowLogin).cookie, undefined, 'nor does one that regenerates');
  t.same((await ask('/get', old)).keys, []);
  await ask('/logout', fresh);
  t.same((await ask('/get', fresh)).keys, []);
});

t.test('requests side by side: readers undo no change, the last writer wins', async (t) => {
  const client = testClient(sessionStack({ store: slowStore(createMemoryStore()) }, sessionApp));
  await client.get('/set/a/1');
  await Promise.all([...Array.from({ length: 20 }, () => client.get('/get')), client.get('/set/a/2')]);
  t.match(await (await client.get('/get')).text(), /"a":"2"/);
  await Promise.all([client.get('/set/b/1'), client.get('/set/b/2')]);
  t.match(await (await client.get('/get')).text(), /"a":"2","b":"[12]"/);
  await client.close();
});

t.test('a session that no cookie can hold is a clear error', async (t) => {
  const errors: Error[] = [];
  const logger = {
    debug() {},
    info() {},
    warn() {},
    error: (details: object) => void errors.push((details as { err: Error }).err),
  };
  const sessions = session({ passwords: [KEY] });
  const app = new WsgiHandler(
    [sessions, async (environ) => ((await sessionOf(environ)).set('a', 'x'.repeat(4000)), json(1))],
    { responseMiddleware: [sessions.save] },
  );
  const client = testClient(app, { logger });
  const response = await client.get('/');
  t.equal(response.status, 500);
  t.equal(response.header('set-cookie'), undefined);
  t.match(errors, [
    { code: 'ERR_SESSION_TOO_LARGE', message: /cookie of \d+ bytes, and browsers keep 4096/ },
  ]);
  await client.close();
});

t.test('a response by startResponse: save() before it, or be told', async (t) => {
  const sessions = session({ passwords: [KEY] });
  const client = testClient(
    stack(sessions, async (environ, start) => {
      const current = await sessionOf(environ);
      current.set('a', environ.PATH_INFO);
      if (environ.PATH_INFO === '/save') await current.save();
      start('200 OK', [['Content-Type', 'text/plain']]);
      t.throws(() => current.set('a', 2), { code: 'ERR_SESSION_LATE' });
      return ['x'];
    }),
  );
  t.match((await client.get('/save')).header('set-cookie'), /^session=/);
  t.equal((await client.get('/forget')).status, 500);
  await client.close();
  const bare = testClient(lint((async (environ: Environ) => json((await sessionOf(environ)).keys())) as App));
  t.equal((await bare.get('/')).status, 500, 'sessionOf without session()');
  await bare.close();
});

t.test('session checks its options', async (t) => {
  for (const options of [
    {},
    undefined,
    { passwords: [KEY], store: createMemoryStore() },
    { passwords: ['short'] },
    { store: {} },
    { store: null },
    { passwords: [KEY], name: 'a b' },
    { passwords: [KEY], name: '__Host-a', domain: 'example.com' },
    { passwords: [KEY], secure: 'yes' },
    { passwords: [KEY], secure: false, sameSite: 'none' },
    { passwords: [KEY], idleTimeoutMs: 5 },
    { passwords: [KEY], absoluteTimeoutMs: Number.NaN },
    { passwords: [KEY], path: '/;' },
    { passwords: [KEY], ttl: 5 },
  ])
    t.throws(() => session(options as never), TypeError, JSON.stringify(options));
  for (const options of [{ maxSessions: 0 }, { max: 5 }])
    t.throws(() => createMemoryStore(options as never), TypeError);
  const store = createMemoryStore({ maxSessions: 2 });
  for (const id of ['a', 'b', 'c']) await store.set(id, id, 1000, 'absent');
  t.same(
    ['a', 'b', 'c'].map((id) => store.get(id)),
    [undefined, 'b', 'c'],
    'the store is bounded',
  );
  await store.set('d', 'd', 5, 'absent');
  await sleep(10);
  t.equal(store.get('d'), undefined, 'and forgets');
});

t.test('the cookie is for TLS only where the request came so', async (t) => {
  const https: Middleware = (environ) => {
    environ['wsgi.url_scheme'] = 'https';
  };
  for (const [options, secure] of [
    [{ passwords: [KEY] }, true],
    [{ passwords: [KEY], name: '__Host-s' }, true],
    [{ passwords: [KEY], secure: false }, false],
  ] as const) {
    const sessions = session(options);
    const client = testClient(
      new WsgiHandler([https, sessions, sessionApp], { responseMiddleware: [sessions.save] }),
    );
    t.equal(/; Secure/.test((await client.get('/set/a/1')).header('set-cookie') ?? ''), secure);
    await client.close();
  }
});

// CSRF.

t.test('csrf: what browsers say decides', async (t) => {
  const client = testClient(stack(csrf({ trustedOrigins: ['https://app.example.com'] })));
  const cases: [string, Record<string, string>, number][] = [
    ['same origin', { 'sec-fetch-site': 'same-origin' }, 200],
    ['by the user', { 'sec-fetch-site': 'none' }, 200],
    ['same site', { 'sec-fetch-site': 'same-site' }, 403],
    ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }, 403],
    ['another site, without Origin', { 'sec-fetch-site': 'cross-site' }, 403],
    ['a trusted origin', { 'sec-fetch-site': 'cross-site', origin: 'https://app.example.com' }, 200],
    ['something new', { 'sec-fetch-site': 'x\u00ff"' }, 403],
    ['two values', { 'sec-fetch-site': 'same-origin, cross-site' }, 403],
    ['no browser', {}, 200],
    ['an old browser', { origin: 'http://testserver' }, 200],
    ['an old browser behind a TLS proxy', { origin: 'https://testserver' }, 200],
    ['an old browser, another host', { origin: 'http://evil.example' }, 403],
    ['an old browser, another port', { origin: 'http://testserver:81' }, 403],
    ['an old browser, a trusted origin', { origin: 'https://app.example.com' }, 200],
    ['an opaque origin', { origin: 'null' }, 403],
    ['junk', { origin: '://' }, 403],
    ['a suffix', { origin: 'http://testserver.evil.example' }, 403],
    ['a prefix', { origin: 'http://evil.example/http://testserver' }, 403],
  ];
  for (const [name, headers, status] of cases) {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
      const response = await client.request('/', { method, headers });
      t.equal(response.status, status, `${method}: ${name}`);
      if (status === 403)
        t.match(await response.text(), /another site was refused: (Sec-Fetch-Site|Origin) is "/);
    }
    for (const method of ['GET', 'HEAD', 'OPTIONS'])
      t.equal((await client.request('/', { method, headers })).status, 200, `${method}: ${name}`);
  }
  await client.close();
  const skipping = testClient(stack(csrf({ skip: (environ) => environ.PATH_INFO === '/hook' })));
  const headers = { 'sec-fetch-site': 'cross-site' };
  t.equal((await skipping.post('/hook', { headers })).status, 200);
  t.equal((await skipping.post('/', { headers })).status, 403);
  await skipping.close();
  for (const options of [
    { trustedOrigins: 'https://a.example' },
    { trustedOrigins: ['a.example'] },
    { trustedOrigins: ['https://a.example/'] },
    { trustedOrigins: ['https://A.example'] },
    { trustedOrigins: ['null'] },
    { trustedOrigins: ['https://*.example.com:*'] },
    { trustedOrigins: [5] },
    { skip: true },
    { tokens: {} },
    { tokens: { keys: ['short'] } },
    { tokens: { keys: [KEY], headerName: 'a b' } },
    { tokens: { keys: [KEY], cookieName: 'a b' } },
    { tokens: { keys: [KEY], readToken: 'x' } },
    { origins: [] },
  ])
    t.throws(() => csrf(options as never), TypeError, JSON.stringify(options));
});

t.test('compress: HEAD of what its handler left out has the head of the GET', async (t) => {
  const app: App = (environ) =>
    new WsgiResponse({
      content: environ.REQUEST_METHOD === 'HEAD' ? '' : 'text '.repeat(1000),
      contentType: 'text/plain',
      headers: [
        ['Content-Length', '5000'],
        ['ETag', '"a"'],
      ],
    });
  const client = testClient(new WsgiHandler([app], { responseMiddleware: [compress()] }));
  const head = async (method: string) => {
    const response = await client.request('/', { method, headers: { 'accept-encoding': 'br' } });
    await response.text().catch(() => '');
    return ['etag', 'vary', 'content-encoding'].map((name) => response.header(name));
  };
  t.strictSame(await head('HEAD'), await head('GET'));
  t.strictSame(await head('HEAD'), ['W/"a"', 'Accept-Encoding', 'br']);
  await client.close();
});

t.test('csrf tokens are of one client, and of one session', async (t) => {
  const sessions = session({ passwords: [KEY] });
  const options: CsrfOptions = { tokens: { keys: [KEY], readToken: async (environ) => environ.HTTP_X_FORM } };
  const make = () =>
    testClient(
      stack(
        [sessions, csrf(options)],
        async (environ) => {
          if (environ.PATH_INFO === '/login') (await sessionOf(environ)).regenerate().set('user', 'ann');
          return new WsgiResponse({
            content: environ.REQUEST_METHOD === 'GET' ? await csrfTokenOf(environ) : 'done',
          });
        },
        { responseMiddleware: [sessions.save] },
      ),
    );
  const client = make();
  const other = make();
  const token = async (one = client) => (await one.get('/')).text();
  const post = async (value: string | undefined, one = client, header = 'x-csrf-token') =>
    (await one.post('/', value === undefined ? {} : { headers: { [header]: value } })).status;
  const first = await token();
  const second = await token();
  t.not(first, second, 'each is another');
  t.match(first, /^[\w-]{65}$/);
  t.equal(await post(first), 200);
  t.equal(await post(second), 200);
  t.equal(await post(first, client, 'x-form'), 200, 'from where readToken looks');
  t.equal(await post(undefined), 403);
  t.match(await (await client.post('/')).text(), 'no CSRF token in X-CSRF-Token');
  t.equal(await post(await token(other)), 403, "another client's");
  t.equal(await post(first, make()), 403, 'without the cookie');
  for (const junk of ['', 'x', 'A'.repeat(65), 'A'.repeat(10_000), `${first}x`, '\u00ff'.repeat(65)])
    t.equal(await post(junk), 403);
  await client.get('/login');
  t.equal(await post(first), 403, 'one of before the login');
  const mine = await token();
  t.equal(await post(mine), 200, 'one of the session');
  await other.get('/login');
  t.equal(await post(mine, other), 403, "another session's");
  await client.close();
  await other.close();
  const bare = testClient(
    stack(csrf(), async (environ) => new WsgiResponse({ content: await csrfTokenOf(environ) })),
  );
  t.equal((await bare.get('/')).status, 500, 'tokens were not asked for');
  await bare.close();
});

t.test('csrf: what has a token is kept by no cache for others', async (t) => {
  const answer = async (cacheControl: string | undefined, cookie?: string) => {
    const client = testClient(
      stack(csrf({ tokens: { keys: [KEY] } }), async (environ) => {
        await csrfTokenOf(environ);
        const headers: [string, string][] =
          cacheControl === undefined ? [] : cacheControl.split('|').map((one) => ['cache-control', one]);
        return new WsgiResponse({ content: await csrfTokenOf(environ), headers });
      }),
    );
    const response = await client.get('/', cookie === undefined ? {} : { headers: { cookie } });
    await response.text();
    await client.close();
    const [set] = response.headers.filter(([name]) => name.toLowerCase() === 'set-cookie');
    return [set !== undefined, response.header('vary'), response.header('cache-control')];
  };
  for (const [given, expected] of [
    [undefined, 'private'],
    ['no-store', 'no-store'],
    ['public, no-store', 'public, no-store'],
    ['private, max-age=5', 'private, max-age=5'],
    ['public', 'private'],
    ['Public, max-age=60', 'private, max-age=60'],
    ['max-age=60, s-maxage=600, Proxy-Revalidate', 'private, max-age=60'],
    ['max-age=60|public', 'private, max-age=60'],
    ['no-cache', 'private, no-cache'],
    ['private, public', 'private'],
    ['private="Set-Cookie, X-A", max-age=1', 'private, max-age=1'],
    ['ext="a, public", "', 'private, ext="a, public", "'],
    ['', 'private'],
  ] as const)
    t.strictSame(await answer(given), [true, 'Cookie', expected], given ?? 'none');
  const cookie = `csrf=${'A'.repeat(43)}`;
  t.strictSame(await answer(undefined, cookie), [false, 'Cookie', undefined], 'without a new cookie');
  t.strictSame(await answer('public', cookie), [false, 'Cookie', 'public']);
});

t.test('session: `public` does not give a cookie to others', async (t) => {
  const sessions = session({ passwords: [KEY] });
  const client = testClient(
    stack(
      sessions,
      async (environ) => {
        (await sessionOf(environ)).set('user', 'ann');
        return new WsgiResponse({ content: 'a', headers: [['Cache-Control', 'public, max-age=60']] });
      },
      { responseMiddleware: [sessions.save] },
    ),
  );
  t.equal((await client.get('/')).header('cache-control'), 'private, max-age=60');
  await client.close();
});

t.test(
  'session: what some caches obey in place of Cache-Control does not stand beside a cookie (RFC 9213)',
  async (t) => {
    const targeted: [string, string][] = [
      ['CDN-Cache-Control', 'max-age=600'],
      ['cloudflare-cdn-cache-control', 'public, s-maxage=600'],
      ['ExampleCDN-Cache-Control', 'max-age=600'],
      ['Surrogate-Control', 'max-age=600'],
      ['Edge-Control', 'cache-maxage=10m'],
      ['X-Accel-Expires', '600'],
    ];
    const sessions = session({ passwords: [KEY] });
    const client = testClient(
      stack(
        sessions,
        async (environ) => {
          const found = await sessionOf(environ);
          if (environ.PATH_INFO !== '/read') found.set('path', environ.PATH_INFO);
          const cacheControl = environ.PATH_INFO === '/secret' ? 'no-store' : 'private';
          return new WsgiResponse({ content: 'a', headers: [['Cache-Control', cacheControl], ...targeted] });
        },
        { responseMiddleware: [sessions.save] },
      ),
    );
    t.teardown(() => client.close());
    const left = async (path: string) => {
      const { headers } = await client.get(path);
      return headers.filter(([name]) => targeted.some(([one]) => one.toLowerCase() === name.toLowerCase()));
    };
    t.strictSame(await left('/read'), targeted, 'without a cookie the word of the application counts');
    t.strictSame(await left('/'), []);
    t.strictSame(await left('/secret'), [], 'nor beside no-store');
  },
);

// Rate limits.

const from =
  (address: string): Middleware =>
  (environ) => {
    environ.REMOTE_ADDR = address;
  };

t.test('rateLimit: a bucket empties and fills', async (t) => {
  const client = testClient(stack([rateLimit({ limit: 3, windowMs: 300 })]));
  const ask = async () => {
    const response = await client.get('/');
    return [response.status, response.header('ratelimit'), response.header('retry-after')];
  };
  t.equal((await client.get('/')).header('ratelimit-policy'), '"default";q=3;w=1');
  t.same(await ask(), [200, '"default";r=1;t=1', undefined]);
  t.same(await ask(), [200, '"default";r=0;t=1', undefined]);
  t.same(await ask(), [429, '"default";r=0;t=1', '1']);
  await sleep(130);
  t.match(await ask(), [200]);
  t.match(await ask(), [429]);
  await client.close();
});

t.test(
  'rateLimit: t is when there is more, not when all is back (draft-10), and no later than Retry-After',
  async (t) => {
    const client = testClient(
      stack([
        rateLimit({ limit: 10, windowMs: 100_000, cost: ({ PATH_INFO }) => Number(PATH_INFO.slice(1)) }),
      ]),
    );
    const ask = async (cost: number) => {
      const response = await client.get(`/${cost}`);
      return [response.status, response.header('ratelimit'), response.header('retry-after')];
    };
    t.same(await ask(0), [200, '"default";r=10', undefined], 'a full bucket has no t');
    t.same(await ask(4), [200, '"default";r=6;t=10', undefined]);
    t.same(await ask(8), [429, '"default";r=6;t=10', '20']);
    t.same(await ask(5.5), [200, '"default";r=0;t=5', undefined]);
    t.same(await ask(1), [429, '"default";r=0;t=5', '5']);
    await client.close();
  },
);

t.test('rateLimit: who is who', async (t) => {
  const same: [string, string, boolean][] = [
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1', '10.0.0.2', false],
    ['10.0.0.1', '::ffff:10.0.0.1', true],
    ['::FFFF:10.0.0.1', '::ffff:10.0.0.2', false],
    ['::ffff:a00:1', '10.0.0.1', true],
    ['0:0:0:0:0:ffff:10.0.0.1', '10.0.0.1', true],
    ['::ffff:a00:1', '::ffff:a00:2', false],
    ['::ffff:1', '::1', true],
    ['2001:db8::1', '2001:db8::ffff', true],
    ['2001:db8::1', '2001:db8:0:0:1:2:3:4', true],
    ['2001:DB8:0::1', '2001:0db8::2', true],
    ['2001:db8:0:1::1', '2001:db8:0:2::1', false],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::', true],
    ['1:2:3:4:5:6:7::', '1:2:3:4::', true],
    ['64:ff9b::1.2.3.4', '64:ff9b::', true],
    ['1::', '::1', false],
    ['fe80::1%eth0', 'fe80::2%eth0', true],
    ['', '', true],
    ['a:b', 'a:c', false],
  ];
  for (const [a, b, isSame] of same) {
    const limit = rateLimit({ limit: 1 });
    const ask = async (address: string) => {
      const client = testClient(stack([from(address), limit]));
      const { status } = await client.get('/');
      await client.close();
      return status;
    };
    t.equal(await ask(a), 200);
    t.equal(await ask(b), isSame ? 429 : 200, `${a} and ${b}`);
  }
  const group = fc.integer({ min: 0, max: 0xffff });
  fc.assert(
    fc.asyncProperty(
      fc.array(group, { minLength: 8, maxLength: 8 }),
      fc.array(group, { minLength: 4, maxLength: 4 }),
      async (a, tail) => {
        const store = createMemoryRateLimitStore();
        const keys: string[] = [];
        const limit = rateLimit({
          limit: 5,
          store: { take: (key, cost, bucket) => (keys.push(key), store.take(key, cost, bucket)) },
        });
        const text = (groups: number[]) =>
          new URL(`http://[${groups.map((one) => one.toString(16)).join(':')}]`).hostname.slice(1, -1);
        for (const address of [text(a), text([...a.slice(0, 4), ...tail])]) {
          const client = testClient(stack([from(address), limit]));
          await client.get('/');
          await client.close();
        }
        return keys[0] === keys[1] || a.slice(0, 4).every((one) => one === 0);
      },
    ),
    { numRuns: 50 },
  );
});

t.test('rateLimit: key, cost, skip and several limits', async (t) => {
  const client = testClient(
    stack([
      rateLimit({
        limit: 10,
        name: 'search',
        key: (environ) => environ.HTTP_X_KEY ?? '',
        cost: (environ) => Number(environ.HTTP_X_COST ?? 1),
        skip: (environ) => environ.PATH_INFO === '/health',
      }),
      rateLimit({ limit: 100, name: 'all' }),
    ]),
  );
  const ask = async (key: string, cost: string, path = '/') => {
    const response = await client.get(path, { headers: { 'x-key': key, 'x-cost': cost } });
    return [
      response.status,
      response.headers.filter(([name]) => name === 'RateLimit').map(([, value]) => value.split(';')[1]),
    ];
  };
  t.same(await ask('a', '6'), [200, ['r=99', 'r=4']]);
  t.same(await ask('a', '6'), [429, ['r=4']], 'all or none');
  t.same(await ask('a', '0'), [200, ['r=98', 'r=4']], 'looking is free');
  t.same(await ask('b'.repeat(100_000), '1'), [200, ['r=97', 'r=9']]);
  t.same(await ask('a', '1', '/health'), [200, ['r=96']]);
  t.match(await ask('a', '11'), [500], 'a cost that no bucket has');
  t.match(await ask('a', 'x'), [500]);
  await client.close();
  for (const options of [
    undefined,
    {},
    { limit: 0 },
    { limit: 1.5 },
    { limit: 1, windowMs: 0 },
    { limit: 1, cost: 2 },
    { limit: 1, cost: -1 },
    { limit: 1, key: 'ip' },
    { limit: 1, skip: true },
    { limit: 1, store: {} },
    { limit: 1, onStoreError: 'ajar' },
    { limit: 1, name: 'a"b' },
    { limit: 1, storeTimeoutMs: 0 },
    { limit: 1, max: 5 },
  ])
    t.throws(() => rateLimit(options as never), TypeError, JSON.stringify(options));
  for (const options of [{ maxKeys: 0 }, { size: 1 }])
    t.throws(() => createMemoryRateLimitStore(options as never), TypeError);
});

t.test('rateLimit: a store that fails, or takes too long', async (t) => {
  const stores: Record<string, RateLimitOptions['store']> = {
    throws: {
      take: () => {
        throw new Error('down');
      },
    },
    rejects: { take: () => Promise.reject(new Error('down')) },
    hangs: { take: () => new Promise(() => {}) },
  };
  for (const [name, store] of Object.entries(stores)) {
    for (const onStoreError of ['open', 'closed'] as const) {
      const client = testClient(
        stack(rateLimit({ limit: 1, store: store as never, onStoreError, storeTimeoutMs: 20 })),
      );
      t.equal(
        (await client.get('/')).status,
        onStoreError === 'open' ? 200 : 503,
        `${name}, ${onStoreError}`,
      );
      await client.close();
    }
  }
  const memory = createMemoryRateLimitStore();
  const client = testClient(
    stack(rateLimit({ limit: 1, store: { take: async (...args) => memory.take(...args) } })),
  );
  t.equal((await client.get('/')).status, 200);
  t.equal((await client.get('/')).status, 429);
  await client.close();
});

t.test('rateLimit: the memory of buckets is bounded', async (t) => {
  const store = createMemoryRateLimitStore({ maxKeys: 1000 });
  const bucket = { capacity: 1, windowMs: 60_000 };
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 100_000; i++) {
    await store.take(`key ${i}`, 1, bucket);
    if (i % 500 === 0) await store.take('busy', 1, bucket);
  }
  t.equal((await store.take('busy', 1, bucket)).isAllowed, false, 'who keeps asking is not forgotten');
  t.equal((await store.take('key 0', 1, bucket)).isAllowed, true);
  t.ok(process.memoryUsage().heapUsed - before < 50_000_000);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 100 }),
      (capacity, costs) => {
        const one = createMemoryRateLimitStore();
        let taken = 0;
        for (const cost of costs) {
          const result = one.take('k', cost, { capacity, windowMs: 3_600_000 }) as {
            isAllowed: boolean;
            remaining: number;
          };
          if (result.isAllowed !== taken + cost <= capacity) return false;
          if (result.isAllowed) taken += cost;
          if (Math.abs(result.remaining - (capacity - taken)) > 0.1) return false;
        }
        return true;
      },
    ),
  );
});

// Compression.

const TEXT = 'compress me, '.repeat(500);
const zipped = (app: App, options = {}, middleware: Middleware[] = []) =>
  new WsgiHandler([...middleware, lint(app)], { responseMiddleware: [compress(options)] });

async function bytesOf(response: { body: AsyncIterable<Uint8Array> }): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

t.test('compress: what is compressed comes out whole, in every form of a body', async (t) => {
  async function* later() {
    for (let i = 0; i < 500; i++) yield i % 2 === 0 ? 'compress me, ' : Buffer.from('compress me, ');
  }
  const forms: Record<string, () => WsgiResponse['content']> = {
    text: () => TEXT,
    bytes: () => Buffer.from(TEXT),
    list: () => [TEXT.slice(0, 100), Buffer.from(TEXT.slice(100))],
    texts: () => [TEXT.slice(0, 100), TEXT.slice(100)],
    promises: () => [TEXT.slice(0, 100), Promise.resolve(TEXT.slice(100))],
    html: () => html`${TEXT}`,
    'html with a promise': () => html`${TEXT.slice(0, 100)}${sleep(5).then(() => TEXT.slice(100))}`,
    generator: later,
    'web stream': () => new Blob([TEXT]).stream() as never,
    set: () => new Set([TEXT]),
  };
  for (const [name, make] of Object.entries(forms)) {
    for (const [encoding, decode] of [
      ['gzip', gunzipSync],
      ['br', brotliDecompressSync],
    ] as const) {
      const client = testClient(
        zipped(
          () =>
            new WsgiResponse({
              content: make(),
              contentType: 'text/plain',
              headers: [
                ['ETag', '"a"'],
                ['Accept-Ranges', 'bytes'],
              ],
            }),
        ),
      );
      const response = await client.get('/', { headers: { 'accept-encoding': encoding } });
      t.equal(response.header('content-encoding'), encoding, `${name}, ${encoding}`);
      t.equal(response.header('vary'), 'Accept-Encoding');
      t.equal(response.header('etag'), 'W/"a"');
      t.equal(response.header('accept-ranges'), undefined);
      const bytes = await bytesOf(response);
      t.equal(decode(bytes).toString(), TEXT);
      t.ok(bytes.length < 1000, `${bytes.length} bytes`);
      await client.close();
    }
  }
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 8 }),
      fc.constantFrom('gzip', 'br'),
      fc.boolean(),
      async (chunks, encoding, isSlow) => {
        const client = testClient(
          zipped(
            () =>
              new WsgiResponse({
                contentType: 'text/plain',
                content: (async function* () {
                  for (const chunk of chunks) {
                    if (isSlow) await sleep(1);
                    yield chunk;
                  }
                })(),
              }),
          ),
        );
        const bytes = await bytesOf(await client.get('/', { headers: { 'accept-encoding': encoding } }));
        t.ok(
          Buffer.concat(chunks).equals(encoding === 'gzip' ? gunzipSync(bytes) : brotliDecompressSync(bytes)),
        );
        await client.close();
      },
    ),
    { numRuns: 30 },
  );
});

t.test('compress: large content leaves the loop alone', async (t) => {
  const large = 'large '.repeat(200_000);
  const client = testClient(zipped(() => new WsgiResponse({ content: large })));
  const response = await client.get('/', { headers: { 'accept-encoding': 'gzip' } });
  t.equal(gunzipSync(await bytesOf(response)).toString(), large);
  await client.close();
});

t.test('compress: what is left alone', async (t) => {
  const response = (headers: [string, string][] = [], more: Record<string, unknown> = {}) =>
    new WsgiResponse({ content: TEXT, contentType: 'text/plain', headers, ...more });
  const cases: [string, () => WsgiResponse, string | undefined][] = [
    ['short', () => new WsgiResponse({ content: 'x'.repeat(1023) }), 'Accept-Encoding'],
    ['an image', () => response([], { contentType: 'image/png' }), undefined],
    ['no type', () => new WsgiResponse({ content: Buffer.alloc(5000) }), undefined],
    ['encoded', () => response([['content-encoding', 'zstd']]), undefined],
    ['a part', () => response([['Content-Range', 'bytes 0-1/5']], { status: 206 }), 'Accept-Encoding'],
    ['no-transform', () => response([['Cache-Control', 'public, No-Transform']]), undefined],
    ['a digest', () => response([['Content-Digest', 'sha-256=:x:']]), undefined],
    [
      'a short stream that says so',
      () =>
        new WsgiResponse({
          content: (function* () {
            yield 'x';
          })(),
          contentType: 'text/plain',
          headers: [['Content-Length', '1']],
        }),
      'Accept-Encoding',
    ],
  ];
  for (const [name, make, vary] of cases) {
    const client = testClient(zipped(make));
    const found = await client.get('/', { headers: { 'accept-encoding': 'gzip, br' } });
    t.not(found.header('content-encoding'), 'gzip', name);
    t.not(found.header('content-encoding'), 'br', name);
    t.equal(found.header('vary'), vary, name);
    await bytesOf(found);
    await client.close();
  }
  for (const status of [204, 304]) {
    const client = testClient(zipped(() => new WsgiResponse({ status })));
    t.equal(
      (await client.get('/', { headers: { 'accept-encoding': 'gzip' } })).header('content-encoding'),
      undefined,
    );
    await client.close();
  }
  const skipping = testClient(
    zipped(() => response(), { skip: (environ: Environ) => environ.PATH_INFO === '/secret' }),
  );
  const headers = { 'accept-encoding': 'gzip' };
  t.equal((await skipping.get('/secret', { headers })).header('content-encoding'), undefined);
  t.equal((await skipping.get('/', { headers })).header('content-encoding'), 'gzip');
  await skipping.close();
});

t.test('compress: what the client asks for', async (t) => {
  const client = testClient(zipped(() => new WsgiResponse({ content: TEXT, headers: [['Vary', 'Cookie']] })));
  for (const [accept, encoding] of [
    [undefined, undefined],
    ['', undefined],
    ['gzip', 'gzip'],
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip;q=1, br;q=0.5', 'gzip'],
    ['br;q=0, *', 'gzip'],
    ['*', 'br'],
    ['identity', undefined],
    ['gzip;q=0', undefined],
    ['gzip;q=0.5, identity', undefined],
    ['deflate', undefined],
    ['GZIP', 'gzip'],
    ['x'.repeat(10_000), undefined],
    [',;=,;q=,gzip;q=x', undefined],
  ] as const) {
    const response = await client.get(
      '/',
      accept === undefined ? {} : { headers: { 'accept-encoding': accept } },
    );
    t.equal(response.header('content-encoding'), encoding, String(accept));
    t.equal(response.header('vary'), 'Cookie, Accept-Encoding');
  }
  await client.close();
  const noBr = testClient(zipped(() => new WsgiResponse({ content: TEXT }), { encodings: ['gzip'] }));
  t.equal(
    (await noBr.get('/', { headers: { 'accept-encoding': 'br, gzip' } })).header('content-encoding'),
    'gzip',
  );
  await noBr.close();
  for (const options of [
    { minBytes: -1 },
    { gzipLevel: 10 },
    { gzipLevel: 0 },
    { brotliQuality: 12 },
    { encodings: [] },
    { encodings: ['zstd'] },
    { skip: 1 },
    { level: 5 },
  ])
    t.throws(() => compress(options as never), TypeError, JSON.stringify(options));
});

t.test('compress: HEAD says what GET would, without a length', async (t) => {
  const client = testClient(zipped(() => new WsgiResponse({ content: TEXT })));
  const response = await client.head('/', { headers: { 'accept-encoding': 'gzip' } });
  t.equal(response.header('content-encoding'), 'gzip');
  t.equal(response.header('content-length'), undefined);
  t.equal((await client.head('/')).header('content-length'), String(TEXT.length));
  await client.close();
});

t.test('compress: reads Accept-Encoding after an await, though nobody else declares it', async (t) => {
  for (const gateway of GATEWAYS) {
    const middleware: MiddlewareFunction = async () => {
      await sleep(1);
    };
    middleware.headers = [];
    const app: MiddlewareFunction = () => new WsgiResponse({ content: TEXT });
    app.headers = [];
    await serving(
      new WsgiHandler([middleware, app], { responseMiddleware: [compress()] }),
      gateway,
      async (url) => {
        t.equal(await curl('--compressed', url), TEXT, gateway);
        t.match(await curl('-I', '-H', 'Accept-Encoding: gzip', url), /content-encoding: gzip/i);
      },
    );
  }
});

for (const gateway of GATEWAYS) {
  t.test(
    `compress: events are not held back, and a client that leaves ends the source: ${gateway}`,
    async (t) => {
      let send = (_text: string) => {};
      let isReturned = false;
      const source: AsyncIterable<string> = {
        [Symbol.asyncIterator]: () => ({
          next: () =>
            new Promise<IteratorResult<string>>((resolve) => {
              send = (value) => resolve({ done: false, value });
            }),
          return: async () => {
            isReturned = true;
            return { done: true, value: undefined };
          },
        }),
      };
      const app = zipped(() => eventStream(source));
      await serving(app, gateway, async (_url, port) => {
        for (const encoding of ['gzip', 'br']) {
          isReturned = false;
          const socket = connect(port, '127.0.0.1');
          socket.on('error', () => {});
          socket.write(`GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: ${encoding}\r\n\r\n`);
          let received = 0;
          socket.on('data', (bytes) => {
            received += bytes.length;
          });
          for (let i = 0; i < 200 && received === 0; i++) await sleep(5);
          for (const text of ['one', 'two', 'three']) {
            const before = received;
            send(text);
            for (let i = 0; i < 200 && received === before; i++) await sleep(5);
            t.ok(received > before, `${encoding}: ${text} came at once`);
            await sleep(10);
          }
          socket.destroy();
          for (let i = 0; i < 200 && !isReturned; i++) await sleep(5);
          t.ok(isReturned, 'the source was returned');
        }
      });
    },
  );

  t.test(`compress: an error of the source cuts the response: ${gateway}`, async (t) => {
    let closed = 0;
    const app: App = (environ) =>
      new WsgiResponse({
        contentType: 'text/plain',
        ...(environ.PATH_INFO === '/short' ? { headers: [['Content-Length', '100000']] } : {}),
        content: (async function* () {
          try {
            yield TEXT;
            await sleep(20);
            if (environ.PATH_INFO === '/throw') throw new Error('broken');
            if (environ.PATH_INFO === '/chunk') yield 5 as never;
          } finally {
            closed++;
          }
        })(),
      });
    await serving(zipped(app), gateway, async (url) => {
      for (const path of ['/throw', '/chunk', '/short']) {
        closed = 0;
        await t.rejects(
          run('curl', ['-s', '--max-time', '10', '--compressed', url + path]),
          { code: 18 },
          path,
        );
        t.equal(closed, 1);
      }
      t.equal(await curl('--compressed', `${url}/whole`), TEXT);
    });
  });

  t.test(`compress: a slow client slows the source down: ${gateway}`, async (t) => {
    let made = 0;
    const block = randomBytes(65_536);
    const app: App = () =>
      new WsgiResponse({
        contentType: 'text/plain',
        content: (function* () {
          for (; made < 2000; made++) {
            block[0] = made & 255;
            yield block;
          }
        })(),
      });
    await serving(zipped(app, { gzipLevel: 1 }), gateway, async (_url, port) => {
      made = 0;
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write('GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n');
      socket.pause();
      let last = -1;
      for (let i = 0; i < 50 && made !== last; i++) {
        last = made;
        await sleep(100);
      }
      t.ok(made < 500, `${made} of 2000 blocks`);
      socket.destroy();
    });
  });
}

t.test('compress: a body that is never sent is closed', async (t) => {
  let closed = 0;
  const source = () => {
    const body = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }),
      close: () => void closed++,
    };
    return body;
  };
  const app = new WsgiHandler([() => new WsgiResponse({ content: source(), contentType: 'text/plain' })], {
    responseMiddleware: [compress(), () => new WsgiResponse({ content: 'instead' })],
  });
  const client = testClient(app);
  t.equal(await (await client.get('/', { headers: { 'accept-encoding': 'gzip' } })).text(), 'instead');
  await sleep(5);
  t.equal(closed, 1);
  await client.close();
});

// Everything together, and hostile requests.

function everything(): App {
  const sessions = session({ passwords: [KEY] });
  return new WsgiHandler(
    [
      rateLimit({ limit: 1_000_000 }),
      sessions,
      csrf({ tokens: { keys: [KEY] } }),
      authorization(),
      (environ, start) =>
        environ.PATH_INFO === '/open' ? undefined : (everythingGate(environ, start) as undefined),
      async (environ) => {
        const current = await sessionOf(environ);
        current.set('n', Number(current.get('n') ?? 0) + 1);
        return new WsgiResponse({ content: TEXT });
      },
    ],
    { responseMiddleware: [compress(), sessions.save] },
  );
}
const everythingGate = digestGate() as MiddlewareFunction;

for (const gateway of GATEWAYS) {
  t.test(`hostile requests get a 4xx, at once: ${gateway}`, async (t) => {
    await serving(everything(), gateway, async (url, port) => {
      const cookies = Array.from({ length: 10_000 }, (_, i) => `c${i}=v`).join('; ');
      const lines: [string, string, string][] = [
        ['10,000 cookies', 'GET /open', `Cookie: ${cookies}`],
        ['5,000 cookies in a short line', 'GET /open', `Cookie: ${'a;'.repeat(5000)}`],
        ['a session of bytes', 'GET /open', `Cookie: session=${'\xff'.repeat(1000)}`],
        ['digest junk', 'GET /', `Authorization: Digest ${'a="\\'.repeat(2000)}`],
        ['digest bytes', 'GET /', `Authorization: Digest ${'\x80\xff'.repeat(1000)}`],
        ['basic junk', 'GET /', `Authorization: Basic ${'='.repeat(1000)}`],
        ['an origin of bytes', 'POST /open', `Origin: ${'\xff'.repeat(1000)}`],
        ['fetch metadata of bytes', 'POST /open', `Sec-Fetch-Site: ${'\xff'.repeat(1000)}`],
        ['a token of bytes', 'POST /open', `X-CSRF-Token: ${'\xff'.repeat(1000)}`],
        ['encodings of bytes', 'GET /open', `Accept-Encoding: ${'\xff,;q='.repeat(1000)}`],
        ['a bad escape', 'GET /%ff', 'X: y'],
      ];
      for (const [name, request, line] of lines) {
        const began = performance.now();
        const status = await rawStatus(
          port,
          `${request} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n${line}\r\n\r\n`,
        );
        t.ok(status === 200 || (status >= 400 && status < 500), `${name}: ${status}`);
        t.ok(performance.now() - began < 1000);
      }
      t.equal((await curl('--compressed', `${url}/open`)).length, TEXT.length, 'and it still serves');
    });
  });
}

for (const gateway of GATEWAYS) {
  t.test(`curl keeps a session: ${gateway}`, async (t) => {
    for (const options of [{ passwords: [KEY] }, { store: createMemoryStore() }]) {
      const jar = `${t.testdir()}/jar`;
      await serving(sessionStack(options, sessionApp), gateway, async (url) => {
        const visit = (path: string) => curl('-b', jar, '-c', jar, url + path);
        await visit('/set/a/%C3%BC');
        t.same(JSON.parse(Buffer.from(await visit('/get'), 'latin1').toString()), {
          data: { a: 'ü' },
          isNew: false,
        });
        await visit('/destroy');
        t.match(await visit('/get'), '"isNew":true');
      });
    }
  });

  t.test(`clients that leave in the middle do no harm: ${gateway}`, async (t) => {
    const failures: unknown[] = [];
    const note = (error: unknown) => failures.push(error);
    process.on('unhandledRejection', note);
    t.teardown(() => process.off('unhandledRejection', note));
    const memory = createMemoryStore();
    const sessions = session({ store: slowStore(slowStore(slowStore(memory))) });
    const limitStore = createMemoryRateLimitStore();
    const app = new WsgiHandler(
      [
        rateLimit({
          limit: 1e6,
          store: { take: async (...args) => (await sleep(1), limitStore.take(...args)) },
        }),
        sessions,
        async (environ) => {
          (await sessionOf(environ)).set('a', Math.random());
          return new WsgiResponse({ content: 'large '.repeat(100_000) });
        },
      ],
      { responseMiddleware: [sessions.save, compress()] },
    );
    await serving(app, gateway, async (url, port) => {
      for (let i = 0; i < 40; i++) {
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => {});
        socket.write('GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n');
        await once(socket, 'connect');
        await sleep(i % 12);
        socket.destroy();
      }
      t.equal((await curl('--compressed', url)).length, 600_000);
    });
    t.same(failures, []);
  });
}

t.test('any header values', async () => {
  const client = testClient(everything());
  const names = [
    'authorization',
    'cookie',
    'origin',
    'sec-fetch-site',
    'accept-encoding',
    'x-csrf-token',
    'host',
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'POST', 'HEAD'),
      fc.constantFrom('/', '/open'),
      fc.dictionary(
        fc.constantFrom(...names),
        fc.oneof(
          headerText,
          headerText.map((text) => `Digest ${text}`),
          headerText.map((text) => `session=${text}`),
        ),
      ),
      async (method, path, headers) => {
        const response = await client.request(path, { method, headers: { ...headers } });
        await bytesOf(response);
        return response.status < 500;
      },
    ),
    { numRuns: 500 },
  );
  await client.close();
});

t.test('100,000 clients: memory stays bounded', async (t) => {
  const store = createMemoryRateLimitStore({ maxKeys: 1000 });
  const sessions = createMemoryStore({ maxSessions: 1000 });
  for (let i = 0; i < 100_000; i++) {
    await store.take(`k${i}`, 1, { capacity: 5, windowMs: 1000 });
    await sessions.set(`s${i}`, '{}', 1000, 'absent');
  }
  t.equal(await sessions.get('s98999'), undefined);
  t.equal(await sessions.get('s99000'), '{}');
});

t.test('functions of the user may read any header, also after an await', async (t) => {
  const hello: App = () => new WsgiResponse({ content: 'in' });
  hello.headers = [];
  const readLater = async (environ: Environ) => {
    await null;
    return environ.HTTP_X_TENANT === 'a';
  };
  const guarded = testClient(
    new WsgiHandler([
      authenticate({ scheme: 'bearer', realm: 'r', verify: (_token, environ) => readLater(environ) }),
      hello,
    ]),
    { logLevel: 'silent' },
  );
  const headers = { authorization: 'Bearer x', 'x-tenant': 'a' };
  t.equal((await guarded.get('/', { headers })).status, 200);
  t.equal((await guarded.get('/', { headers: { ...headers, 'x-tenant': 'b' } })).status, 401);
  await guarded.close();
  const waiting: Middleware = async () => undefined;
  waiting.headers = [];
  const skipped = testClient(
    new WsgiHandler([waiting, csrf({ skip: (environ) => environ.HTTP_X_TENANT === 'a' }), hello]),
    { logLevel: 'silent' },
  );
  t.equal(
    (await skipped.post('/', { headers: { 'sec-fetch-site': 'cross-site', 'x-tenant': 'a' } })).status,
    200,
  );
  t.equal((await skipped.post('/', { headers: { 'sec-fetch-site': 'cross-site' } })).status, 403);
  await skipped.close();
});
