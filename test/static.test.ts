import { execFile, execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setDefaultHighWaterMark } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { brotliCompressSync, gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import fresh from 'fresh';
import parseRange from 'range-parser';
import t, { type Test } from 'tap';
import {
  type App,
  type Environ,
  type HeaderPair,
  html,
  lint,
  type Middleware,
  type ResponseMiddleware,
  type Server,
  serve,
  WsgiHandler,
  WsgiResponse,
} from '../src/index.js';
import { compress, etag, evaluatePreconditions, readPreconditions } from '../src/middleware/index.js';
import {
  type FileResponseOptions,
  fileResponse,
  MediaRouter,
  type MediaRouterOptions,
} from '../src/static/index.js';
import { testClient } from '../src/testing/index.js';
import { ask, client } from './support/ask.js';
import { headerValue, Wire } from './support/wire.js';

const GATEWAYS = ['uws', 'node'] as const;
const OLD = new Date('2020-05-06T07:08:09Z');
const OLD_TEXT = 'Wed, 06 May 2020 07:08:09 GMT';

/** A folder of files that have not changed for years. */
function folder(t: Test, files: Parameters<Test['testdir']>[0]): string {
  const root = t.testdir(files);
  age(root);
  return root;
}

function age(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true, recursive: true }))
    if (entry.isFile()) utimesSync(`${entry.parentPath}/${entry.name}`, OLD, OLD);
}

function router(t: Test, options: MediaRouterOptions): ReturnType<typeof client> {
  return client(t, new MediaRouter(options));
}

/** Descriptors of this process that are open below a folder. */
function openBelow(root: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(root) ? [path] : [];
    } catch {
      return [];
    }
  });
}

/** Those that stay open: the thread pool closes a file a moment after its response has ended. */
async function leftOpen(root: string): Promise<string[]> {
  for (let i = 0; i < 300 && openBelow(root).length > 0; i++) await sleep(10);
  return openBelow(root);
}

async function serving(t: Test, app: Middleware, gateway: (typeof GATEWAYS)[number]): Promise<Server> {
  const server = await serve(new WsgiHandler([lint(app)]), {
    bind: '127.0.0.1:0',
    gateway,
    logLevel: 'silent',
  });
  t.teardown(() => server.close({ timeoutMs: 1000 }));
  return server;
}

t.test('preconditions follow the table of RFC 9110 §13.2.2', async (t) => {
  const now = { etag: '"b"', lastModified: OLD_TEXT };
  const earlier = 'Wed, 06 May 2020 07:08:08 GMT';
  const rows: [
    Record<string, string>,
    typeof now | { etag: string } | undefined,
    number | undefined,
    number | undefined,
  ][] = [
    [{}, now, undefined, undefined],
    [{ ifMatch: '"b"' }, now, undefined, undefined],
    [{ ifMatch: '"a", "b"' }, now, undefined, undefined],
    [{ ifMatch: '*' }, now, undefined, undefined],
    [{ ifMatch: '"a"' }, now, 412, 412],
    [{ ifMatch: '*' }, undefined, 412, 412],
    [{ ifMatch: 'W/"b"' }, now, 412, 412],
    [{ ifMatch: 'W/"b"' }, { etag: 'W/"b"' }, 412, 412],
    [{ ifMatch: '' }, now, 412, 412],
    [{ ifNoneMatch: '"b"' }, now, 304, 412],
    [{ ifNoneMatch: 'W/"b"' }, now, 304, 412],
    [{ ifNoneMatch: '"b"' }, { etag: 'W/"b"' }, 304, 412],
    [{ ifNoneMatch: '"a,b", "b"' }, now, 304, 412],
    [{ ifNoneMatch: '"a,b"' }, { etag: '"a,b"' }, 304, 412],
    [{ ifNoneMatch: ',, "b" ,' }, now, 304, 412],
    [{ ifNoneMatch: '"a"' }, now, undefined, undefined],
    [{ ifNoneMatch: 'b' }, now, undefined, undefined],
    [{ ifNoneMatch: '*' }, now, 304, 412],
    [{ ifNoneMatch: '*' }, undefined, undefined, undefined],
    [{ ifModifiedSince: OLD_TEXT }, now, 304, undefined],
    [{ ifModifiedSince: 'Wednesday, 06-May-20 07:08:09 GMT' }, now, 304, undefined],
    [{ ifModifiedSince: 'Wed May  6 07:08:09 2020' }, now, 304, undefined],
    [{ ifModifiedSince: earlier }, now, undefined, undefined],
    [{ ifModifiedSince: '2021-01-01' }, now, undefined, undefined],
    [{ ifModifiedSince: OLD_TEXT }, { etag: '"b"' }, undefined, undefined],
    [{ ifModifiedSince: OLD_TEXT }, undefined, undefined, undefined],
    [{ ifModifiedSince: OLD_TEXT, ifNoneMatch: '"a"' }, now, undefined, undefined],
    [{ ifModifiedSince: earlier, ifNoneMatch: '"b"' }, now, 304, 412],
    [{ ifUnmodifiedSince: OLD_TEXT }, now, undefined, undefined],
    [{ ifUnmodifiedSince: earlier }, now, 412, 412],
    [{ ifUnmodifiedSince: 'yesterday' }, now, undefined, undefined],
    [{ ifUnmodifiedSince: earlier, ifMatch: '"b"' }, now, undefined, undefined],
    [{ ifMatch: '"b"', ifNoneMatch: '"b"' }, now, 304, 412],
    [{ ifMatch: '"a"', ifNoneMatch: '"b"' }, now, 412, 412],
  ];
  const none = {
    ifMatch: undefined,
    ifNoneMatch: undefined,
    ifModifiedSince: undefined,
    ifUnmodifiedSince: undefined,
  };
  for (const [given, validators, get, put] of rows) {
    const name = JSON.stringify([given, validators]);
    t.equal(evaluatePreconditions({ ...none, ...given, method: 'GET' }, validators), get, `GET ${name}`);
    t.equal(evaluatePreconditions({ ...none, ...given, method: 'HEAD' }, validators), get, `HEAD ${name}`);
    t.equal(evaluatePreconditions({ ...none, ...given, method: 'PUT' }, validators), put, `PUT ${name}`);
  }
});

t.test('what is fresh is what the package fresh takes for it', async (t) => {
  const tag = fc
    .tuple(fc.boolean(), fc.string({ unit: fc.constantFrom('a', 'b', '!', '/'), maxLength: 2 }))
    .map(([weak, text]) => `${weak ? 'W/' : ''}"${text}"`);
  const date = fc.integer({ min: 0, max: 3 }).map((s) => new Date(OLD.getTime() + 1000 * s).toUTCString());
  const list = fc.oneof(
    fc.array(tag, { minLength: 1, maxLength: 4 }).map((tags) => tags.join(', ')),
    fc.constant('*'),
  );
  fc.assert(
    fc.property(
      fc.option(list),
      fc.option(date),
      tag,
      fc.option(date),
      (noneMatch, since, etag, modified) => {
        const ours = evaluatePreconditions(
          {
            method: 'GET',
            ifMatch: undefined,
            ifUnmodifiedSince: undefined,
            ifNoneMatch: noneMatch ?? undefined,
            ifModifiedSince: since ?? undefined,
          },
          { etag, lastModified: modified ?? undefined },
        );
        const theirs = fresh(
          {
            ...(noneMatch !== null && { 'if-none-match': noneMatch }),
            ...(since !== null && { 'if-modified-since': since }),
          },
          { etag, ...(modified !== null && { 'last-modified': modified }) },
        );
        return (ours === 304) === theirs;
      },
    ),
    { numRuns: 3000 },
  );
  t.pass();
});

t.test('any bytes in a condition take little time', async (t) => {
  const seed = ['"', 'W/', ',', ' ', '\t', 'a', '*', '\x80', '\\'];
  for (const unit of seed) {
    for (const text of [unit.repeat(60_000), `"a"${unit.repeat(60_000)}`, `${unit.repeat(30_000)}x`]) {
      const began = performance.now();
      for (const name of ['ifMatch', 'ifNoneMatch', 'ifModifiedSince', 'ifUnmodifiedSince']) {
        evaluatePreconditions(
          {
            method: 'GET',
            ifMatch: undefined,
            ifNoneMatch: undefined,
            ifModifiedSince: undefined,
            ifUnmodifiedSince: undefined,
            [name]: text,
          },
          { etag: '"zz"', lastModified: OLD_TEXT },
        );
      }
      const ms = performance.now() - began;
      if (ms > 2000) t.fail(`${JSON.stringify(unit)} took ${ms} ms`);
    }
  }
  t.pass();
});

function tagged(app: Middleware, middleware: ResponseMiddleware = etag()): App {
  return new WsgiHandler([lint(app as App)], { responseMiddleware: [middleware] });
}

t.test('etag gives tags to text and bytes, and answers 304', async (t) => {
  const headers: HeaderPair[] = [
    ['Cache-Control', 'max-age=5'],
    ['Content-Location', '/there'],
    ['Expires', OLD_TEXT],
    ['Vary', 'Accept'],
    ['Set-Cookie', 'a=b'],
    ['Access-Control-Allow-Origin', '*'],
    ['Content-Language', 'en'],
    ['Last-Modified', OLD_TEXT],
  ];
  for (const content of ['hällo', Buffer.from('hällo'), html`h${'äl'}lo`, ['häl', Buffer.from('lo')]]) {
    const app = tagged(() => new WsgiResponse({ content, headers, contentType: 'text/plain' }));
    const { response } = await ask(t, app);
    const tag = response.header('etag') ?? '';
    t.match(tag, /^"[A-Za-z0-9+/]{22}"$/);
    t.equal(tag, `"${createHash('sha256').update('hällo').digest('base64').slice(0, 22)}"`, 'of the bytes');
    for (const method of ['GET', 'HEAD']) {
      const { response: second, text } = await ask(t, app, '/', {
        method,
        headers: { 'if-none-match': tag },
      });
      t.equal(second.status, 304);
      t.equal(text, '');
      t.same(
        second.headers.map(([name]) => name).filter((name) => name !== 'Date'),
        [
          'Cache-Control',
          'Content-Location',
          'Expires',
          'Vary',
          'Set-Cookie',
          'Access-Control-Allow-Origin',
          'ETag',
        ],
      );
    }
    const { response: third } = await ask(t, app, '/', { headers: { 'if-match': '"x"' } });
    t.equal(third.status, 412);
    t.equal(third.header('cache-control'), undefined);
    t.equal((await ask(t, app, '/', { headers: { 'if-match': tag } })).response.status, 200);
  }
  const text = await ask(
    t,
    tagged(() => new WsgiResponse({ content: 'a' })),
  );
  const bytes = await ask(
    t,
    tagged(() => new WsgiResponse({ content: Buffer.from('a'), contentType: 'text/plain' })),
    '/',
  );
  t.equal(text.response.header('etag'), bytes.response.header('etag') ?? '', 'text is its bytes');
});

t.test('etag leaves other responses as they are', async (t) => {
  async function* stream() {
    yield 'a';
  }
  const responses: Record<string, () => WsgiResponse> = {
    stream: () => new WsgiResponse({ content: stream(), contentType: 'text/plain' }),
    'html that waits': () => new WsgiResponse({ content: html`a${Promise.resolve('b')}` }),
    'no-store': () => new WsgiResponse({ content: 'a', headers: [['Cache-Control', 'private, no-store']] }),
    created: () => new WsgiResponse({ content: 'a', status: 201 }),
    large: () => new WsgiResponse({ content: 'a'.repeat(11) }),
  };
  for (const [name, make] of Object.entries(responses)) {
    const { response } = await ask(t, tagged(make, etag({ limitBytes: 10 })), '/', {
      headers: { 'if-none-match': '"a"' },
    });
    t.equal(response.header('etag'), undefined, name);
    t.not(response.status, 304, name);
    const { response: matched } = await ask(t, tagged(make, etag({ limitBytes: 10 })), '/', {
      headers: { 'if-match': '"a"' },
    });
    t.equal(matched.status, name === 'created' ? 201 : 412, `${name}: what has no tag matches none`);
  }
  const { response } = await ask(
    t,
    tagged(() => new WsgiResponse({ content: 'a' })),
    '/',
    { method: 'POST' },
  );
  t.equal(response.header('etag'), undefined);
  const bare = await ask(
    t,
    tagged(() => new WsgiResponse({ contentType: 'text/plain' })),
    '/',
    { method: 'HEAD' },
  );
  t.equal(bare.response.header('etag'), undefined, 'HEAD without the content of GET');
  const weak = await ask(
    t,
    tagged(() => new WsgiResponse({ content: 'a' }), etag({ weak: true })),
  );
  t.match(weak.response.header('etag'), /^W\//);
});

t.test(
  'etag holds a tag or date of the application against the conditions, and closes its stream',
  async (t) => {
    let closed = 0;
    const app = tagged(() => {
      const content = {
        async *[Symbol.asyncIterator]() {
          yield 'a';
        },
        close() {
          closed++;
        },
      };
      return new WsgiResponse({
        content,
        headers: [
          ['ETag', '"own"'],
          ['Last-Modified', OLD_TEXT],
        ],
        contentType: 'text/plain',
      });
    });
    t.equal((await ask(t, app, '/', { headers: { 'if-none-match': '"own"' } })).response.status, 304);
    t.equal(closed, 1);
    const since = await ask(t, app, '/', { headers: { 'if-modified-since': OLD_TEXT } });
    t.equal(since.response.status, 304);
    t.equal((await ask(t, app, '/', { headers: { 'if-none-match': '"other"' } })).text, 'a');
    const odd = tagged(() => new WsgiResponse({ content: 'a', headers: [['ETag', 'no-quotes']] }));
    t.equal((await ask(t, odd, '/', { headers: { 'if-none-match': '*' } })).response.status, 304);
  },
);

t.test('etag reads its headers after an await, whatever the handler declares', async (t) => {
  const app: Middleware = Object.assign(
    async () => {
      await null;
      return new WsgiResponse({ content: 'a' });
    },
    { headers: [] },
  );
  const stack = new WsgiHandler([app], { responseMiddleware: [etag()] });
  t.same(stack.headers, ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since']);
  for (const gateway of GATEWAYS) {
    const server = await serving(t, stack, gateway);
    const tag = (await fetch(server.url)).headers.get('etag') ?? '';
    t.equal((await fetch(server.url, { headers: { 'if-none-match': tag } })).status, 304, gateway);
  }
  for (const options of [{ weak: 1 }, { limitBytes: -1 }, { strong: true }, null])
    t.throws(() => etag(options as never), TypeError, JSON.stringify(options));
});

t.test('a file, from disk and from memory', async (t) => {
  const root = folder(t, { 'a.css': 'body{}', 'empty.txt': '', 'big.bin': 'x'.repeat(100_000) });
  const server = router(t, { root });
  for (let i = 0; i < 2; i++) {
    const response = await server.get('/a.css');
    t.equal(response.status, 200);
    t.equal(await response.text(), 'body{}');
    t.same(
      response.headers.filter(([name]) => !/^(date|content-length)$/i.test(name)),
      [
        ['Content-Type', 'text/css; charset=utf-8'],
        ['ETag', response.header('etag')],
        ['Accept-Ranges', 'bytes'],
        ['X-Content-Type-Options', 'nosniff'],
        ['Last-Modified', OLD_TEXT],
        ['Cache-Control', 'no-cache'],
      ],
    );
    t.match(response.header('etag'), /^"6-[0-9a-z]+"$/);
    t.equal(response.header('content-length'), '6');
    const big = await server.get('/big.bin');
    t.equal(big.header('content-length'), '100000');
    t.equal((await big.text()).length, 100_000);
    const head = await server.head('/big.bin');
    t.equal(head.header('content-length'), '100000');
    t.equal(await head.text(), '');
    const empty = await server.get('/empty.txt', { headers: { range: 'bytes=0-' } });
    t.same([empty.status, empty.header('content-length'), await empty.text()], [200, '0', '']);
  }
  t.equal((await server.get('/none.css')).status, 404);
  t.same(await leftOpen(root), []);
});

t.test('a hit needs no promise, and cannot be spoilt by who changes the response', async (t) => {
  const root = folder(t, { 'a.txt': 'a', 'a b.txt': 'spaced', 'a%20b.txt': 'percent' });
  const media = new MediaRouter({ root });
  const results: unknown[] = [];
  const app = new WsgiHandler([
    (environ) => {
      const result = media.handle(environ);
      results.push(result);
      if (result instanceof WsgiResponse) {
        const [first] = result.headers;
        if (first !== undefined) first[1] = 'text/spoilt';
      }
      return result;
    },
  ]);
  const server = client(t, app);
  await server.get('/a.txt');
  await server.get('/a.txt');
  t.type((await server.get('/a.txt')).status, 'number');
  t.ok(results[0] instanceof Promise);
  t.ok(results[1] instanceof WsgiResponse);
  t.equal((results[2] as WsgiResponse).content.toString(), 'a');
  const { response } = await ask(t, media, '/a.txt');
  t.equal(response.header('content-type'), 'text/plain; charset=utf-8');
  for (let i = 0; i < 2; i++) {
    t.equal(await (await server.get('/a%2520b.txt')).text(), 'percent');
    t.equal(await (await server.get('/a%20b.txt')).text(), 'spaced');
  }
});

t.test('changes are seen: at once with maxAgeMs 0, and after it otherwise', async (t) => {
  const root = folder(t, { 'a.txt': 'one' });
  const at = router(t, { root, cache: { maxAgeMs: 0 } });
  const none = router(t, { root, cache: false });
  const later = router(t, { root, cache: { maxAgeMs: 50 } });
  const read = async (server: typeof at) => (await server.get('/a.txt')).text();
  for (const server of [at, none, later]) t.equal(await read(server), 'one');
  const first = (await at.get('/a.txt')).header('etag');
  writeFileSync(`${root}/a.txt`, 'two');
  t.equal(await read(at), 'two');
  t.equal(await read(none), 'two');
  const tag = (await at.get('/a.txt')).header('etag');
  t.match(tag, /^W\//, 'it may change again within a tick');
  t.not(tag, first);
  await sleep(60);
  t.equal(await read(later), 'two');
  // The same size and time, within a tick of the clock: what was read so early is read again.
  const { mtime } = await import('node:fs').then((fs) => fs.statSync(`${root}/a.txt`));
  writeFileSync(`${root}/a.txt`, 'six');
  utimesSync(`${root}/a.txt`, mtime, mtime);
  t.equal(await read(at), 'six');
  renameSync(`${root}/a.txt`, `${root}/b.txt`);
  t.equal((await at.get('/a.txt')).status, 404);
  await sleep(60);
  t.equal((await later.get('/a.txt')).status, 404);
  mkdirSync(`${root}/a.txt`);
  t.equal((await at.get('/a.txt')).status, 404);
  const same = await Promise.all(Array.from({ length: 50 }, () => at.get('/b.txt')));
  t.ok(same.every(({ status }) => status === 200));
  t.same(await leftOpen(root), []);
});

t.test('the memory for files is bounded', async (t) => {
  const files = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`${i}.txt`, 'x'.repeat(1000)]));
  const root = folder(t, files);
  for (const cache of [{ maxEntries: 5 }, { maxBytes: 10_000 }, { maxFileBytes: 10 }]) {
    const media = new MediaRouter({ root, cache });
    const hits = { count: 0 };
    const server = client(t, (environ: Environ) => {
      const result = media.handle(environ);
      if (result instanceof WsgiResponse) hits.count++;
      return result as WsgiResponse;
    });
    for (let round = 0; round < 2; round++)
      for (const name of Object.keys(files)) await (await server.get(`/${name}`)).text();
    t.equal(hits.count, 0, 'the oldest are gone when it is their turn again');
    await server.get('/29.txt');
    t.equal(hits.count, 'maxFileBytes' in cache ? 0 : 1, JSON.stringify(cache));
  }
});

t.test('conditions on files', async (t) => {
  const root = folder(t, { 'small.txt': 'abc', 'big.txt': 'x'.repeat(100_000) });
  const server = router(t, { root, headers: [['X-Own', 'yes']] });
  for (const name of ['small', 'big', 'small']) {
    const target = `/${name}.txt`;
    const tag = (await server.head(target)).header('etag') ?? '';
    const rows: [Record<string, string>, number][] = [
      [{ 'if-none-match': tag }, 304],
      [{ 'if-none-match': `"x", W/${tag}` }, 304],
      [{ 'if-none-match': '"x"', 'if-modified-since': OLD_TEXT }, 200],
      [{ 'if-modified-since': OLD_TEXT }, 304],
      [{ 'if-match': tag }, 200],
      [{ 'if-match': '"x"' }, 412],
      [{ 'if-unmodified-since': 'Wed, 06 May 2020 07:08:08 GMT' }, 412],
      [{ 'if-none-match': tag, range: 'bytes=0-1' }, 304],
      [{ 'if-match': '"x"', range: 'bytes=0-1' }, 412],
      [{ range: 'bytes=0-1' }, 206],
      [{ range: 'bytes=0-1', 'if-range': tag }, 206],
      [{ range: 'bytes=0-1', 'if-range': `W/${tag}` }, 200],
      [{ range: 'bytes=0-1', 'if-range': '"x"' }, 200],
      [{ range: 'bytes=0-1', 'if-range': OLD_TEXT }, 206],
      [{ range: 'bytes=0-1', 'if-range': 'Wed, 06 May 2020 07:08:10 GMT' }, 200],
      [{ range: 'bytes=0-1', 'if-range': 'nonsense' }, 200],
      [{ range: 'bytes=900000-' }, 416],
      [{ range: 'bytes=900000-', 'if-range': '"x"' }, 200],
    ];
    for (const [headers, status] of rows) {
      const response = await server.get(target, { headers });
      t.equal(response.status, status, `${target} ${JSON.stringify(headers)}`);
      const text = await response.text();
      if (status === 304) {
        t.same(
          response.headers.map(([key]) => key).filter((key) => key !== 'Date'),
          ['ETag', 'X-Content-Type-Options', 'Cache-Control', 'X-Own'],
        );
        t.equal(text, '');
      }
      if (status === 206) {
        t.equal(response.header('content-length'), '2');
        t.equal(text.length, 2);
      }
      const size = name === 'small' ? 3 : 100_000;
      if (status === 416) t.equal(response.header('content-range'), `bytes */${size}`);
      if (status === 206) t.equal(response.header('content-range'), `bytes 0-1/${size}`);
    }
    const head = await server.head(target, { headers: { range: 'bytes=0-1' } });
    t.equal(head.status, 200, 'HEAD has no ranges');
  }
  const fresh = t.testdir({ 'new.txt': 'abc' });
  const young = router(t, { root: fresh });
  const tag = (await young.head('/new.txt')).header('etag') ?? '';
  t.match(tag, /^W\//);
  const ranged = await young.get('/new.txt', { headers: { range: 'bytes=0-1', 'if-range': tag } });
  t.equal(ranged.status, 200, 'a weak tag begs no range');
  t.same(await leftOpen(root), []);
});

/** The parts of a multipart/byteranges body, read by its boundary. */
function readParts(type: string, body: string): { range: string; type: string; text: string }[] {
  const boundary = /^multipart\/byteranges; boundary=(\S+)$/.exec(type)?.[1];
  const pieces = body.split(`\r\n--${boundary}`);
  if (pieces.shift() !== '' || pieces.pop() !== '--\r\n') throw new Error(`no multipart: ${body}`);
  return pieces.map((piece) => {
    const match = /^\r\nContent-Type: (.*)\r\nContent-Range: bytes (.*)\r\n\r\n([\s\S]*)$/.exec(piece);
    if (match === null) throw new Error(`no part: ${piece}`);
    return { type: match[1] ?? '', range: match[2] ?? '', text: match[3] ?? '' };
  });
}

t.test('ranges are those of range-parser', async (t) => {
  const text = Array.from({ length: 50 }, (_, i) => String.fromCharCode(48 + i)).join('');
  const root = folder(t, { 'a.txt': text });
  const memory = router(t, { root });
  const disk = router(t, { root, cache: false });
  const spec = fc.oneof(
    fc.tuple(fc.nat(60), fc.nat(60)).map(([a, b]) => `${a}-${b}`),
    fc.nat(60).map((a) => `${a}-`),
    fc.nat(50).map((a) => `-${a}`),
    fc.constantFrom(
      ' 1-2',
      '3 - 4',
      '-',
      'a-b',
      '',
      '--1',
      '1-2-3',
      '99999999999999999999-',
      '0-99999999999999999999',
    ),
  );
  const header = fc
    .tuple(
      fc.constantFrom('bytes', 'bytes', 'bytes', 'items', 'BYTES'),
      fc.array(spec, { minLength: 1, maxLength: 10 }),
    )
    .map(([unit, specs]) => `${unit}=${specs.join(',')}`);
  await fc.assert(
    fc.asyncProperty(header, fc.boolean(), async (range, isHot) => {
      const response = await (isHot ? memory : disk).get('/a.txt', { headers: { range } });
      const body = await response.text();
      const isBytes = /^bytes=/i.test(range);
      const wanted = parseRange(50, range, { combine: true });
      if (!isBytes || wanted === -2) {
        t.same([response.status, body], [200, text], range);
      } else if (wanted === -1) {
        t.equal(response.status, 416, range);
      } else {
        const parts = wanted.map(({ start, end }) => ({
          type: 'text/plain; charset=utf-8',
          range: `${start}-${end}/50`,
          text: text.slice(start, end + 1),
        }));
        t.equal(response.status, 206, range);
        t.equal(response.header('content-length'), String(body.length), range);
        if (parts.length === 1) {
          t.same([response.header('content-range'), body], [`bytes ${parts[0]?.range}`, parts[0]?.text]);
        } else {
          t.equal(response.header('content-range'), undefined);
          t.same(readParts(response.header('content-type') ?? '', body), parts, range);
        }
      }
    }),
    { numRuns: 400 },
  );
  t.same(await leftOpen(root), []);
});

t.test('ranges: what the oracle does not have', async (t) => {
  const root = folder(t, { 'a.txt': '0123456789' });
  for (const cache of [{}, false] as const) {
    const server = router(t, { root, cache, maxRanges: 3 });
    const get = async (range: string) => {
      const response = await server.get('/a.txt', { headers: { range } });
      return [response.status, await response.text()];
    };
    t.same(await get('bytes=-20'), [206, '0123456789'], 'a longer suffix is all of it');
    t.same(await get('bytes=-0'), [416, (await get('bytes=-0'))[1]]);
    t.same(await get('bytes=0-0,0-1,0-2'), [206, '012'], 'overlapping ones are one');
    t.same(await get('bytes=0-0,2-2,4-4,6-6'), [200, '0123456789'], 'too many are left out of account');
    t.same(await get(`bytes=${'0-0,'.repeat(20_000)}`), [200, '0123456789']);
    t.same(await get(`bytes=${'0'.repeat(10_000)}-`), [206, '0123456789']);
    t.same(await get('bytes'), [200, '0123456789']);
  }
});

t.test('folders: index, redirect, listing', async (t) => {
  const root = folder(t, {
    'index.html': 'home',
    docs: { 'index.html': 'docs', 'home.htm': 'htm' },
    other: { 'home.htm': 'htm', '<b>&"\'.txt': 'x', 'javascript:alert(1)': 'x', '.hidden': 'x', sub: {} },
    empty: {},
  });
  const server = router(t, { root });
  t.equal(await (await server.get('/')).text(), 'home');
  t.equal(await (await server.get('/docs/')).text(), 'docs');
  const redirected = await server.get('/docs?a=%2F%2Fb');
  t.same([redirected.status, redirected.header('location')], [308, '/docs/?a=%2F%2Fb']);
  t.equal((await server.get('/other')).status, 404, 'nothing is told of a folder without an index');
  t.equal((await server.get('/other/')).status, 404);
  t.equal((await server.get('/docs/index.html/')).status, 404);
  const several = router(t, { root, index: ['index.html', 'home.htm'] });
  t.equal(await (await several.get('/other/')).text(), 'htm');
  t.equal(await (await several.get('/docs/')).text(), 'docs');

  const listed = router(t, { root, listing: true });
  const page = await listed.get('/other/');
  t.match(page.header('content-security-policy'), "default-src 'none'");
  t.equal(page.header('x-content-type-options'), 'nosniff');
  const text = await page.text();
  t.match(text, '<title>/other/</title>');
  t.match(text, '<a href="./sub/">sub/</a>');
  t.match(text, `<a href="./%3Cb%3E%26%22&#39;.txt">&lt;b&gt;&amp;&quot;&#39;.txt</a>`);
  t.match(text, '<a href="./javascript%3Aalert(1)">');
  t.notMatch(text, 'hidden');
  t.match(text, '<a href="../">');
  t.equal(await (await listed.get('/docs/')).text(), 'docs', 'an index comes first');
  t.equal((await listed.get('/empty')).status, 308);
  t.equal((await listed.get('/%3Cscript%3E/')).status, 404);
  t.equal(await (await listed.head('/other/')).text(), '');
  t.same(await leftOpen(root), []);
});

t.test('a redirect stays on this site', async (t) => {
  const root = folder(t, { docs: { 'index.html': 'x' }, 'evil.com': { 'index.html': 'x' } });
  const server = router(t, { root });
  for (const target of [
    '//evil.com',
    '///evil.com',
    '//evil.com/..',
    '/%2Fevil.com',
    '/\\evil.com',
    '/%5Cevil.com',
  ]) {
    const response = await server.get(target);
    t.match(String(response.status), /^4/, target);
    t.equal(response.header('location'), undefined, target);
  }
  t.equal((await server.get('/evil.com')).header('location'), '/evil.com/');
  const mounted = client(t, ((environ: Environ) => {
    environ.SCRIPT_NAME = '/app ü?';
    const rest = environ['vela.raw_path'].slice('/app'.length);
    environ['vela.raw_path'] = rest;
    environ.PATH_INFO = rest;
    return new MediaRouter({ root }).handle(environ);
  }) as App);
  t.equal((await mounted.get('/app/docs')).header('location'), '/app%20%C3%BC%3F/docs/');
});

t.test('prefix, and what is passed on', async (t) => {
  const root = folder(t, { 'index.html': 'home', 'a.css': 'a', 'b.txt': 'b', about: { 'x.css': 'x' } });
  const next: App = (environ) => new WsgiResponse({ content: `next ${environ.REQUEST_METHOD}` });
  const texts = async (options: MediaRouterOptions, ...targets: string[]) => {
    const server = client(t, new WsgiHandler([lint(new MediaRouter(options) as unknown as App), next]));
    return Promise.all(
      targets.map(async (target) => {
        const [method = 'GET', path = target] = target.includes(' ') ? target.split(' ') : ['GET', target];
        const response = await server.request(path, { method });
        return `${response.status} ${response.header('location') ?? (await response.text())}`.trim();
      }),
    );
  };
  t.same(
    await texts(
      { root, prefix: '/static/' },
      '/',
      '/static',
      '/static/',
      '/staticx',
      '/static/a.css',
      '/static/none',
    ),
    ['200 next GET', '308 /static/', '200 home', '200 next GET', '200 a', '404 Not Found'],
  );
  t.same(
    await texts(
      { root, passesOn: true },
      '/a.css',
      '/none',
      'POST /a.css',
      'OPTIONS /a.css',
      '/%2e%2e/x',
      '/.env',
      '/x%2Fy',
      '/about',
    ),
    [
      '200 a',
      '200 next GET',
      '200 next POST',
      '200 next OPTIONS',
      '200 next GET',
      '200 next GET',
      '200 next GET',
      '200 next GET',
    ],
  );
  t.same(
    await texts(
      { root, serveOnly: ['.css', /^\/index\.html$/] },
      '/a.css',
      '/',
      '/b.txt',
      '/none.css',
      '/none',
      '/A.CSS',
    ),
    ['200 a', '200 home', '200 next GET', '404 Not Found', '404 Not Found', '404 Not Found'],
  );
  t.same(await texts({ root, defaultSuffix: '.css' }, '/a', '/b', '/none', '/a/'), [
    '200 a',
    '404 Not Found',
    '404 Not Found',
    '404 Not Found',
  ]);
});

t.test('methods', async (t) => {
  const root = folder(t, { 'a.txt': 'a' });
  const server = router(t, { root });
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'PROPFIND']) {
    const response = await server.request('/a.txt', { method, body: 'x' });
    t.same([response.status, response.header('allow')], [405, 'GET, HEAD, OPTIONS'], method);
  }
  const options = await server.options('/a.txt');
  t.same([options.status, options.header('allow')], [204, 'GET, HEAD, OPTIONS']);
});

t.test('404.html', async (t) => {
  const root = folder(t, { '404.html': '<h1>gone</h1>', 'big.html': 'x'.repeat(100_000) });
  for (const options of [{}, { cache: false }, { precompressed: true }] as const) {
    const server = router(t, { root, ...options });
    for (let i = 0; i < 2; i++) {
      const response = await server.get('/none', { headers: { 'if-none-match': '*', range: 'bytes=0-1' } });
      t.equal(response.status, 404);
      t.equal(response.header('content-type'), 'text/html; charset=utf-8');
      t.equal(response.header('etag'), undefined);
      t.equal(response.header('cache-control'), 'no-cache');
      t.equal(await response.text(), '<h1>gone</h1>');
      t.equal((await server.head('/none')).header('content-length'), '13');
    }
    t.equal((await server.get('/404.html')).status, 200);
  }
  const { response, text } = await ask(t, new MediaRouter({ root, notFoundPage: 'big.html' }), '/none');
  t.same([response.status, text.length], [404, 100_000]);
  const none = await ask(t, new MediaRouter({ root, notFoundPage: '' }), '/none');
  t.same([none.response.status, none.text], [404, 'Not Found\n']);
  t.same(await leftOpen(root), []);
});

t.test('pre-compressed files', async (t) => {
  const script = 'x'.repeat(1000);
  const root = folder(t, {
    'a.js': script,
    'a.js.br': brotliCompressSync(script),
    'a.js.gz': gzipSync(script),
    'b.js': script,
    'b.js.gz': gzipSync(script),
    'c.js': script,
  });
  const big = new MediaRouter({ root, precompressed: true, cache: { maxFileBytes: 10 } });
  for (const server of [router(t, { root, precompressed: true }), client(t, big)]) {
    const tags = new Set<string | undefined>();
    for (let i = 0; i < 2; i++) {
      const rows: [string, string | undefined, string | undefined, string | undefined][] = [
        ['/a.js', undefined, undefined, 'Accept-Encoding'],
        ['/a.js', 'gzip, deflate, br', 'br', 'Accept-Encoding'],
        ['/a.js', 'gzip', 'gzip', 'Accept-Encoding'],
        ['/a.js', 'br;q=0.5, gzip;q=0.9', 'gzip', 'Accept-Encoding'],
        ['/a.js', 'br;q=0, gzip;q=0', undefined, 'Accept-Encoding'],
        ['/a.js', 'identity, br;q=0.1', undefined, 'Accept-Encoding'],
        ['/a.js', '*', 'br', 'Accept-Encoding'],
        ['/a.js', 'nonsense;;;,=', undefined, 'Accept-Encoding'],
        ['/b.js', 'br', undefined, 'Accept-Encoding'],
        ['/b.js', 'br, gzip', 'gzip', 'Accept-Encoding'],
        ['/c.js', 'br, gzip', undefined, undefined],
      ];
      for (const [target, accept, coding, vary] of rows) {
        const name = `${target} ${accept}`;
        const headers = accept === undefined ? {} : { 'accept-encoding': accept };
        const response = await server.get(target, { headers });
        t.equal(response.header('content-encoding'), coding, name);
        t.equal(response.header('vary'), vary, name);
        t.equal(response.header('content-type'), 'text/javascript; charset=utf-8', name);
        const bytes = await response.bytes();
        t.equal(bytes.length < 100, coding !== undefined, name);
        if (target === '/a.js') tags.add(response.header('etag'));
        const again = await server.get(target, {
          headers: { ...headers, 'if-none-match': response.header('etag') ?? '' },
        });
        t.same([again.status, again.header('vary')], [304, vary], name);
      }
    }
    t.equal(tags.size, 3, 'each coding has a tag of its own');
  }
  const off = await ask(t, new MediaRouter({ root }), '/a.js', { headers: { 'accept-encoding': 'br' } });
  t.equal(off.response.header('content-encoding'), undefined);
  t.same(await leftOpen(root), []);
});

t.test('media types, Cache-Control, downloads', async (t) => {
  const names = [
    'a.html',
    'a.css',
    'a.mjs',
    'a.json',
    'a.svg',
    'a.PNG',
    'a.glb',
    'html',
    'a.constructor',
    'a.__proto__',
  ];
  const root = folder(t, Object.fromEntries(names.map((name) => [name, 'x'])));
  const types: Record<string, string> = { glb: 'model/gltf-binary' };
  const server = router(t, {
    root,
    types,
    download: true,
    cacheControl: (path) => (path.endsWith('.css') ? 'public, max-age=31536000, immutable' : ''),
  });
  const found: Record<string, string | undefined> = {};
  for (const name of names) found[name] = (await server.get(`/${name}`)).header('content-type');
  t.same(found, {
    'a.html': 'text/html; charset=utf-8',
    'a.css': 'text/css; charset=utf-8',
    'a.mjs': 'text/javascript; charset=utf-8',
    'a.json': 'application/json',
    'a.svg': 'image/svg+xml',
    'a.PNG': 'image/png',
    'a.glb': 'model/gltf-binary',
    html: 'application/octet-stream',
    'a.constructor': 'application/octet-stream',
    'a.__proto__': 'application/octet-stream',
  });
  const css = await server.get('/a.css');
  t.equal(css.header('cache-control'), 'public, max-age=31536000, immutable');
  t.equal(css.header('content-disposition'), 'attachment; filename="a.css"');
  t.equal((await server.get('/a.html')).header('cache-control'), undefined);
});

t.test('fileResponse', async (t) => {
  const root = folder(t, {
    'a.txt': '0123456789',
    sub: {},
    'ü.txt': 'x',
    'a.txt.gz': gzipSync('0123456789'),
  });
  writeFileSync(`${root}/../outside.txt`, 'secret');
  const get = async (
    path: string | URL,
    options: FileResponseOptions = {},
    headers: Record<string, string> = {},
  ) => {
    const { response, text } = await ask(t, (environ) => fileResponse(environ, path, options), '/', {
      headers,
    });
    return { status: response.status, header: (name: string) => response.header(name), text };
  };
  t.match(await get(`${root}/a.txt`), { status: 200, text: '0123456789' });
  t.match(await get(new URL(`file://${root}/a.txt`)), { status: 200, text: '0123456789' });
  t.match(await get('a.txt', { root }), { status: 200 });
  t.match(await get('a.txt', { root }, { range: 'bytes=2-3' }), { status: 206, text: '23' });
  t.equal(
    (await get('a.txt', { root, precompressed: true }, { 'accept-encoding': 'gzip' })).header(
      'content-encoding',
    ),
    'gzip',
  );
  for (const path of [
    'none',
    'sub',
    '../outside.txt',
    '/etc/passwd',
    'a\0b',
    `${root}/../outside.txt`,
    'x'.repeat(5000),
  ])
    t.equal((await get(path, { root })).status, 404, path);
  const dispositions: [boolean | string, string | undefined][] = [
    [false, undefined],
    [true, 'attachment; filename="a.txt"'],
    [
      'Bericht "März" 50%.pdf',
      `attachment; filename="Bericht _M_rz_ 50_.pdf"; filename*=UTF-8''Bericht%20%22M%C3%A4rz%22%2050%25.pdf`,
    ],
    ['../../etc/passwd', 'attachment; filename="passwd"'],
    ['..\\x.exe', 'attachment; filename="x.exe"'],
    ['a\r\nSet-Cookie: b', 'attachment; filename="a__Set-Cookie: b"'],
    ["it's (1)*.txt", `attachment; filename="it's (1)*.txt"`],
    ['\ud800', `attachment; filename="_"; filename*=UTF-8''%EF%BF%BD`],
    ['', 'attachment; filename="download"'],
    ['..', 'attachment; filename="download"'],
  ];
  for (const [download, expected] of dispositions)
    t.equal(
      (await get('a.txt', { root, download })).header('content-disposition'),
      expected,
      String(download),
    );
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 40 }), async (download) => {
      const { status, header } = await get('a.txt', { root, download });
      const value = header('content-disposition') ?? '';
      const full = /filename\*=UTF-8''([!#$&+.^_`|~\w%-]+)$/.exec(value)?.[1];
      if (full !== undefined) decodeURIComponent(full);
      return status === 200 && /^attachment; filename="[^"%\\]*"(; filename\*=.+)?$/.test(value);
    }),
    { numRuns: 200 },
  );
  for (const options of [
    { root: '' },
    { download: 1 },
    { contentType: 'a\nb' },
    { cacheControl: 5 },
    { blockBytes: 1 },
    { maxRanges: 0 },
    { precompressed: 'br' },
    { headers: [['ETag', 'x']] },
    { headers: [['a b', 'x']] },
    { roots: 'x' },
  ]) {
    await t.rejects(fileResponse({} as Environ, '/x', options as never), JSON.stringify(options));
  }
  t.same(await leftOpen(root), []);
});

t.test('a slow reader gets the file as it is, though its blocks share their memory', async (t) => {
  const bytes = randomBytes(12_000_000);
  const root = folder(t, { 'a.bin': bytes });
  const expected = createHash('sha256').update(bytes).digest('hex');
  for (const gateway of GATEWAYS) {
    // A program may have raised it for all streams: `write` would give true while a block is still under way.
    setDefaultHighWaterMark(false, 64 << 20);
    t.teardown(() => setDefaultHighWaterMark(false, 16_384));
    const app: App = (environ) =>
      fileResponse(environ, 'a.bin', { root, blockBytes: Number(environ.QUERY_STRING) });
    const server = await serve(app, { bind: '127.0.0.1:0', gateway, logLevel: 'silent' });
    for (const blockBytes of [4096, 65_536, 131_072, 1_048_576]) {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
      socket.write(`GET /?${blockBytes} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      const pieces: Buffer[] = [];
      for await (const piece of socket) {
        pieces.push(piece as Buffer);
        if (pieces.length % 8 === 0) await sleep(1);
      }
      const body = Buffer.concat(pieces).subarray(-bytes.length);
      t.equal(createHash('sha256').update(body).digest('hex'), expected, `${gateway} ${blockBytes}`);
    }
    await server.close();
  }
});

t.test('whoever collects the chunks of a file has each in its own memory', async (t) => {
  const bytes = randomBytes(400_000);
  const root = folder(t, { 'a.bin': bytes });
  const collect: ResponseMiddleware = async (_environ, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.content as AsyncIterable<Uint8Array>) chunks.push(chunk);
    response.content = Buffer.concat(chunks);
  };
  const collecting = new WsgiHandler([(environ) => fileResponse(environ, 'a.bin', { root })], {
    responseMiddleware: [collect],
  });
  t.ok(bytes.equals(await (await client(t, collecting).get('/')).bytes()));
  const started: App = async (environ, start) =>
    (await fileResponse(environ, 'a.bin', { root })).start(start);
  t.ok(
    bytes.equals(await (await client(t, started).get('/')).bytes()),
    'lint finds nothing changed too early',
  );
});

t.test('options of MediaRouter', async (t) => {
  const root = t.testdir({ file: 'x' });
  const wrong: object[] = [
    {},
    { root: 5 },
    { prefix: 'static' },
    { prefix: '/a//b' },
    { index: 'index.html' },
    { index: ['../x'] },
    { listing: 1 },
    { serveOnly: ['css'] },
    { serveOnly: [/x/g] },
    { defaultSuffix: 'html' },
    { defaultSuffix: './x' },
    { notFoundPage: '../x' },
    { passesOn: 'yes' },
    { servesDotfiles: 0 },
    { cacheControl: 'a\nb' },
    { download: 'x' },
    { types: { '.css': 'x' } },
    { types: { css: 'a\nb' } },
    { types: [] },
    { cache: true },
    { cache: { maxAge: 1 } },
    { cache: { maxAgeMs: -1 } },
    { precompressed: ['br'] },
    { headers: [['Content-Length', '5']] },
    { blockBytes: 1e9 },
    { maxRanges: 1.5 },
    { show: true },
  ];
  for (const options of wrong)
    t.throws(
      () =>
        new MediaRouter(
          ('root' in options
            ? options
            : { ...options, ...(Object.keys(options).length > 0 && { root }) }) as never,
        ),
      JSON.stringify(options),
    );
  t.throws(() => new MediaRouter([] as never), TypeError);
  for (const path of ['/none', '/file']) {
    await t.rejects(new MediaRouter({ root: `${root}${path}` }).start(), { code: 'ERR_CONFIG_INVALID' });
  }
  t.match(new MediaRouter({ root, prefix: '/s/' }).describe(), { name: 'MediaRouter', root, prefix: '/s' });
});

t.test('what lies outside, or is no file, is not sent', async (t) => {
  const base = t.testdir({
    secret: 'secret',
    rootlike: { x: 'secret' },
    root: { 'a.txt': 'a', sub: { 'b.txt': 'b' }, '.env': 'secret', '.git': { config: 'secret' } },
  });
  const root = `${base}/root`;
  symlinkSync('../secret', `${root}/out`);
  symlinkSync('..', `${root}/up`);
  symlinkSync('../rootlike', `${root}/like`);
  symlinkSync('a.txt', `${root}/in`);
  symlinkSync('sub', `${root}/subin`);
  symlinkSync('loop', `${root}/loop`);
  symlinkSync('/dev/zero', `${root}/zero`);
  symlinkSync('/proc/self/environ', `${root}/environ`);
  execFileSync('mkfifo', [`${root}/fifo`]);
  const server = router(t, { root, listing: true, precompressed: true });
  for (const [target, status] of [
    ['/in', 200],
    ['/subin/b.txt', 200],
    ['/out', 404],
    ['/up/secret', 404],
    ['/up/', 404],
    ['/up', 404],
    ['/like/x', 404],
    ['/like/', 404],
    ['/loop', 404],
    ['/zero', 404],
    ['/environ', 404],
    ['/fifo', 404],
    ['/fifo/', 404],
    ['/.env', 404],
    ['/.git/config', 404],
    ['/sub/../a.txt', 400],
    ['/a.txt/', 404],
    ['/a.txt/b', 404],
  ] as const) {
    const response = await server.get(target);
    t.equal(response.status, status, target);
    t.notMatch(await response.text(), 'secret', target);
  }
  const dots = router(t, { root, servesDotfiles: true });
  t.equal(await (await dots.get('/.env')).text(), 'secret');
  t.equal(await (await dots.get('/.git/config')).text(), 'secret');
  t.equal((await dots.get('/../secret')).status, 400);
  t.same(await leftOpen(base), []);
  // A link as the root itself, moved to another release.
  mkdirSync(`${base}/v2`);
  writeFileSync(`${base}/v2/a.txt`, 'v2');
  symlinkSync('root', `${base}/current`);
  const current = router(t, { root: `${base}/current`, cache: false });
  t.equal(await (await current.get('/a.txt')).text(), 'a');
  symlinkSync('v2', `${base}/next`);
  renameSync(`${base}/next`, `${base}/current`);
  t.equal(await (await current.get('/a.txt')).text(), 'v2', 'at once');
});

t.test('without /proc a path is resolved again, and compared', async (t) => {
  const base = t.testdir({ secret: { f: 'secret' }, root: { 'a.txt': 'a', sub: { 'b.txt': 'b' } } });
  const root = `${base}/root`;
  symlinkSync('../secret', `${root}/out`);
  symlinkSync('../secret/f', `${root}/outfile`);
  symlinkSync('sub', `${root}/in`);
  Object.defineProperty(process, 'platform', { value: 'darwin' });
  t.teardown(() => Object.defineProperty(process, 'platform', { value: 'linux' }));
  const server = router(t, { root, listing: true });
  const status = async (target: string) => (await server.get(target)).status;
  t.same(await Promise.all(['/a.txt', '/in/b.txt', '/', '/in/'].map(status)), [200, 200, 200, 200]);
  t.same(await Promise.all(['/out', '/out/', '/out/f', '/outfile'].map(status)), [404, 404, 404, 404]);
  t.same(await leftOpen(base), []);
});

t.test('a file is closed when its response is not sent', async (t) => {
  const root = folder(t, { 'big.bin': 'x'.repeat(1_000_000) });
  const media = new MediaRouter({ root });
  const replace: ResponseMiddleware = () => new WsgiResponse({ content: 'other' });
  const refuse: ResponseMiddleware = (_environ, response) => {
    response.setHeader('X-Bad', 'a\nb');
  };
  const fail: ResponseMiddleware = () => {
    throw new Error('broken');
  };
  for (const [middleware, status] of [
    [replace, 200],
    [refuse, 500],
    [fail, 500],
  ] as const) {
    const app = new WsgiHandler([media], { responseMiddleware: [middleware] });
    const server = testClient(app);
    t.equal((await server.get('/big.bin')).status, status);
    await server.close();
    t.same(await leftOpen(root), []);
  }
  const server = router(t, { root });
  for (let i = 0; i < 100; i++) {
    const abort = new AbortController();
    const request = server.get('/big.bin', { signal: abort.signal });
    for (let turn = 0; turn < i % 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    abort.abort();
    await request.catch(() => undefined);
  }
  t.same(await leftOpen(root), []);
});

t.test('compress() and etag() go with files', async (t) => {
  const root = folder(t, {
    'a.js': 'x'.repeat(2000),
    'big.js': 'x'.repeat(100_000),
    'a.js.gz': gzipSync('x'),
  });
  const vary: HeaderPair[] = [['Vary', 'Accept-Encoding']];
  const app = new WsgiHandler([new MediaRouter({ root, headers: vary })], {
    responseMiddleware: [compress(), etag()],
  });
  const server = testClient(lint(app));
  for (const target of ['/a.js', '/big.js', '/a.js']) {
    const headers = { 'accept-encoding': 'gzip' };
    const response = await server.get(target, { headers });
    t.equal(response.header('content-encoding'), 'gzip');
    t.equal(response.header('vary'), 'Accept-Encoding');
    t.match(response.header('etag'), /^W\//);
    t.equal(gunzipSync(await response.bytes()).length, target === '/a.js' ? 2000 : 100_000);
    const again = await server.get(target, {
      headers: { ...headers, 'if-none-match': response.header('etag') ?? '' },
    });
    t.same([again.status, again.header('vary')], [304, 'Accept-Encoding']);
    const part = await server.get(target, { headers: { ...headers, range: 'bytes=0-9' } });
    t.same([part.status, await part.text(), part.header('content-encoding')], [206, 'xxxxxxxxxx', undefined]);
  }
  await server.close();
  t.same(await leftOpen(root), []);
});

t.test('readPreconditions and evaluatePreconditions guard a change', async (t) => {
  let version = 1;
  const app: Middleware = async (environ) => {
    const conditions = readPreconditions(environ);
    await environ['wsgi.input'].read();
    if (evaluatePreconditions(conditions, { etag: `"${version}"` }) !== undefined)
      return new WsgiResponse({ status: 412, content: 'no' });
    version++;
    return new WsgiResponse({ status: 204 });
  };
  const server = client(t, app);
  const put = async (headers: Record<string, string>) =>
    (await server.put('/', { headers, body: 'x' })).status;
  t.equal(await put({ 'if-match': '"1"' }), 204);
  t.equal(await put({ 'if-match': '"1"' }), 412);
  t.equal(await put({ 'if-none-match': '*' }), 412);
  t.equal(await put({}), 204);
  t.equal(version, 3);
});

t.test('a link that is swapped to and fro never lets a secret out', async (t) => {
  const base = t.testdir({ secret: { f: 'secret' }, root: { good: { f: 'good' } } });
  const root = `${base}/root`;
  const swap = (target: string) => {
    symlinkSync(target, `${root}/tmp`);
    renameSync(`${root}/tmp`, `${root}/d`);
  };
  swap('good');
  const server = router(t, { root, cache: false });
  const seen = new Set<string>();
  let isOver = false;
  const swapping = (async () => {
    for (let i = 0; !isOver; i++) {
      swap(i % 2 === 0 ? '../secret' : 'good');
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  for (let i = 0; i < 400; i++) seen.add(await (await server.get('/d/f')).text());
  isOver = true;
  await swapping;
  t.notOk(seen.has('secret'));
  t.ok(seen.has('good'));
  t.ok(seen.has('Not Found\n'));
});

t.test('any path is answered, never with 500', async (t) => {
  const root = folder(t, { 'a.txt': 'a', d: { 'index.html': 'x' } });
  const server = router(t, { root, listing: true, defaultSuffix: '.txt', precompressed: true });
  const unit = fc.constantFrom(
    '/',
    '.',
    '..',
    '%2e',
    '%2F',
    '%5c',
    '%00',
    '%',
    '%ff',
    '%c3%a4',
    'a',
    'a.txt',
    'd',
    '~',
    ';',
    ':',
    '%0a',
    '%e2%80%ae',
    '%25',
    '*',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(unit, { maxLength: 8 }), async (parts) => {
      const target = `/${parts.join('')}`;
      const response = await server.get(target);
      await response.text();
      const { status } = response;
      return status === 200 || status === 308 || (status >= 400 && status < 500);
    }),
    { numRuns: 2000 },
  );
  t.same(await leftOpen(root), []);
});

for (const gateway of GATEWAYS) {
  t.test(`hostile paths over a raw socket: ${gateway}`, async (t) => {
    const base = folder(t, { secret: 'secret', root: { 'a.txt': 'a', 'evil.com': { 'index.html': 'x' } } });
    const server = await serving(t, new MediaRouter({ root: `${base}/root` }), gateway);
    const { port } = server.address as { port: number };
    const paths = [
      '/../secret',
      '/./a.txt',
      '/..',
      '/../',
      '/a.txt/../../secret',
      '/%2e%2e/secret',
      '/%2e%2e%2fsecret',
      '/..%2fsecret',
      '/..%5csecret',
      '/..\\secret',
      '/%252e%252e/secret',
      '/%c0%ae%c0%ae/secret',
      '/%uff0e',
      '/a.txt%00',
      '/a.txt%00.html',
      '/%',
      '/%zz',
      '/%ff',
      '//etc/passwd',
      '///',
      '/a.txt/',
      '//evil.com',
      '//evil.com/..',
      '/%2Fevil.com',
      '/.a',
      '/..;/secret',
      '/a.txt%0a',
      '/a.txt%0d%0aX:y',
      `/${'a'.repeat(300)}`,
      `/${'a/'.repeat(1500)}`,
      `/${'%41'.repeat(1000)}`,
      '/a.txt::$DATA',
      '/con',
      '/%e2%80%ae',
      '/file:///etc/passwd',
      '/~root',
      `/${'../'.repeat(500)}etc/passwd`,
      '/\x80\xff',
      '/a.txt?%zz',
      '/a.txt#x',
    ];
    for (const path of paths) {
      const wire = await Wire.open({ host: '127.0.0.1', port });
      wire.socket.write(
        Buffer.from(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`, 'latin1'),
      );
      const response = await wire.response();
      const isGood = response.status >= 400 ? response.status < 500 : response.body.toString() === 'a';
      t.ok(isGood, `${JSON.stringify(path.slice(0, 60))} ${response.status}`);
      t.equal(headerValue(response, 'location'), undefined);
      wire.destroy();
    }
    const headers = [
      'Range: bytes=\x80',
      `Range: bytes=${'0-1,'.repeat(1000)}`,
      'Range: \xff',
      'Range: bytes=0-0\r\nRange: bytes=1-1',
      'If-Range: \x80"',
      'If-None-Match: \x80',
      `If-None-Match: ${'"a",'.repeat(1500)}`,
      `If-None-Match: ${' '.repeat(5000)}x`,
      'If-Modified-Since: 99999',
      'If-Modified-Since: Wed, 99 May 2020 99:99:99 GMT',
      'If-Unmodified-Since: \x80',
      `Accept-Encoding: ${'br;q=0.1,'.repeat(500)}`,
      'Accept-Encoding: \x80',
      'Range: bytes=-',
      'Range: bytes=--5',
      'Range: bytes=1e3-',
      'Range: bytes=0x1-',
    ];
    for (const header of headers) {
      const wire = await Wire.open({ host: '127.0.0.1', port });
      wire.socket.write(
        Buffer.from(`GET /a.txt HTTP/1.1\r\nHost: a\r\n${header}\r\nConnection: close\r\n\r\n`, 'latin1'),
      );
      const { status } = await wire.response();
      t.ok(
        [200, 206, 304, 400, 412, 416, 431].includes(status),
        `${JSON.stringify(header.slice(0, 60))} ${status}`,
      );
      wire.destroy();
    }
    const page = await fetch(`${server.url}/none`, { headers: { accept: 'application/json' } });
    t.same([page.status, await page.json()], [404, { status: 404, message: 'Not Found' }]);
    t.same(await leftOpen(base), []);
  });

  t.test(`curl gets files, ranges and conditions: ${gateway}`, async (t) => {
    const bytes = Buffer.alloc(3_000_000, 'abcdefghij');
    const root = folder(t, { 'big.bin': bytes, 'small.txt': '0123456789' });
    const server = await serving(t, new MediaRouter({ root }), gateway);
    const curl = async (...args: string[]) => {
      const { stdout } = await promisify(execFile)('curl', ['-s', '-m', '10', ...args], {
        encoding: 'buffer',
        maxBuffer: 10_000_000,
      });
      return stdout;
    };
    const code = ['-o', '/dev/null', '-w', '%{http_code} %header{content-length} %header{content-range}'];
    const big = `${server.url}/big.bin`;
    const small = `${server.url}/small.txt`;
    t.ok((await curl(big)).equals(bytes));
    t.ok((await curl('-r', '1000000-2500000', big)).equals(bytes.subarray(1_000_000, 2_500_001)));
    t.ok((await curl('-r', '-1500000', big)).equals(bytes.subarray(-1_500_000)));
    for (const [name, url, size] of [
      ['big', big, 3_000_000],
      ['small', small, 10],
      ['small', small, 10],
    ] as const) {
      t.equal(String(await curl('-I', ...code, url)).trim(), `200 ${size}`, `HEAD ${name}`);
      t.equal(String(await curl('-r', '5-', ...code, url)), `206 ${size - 5} bytes 5-${size - 1}/${size}`);
      t.match(String(await curl('-r', `${size}-`, ...code, url)), new RegExp(`^416 \\d+ bytes \\*/${size}$`));
      t.match(String(await curl('-z', OLD_TEXT, ...code, url)), /^304\s*$/);
      t.match(String(await curl('-X', 'DELETE', ...code, url)), /^405/);
      const multi = String(await curl('-i', '-r', '0-1,4-5', url));
      const [head = '', ...rest] = multi.split('\r\n\r\n');
      const type = /^content-type: (.*)$/im.exec(head)?.[1] ?? '';
      t.same(
        readParts(type, rest.join('\r\n\r\n')).map((part) => part.text),
        name === 'big' ? ['ab', 'ef'] : ['01', '45'],
      );
    }
    // An interrupted download goes on.
    writeFileSync(`${root}/../part.bin`, bytes.subarray(0, 1_234_567));
    await curl('-C', '-', '-o', `${root}/../part.bin`, big);
    t.ok((await curl(`file://${root}/../part.bin`)).equals(bytes));
    t.same(await leftOpen(root), []);
  });

  t.test(`aborted downloads leave no file open: ${gateway}`, async (t) => {
    const root = folder(t, { 'big.bin': Buffer.alloc(8_000_000, 'x') });
    const server = await serving(t, new MediaRouter({ root }), gateway);
    const { port } = server.address as { port: number };
    for (let round = 0; round < 20; round++) {
      await Promise.all(
        Array.from({ length: 60 }, async (_, i) => {
          const wire = await Wire.open({ host: '127.0.0.1', port });
          const method = i % 6 === 0 ? 'HEAD' : 'GET';
          wire.socket.write(
            `${method} /big.bin HTTP/1.1\r\nHost: a\r\n${i % 6 === 1 ? 'Range: bytes=5-,1-2\r\n' : ''}\r\n`,
          );
          if (i % 3 > 0) await wire.until(() => wire.received.length > 0 || wire.isEnded, 'bytes');
          wire.destroy();
        }),
      );
    }
    t.same(await leftOpen(root), []);
  });

  t.test(`a file that shrinks cuts the response, one that grows does not: ${gateway}`, async (t) => {
    const root = folder(t, {
      'shrink.bin': Buffer.alloc(20_000_000, 'x'),
      'grow.bin': Buffer.alloc(20_000_000, 'x'),
    });
    const server = await serving(t, new MediaRouter({ root }), gateway);
    const { port } = server.address as { port: number };
    for (const name of ['shrink', 'grow']) {
      const wire = await Wire.open({ host: '127.0.0.1', port });
      wire.socket.write(`GET /${name}.bin HTTP/1.1\r\nHost: a\r\n\r\n`);
      await wire.until(() => wire.received.length > 0, 'bytes');
      wire.socket.pause();
      if (name === 'shrink') truncateSync(`${root}/shrink.bin`, 1_000_000);
      else writeFileSync(`${root}/grow.bin`, 'more', { flag: 'a' });
      wire.socket.resume();
      const response = await wire.response({ deadlineMs: 10_000 });
      t.equal(response.status, 200);
      t.equal(headerValue(response, 'content-length'), '20000000');
      t.equal(response.isComplete, name === 'grow');
      wire.destroy();
    }
    t.same(await leftOpen(root), []);
  });

  t.test(`a slow reader holds one block, not the file: ${gateway}`, async (t) => {
    const root = folder(t, { 'big.bin': '' });
    truncateSync(`${root}/big.bin`, 300_000_000);
    const server = await serving(t, new MediaRouter({ root }), gateway);
    const { port } = server.address as { port: number };
    const before = process.memoryUsage().rss;
    const wires = await Promise.all(Array.from({ length: 10 }, () => Wire.open({ host: '127.0.0.1', port })));
    for (const wire of wires) {
      wire.socket.write('GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n');
      await wire.until(() => wire.received.length > 0, 'bytes');
      wire.socket.pause();
    }
    await sleep(300);
    const grown = process.memoryUsage().rss - before;
    t.ok(grown < 150_000_000, `${Math.round(grown / 1e6)} MB`);
    for (const wire of wires) wire.destroy();
    t.same(await leftOpen(root), []);
  });
}

t.test('fileResponse tells nothing of what lies outside its root, and opens nothing there', async (t) => {
  // Not below this project, which may be in a folder that is root's alone: the script becomes somebody else.
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'vela-test-')));
  t.teardown(() => rmSync(base, { recursive: true }));
  chmodSync(base, 0o755);
  for (const name of ['site', 'priv']) mkdirSync(join(base, name));
  for (const name of ['site/a.txt', 'site/closed.txt', 'sitemap', 'priv/s'])
    writeFileSync(join(base, name), 'x');
  symlinkSync(`${base}/priv/s`, `${base}/site/out.txt`);
  const script = `
    import { fileResponse, MediaRouter } from '${new URL('../dist/static/index.js', import.meta.url)}';
    import { requestOf, WsgiHandler } from '${new URL('../dist/index.js', import.meta.url)}';
    import { testClient } from '${new URL('../dist/testing/index.js', import.meta.url)}';
    import { chmodSync } from 'node:fs';
    const base = ${JSON.stringify(base)};
    chmodSync(base + '/priv/s', 0);
    chmodSync(base + '/site/closed.txt', 0);
    if (process.getuid() === 0) { process.setgid(65534); process.setuid(65534); }
    const by = testClient(
      (environ) => fileResponse(environ, requestOf(environ).query.get('p'), { root: base + '/site' }),
      { logLevel: 'silent' });
    const router = testClient(new MediaRouter({ root: base + '/site' }), { logLevel: 'silent' });
    const found = {};
    for (const p of ['../priv/s', '../priv/none', base + '/priv/s', '../sitemap', '/dev/zero', 'out.txt', '', '.',
      'a.txt', 'closed.txt', base + '/site/a.txt'])
      found[p] = (await by.get('/?p=' + encodeURIComponent(p))).status;
    for (const p of ['/out.txt', '/closed.txt', '/a.txt']) found[p] = (await router.get(p)).status;
    console.log(JSON.stringify(found));
    process.exit();`;
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    cwd: new URL('..', import.meta.url),
  });
  t.strictSame(JSON.parse(out), {
    '../priv/s': 404,
    '../priv/none': 404,
    [`${base}/priv/s`]: 404,
    '../sitemap': 404,
    '/dev/zero': 404,
    'out.txt': 404,
    '': 404,
    '.': 404,
    'a.txt': 200,
    'closed.txt': 403,
    [`${base}/site/a.txt`]: 200,
    '/out.txt': 404,
    '/closed.txt': 403,
    '/a.txt': 200,
  });
});

t.test('fileResponse opens no FIFO outside its root', { skip: process.platform === 'win32' }, async (t) => {
  const base = folder(t, { site: { 'a.txt': 'a' } });
  execFileSync('mkfifo', [`${base}/pipe`]);
  const writer = promisify(execFile)('sh', ['-c', `echo woken > ${base}/pipe`], { timeout: 500 });
  const waits = writer.then(
    () => false,
    () => true,
  );
  await sleep(50);
  for (let i = 0; i < 20; i++) {
    const { response } = await ask(t, (environ) =>
      fileResponse(environ, '../pipe', { root: `${base}/site` }),
    );
    t.equal(response.status, 404);
  }
  t.equal(await waits, true, 'whoever waits for a reader waits on');
});

t.test('compress: a 304 has the ETag and the Vary of its 200, a 206 the Vary', async (t) => {
  const text = 'all work and no play makes a dull boy\n'.repeat(200);
  const root = folder(t, { 'a.txt': text, 'b.txt': 'short', 'c.png': text, 'big.txt': text.repeat(20) });
  const makers: Record<string, Middleware> = {
    hot: new MediaRouter({ root }),
    cold: new MediaRouter({ root, cache: { maxEntries: 0 } }),
    alone: (environ) => fileResponse(environ, `.${environ.PATH_INFO}`, { root }),
    tagged: () => new WsgiResponse({ content: text }),
  };
  for (const [name, app] of Object.entries(makers)) {
    const responseMiddleware: ResponseMiddleware[] = name === 'tagged' ? [etag(), compress()] : [compress()];
    const asker = client(t, new WsgiHandler([lint(app as App)], { responseMiddleware }));
    const files = name === 'tagged' ? ['/a.txt'] : ['/a.txt', '/b.txt', '/c.png', '/big.txt'];
    for (const file of files) {
      for (const accept of ['br', 'gzip;q=0', 'identity']) {
        for (const method of ['GET', 'HEAD']) {
          const headers = { 'accept-encoding': accept };
          const whole = await asker.request(file, { method, headers });
          await whole.text().catch(() => '');
          const tag = whole.header('etag') ?? '';
          const which = `${name} ${file} ${accept} ${method}`;
          const isSmaller = accept === 'br' && /a\.txt|big/.test(file);
          t.equal(tag.startsWith('W/'), isSmaller, which);
          const short = await asker.request(file, { method, headers: { ...headers, 'if-none-match': tag } });
          t.equal(short.status, 304, which);
          t.equal(short.header('etag'), tag, which);
          t.equal(short.header('vary'), whole.header('vary'), which);
        }
      }
    }
    if (name === 'tagged') continue;
    const parts = (headers: Record<string, string>) =>
      asker.get('/a.txt', { headers: { 'accept-encoding': 'br', range: 'bytes=0-9', ...headers } });
    const whole = await asker.get('/a.txt', { headers: { 'accept-encoding': 'br' } });
    await whole.text().catch(() => '');
    const weak = whole.header('etag') ?? '';
    const part = await parts({});
    t.equal(part.status, 206, name);
    t.equal(part.header('vary'), 'Accept-Encoding', name);
    t.equal(part.header('etag'), weak.slice(2), `${name}: a part of identity bytes has their tag`);
    t.equal(part.header('content-encoding'), undefined, name);
    t.equal(await part.text(), text.slice(0, 10), name);
    const mixed = await parts({ 'if-range': weak });
    t.equal(mixed.status, 200, `${name}: no identity bytes for a client that has compressed ones`);
    await mixed.text().catch(() => '');
    const right = await parts({ 'if-range': weak.slice(2) });
    t.equal(right.status, 206, name);
    t.equal(await right.text(), text.slice(0, 10), name);
    const several = await parts({ range: 'bytes=0-1,5-9' });
    t.match(several.header('content-type') ?? '', /^multipart\/byteranges/, name);
    t.equal(several.header('vary'), 'Accept-Encoding', `${name}: in several parts`);
    await several.text();
  }
});

t.test('an Accept-Encoding that is remembered makes room for others', async (t) => {
  const root = folder(t, { 'a.js': 'a', 'a.js.br': 'coded' });
  const asker = client(t, new MediaRouter({ root, precompressed: true }));
  for (let i = 0; i < 250; i++) await asker.get('/a.js', { headers: { 'accept-encoding': `x${i}` } });
  const response = await asker.get('/a.js', { headers: { 'accept-encoding': 'br' } });
  t.equal(response.header('content-encoding'), 'br');
});

for (const gateway of GATEWAYS) {
  t.test(`a path that is refused when cold is refused when hot: ${gateway}`, async (t) => {
    const root = folder(t, { 'ä.txt': 'a' });
    const server = await serving(t, new MediaRouter({ root }), gateway);
    const { port } = server.address as { port: number };
    const raw = async () => {
      const wire = await Wire.open({ host: '127.0.0.1', port });
      wire.write(Buffer.from('GET /\xc3\xa4.txt HTTP/1.1\r\nHost: a\r\n\r\n', 'latin1'));
      const { status } = await wire.response();
      wire.destroy();
      return status;
    };
    t.equal(await raw(), 400);
    t.equal((await fetch(`${server.url}/%C3%A4.txt`)).status, 200);
    t.equal(await raw(), 400);
  });
}
