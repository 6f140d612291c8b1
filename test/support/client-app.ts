/** What the outside clients of clients.test.ts ask: a route for each thing that a client can do. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createCookieSealer,
  createCookieSigner,
  type Environ,
  eventStream,
  type HeaderPair,
  HttpRedirect,
  json,
  type Middleware,
  type MiddlewareFunction,
  requestOf,
  WsgiHandler,
  WsgiResponse,
} from '../../src/index.js';
import {
  authenticate,
  bodyLimit,
  compress,
  cors,
  createMemoryStore,
  decodeBody,
  etag,
  mount,
  rateLimit,
  session,
  sessionOf,
} from '../../src/middleware/index.js';
import { fileResponse, MediaRouter } from '../../src/static/index.js';

const KEY = 'k'.repeat(32);
/** Text of more than one block, with letters of one to four bytes. */
export const LONG_TEXT = 'Zürich, naïve, 東京, 😀 and plain words. '.repeat(3000);

/** What the server has seen of requests that did not come to their end. */
export interface Witness {
  readonly aborted: string[];
  readonly closedBodies: string[];
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function echo(environ: Environ) {
  const request = requestOf(environ);
  const body = await request.bytes({ limitBytes: 2 ** 26 });
  return json({
    method: request.method,
    path: request.path,
    rawQuery: environ.QUERY_STRING,
    query: [...request.query],
    cookies: { ...request.cookies },
    type: environ.CONTENT_TYPE,
    length: environ.CONTENT_LENGTH,
    expect: environ.HTTP_EXPECT ?? null,
    transfer: environ.HTTP_TRANSFER_ENCODING ?? null,
    accept: environ.HTTP_ACCEPT ?? null,
    bytes: body.length,
    sha256: sha256(body),
  });
}

async function upload(environ: Environ) {
  const parts: unknown[] = [];
  for await (const part of requestOf(environ).multipart({ limits: { files: 50 } })) {
    const bytes = await part.bytes();
    const { name, filename = null, originalFilename = null, contentType, isFile } = part;
    const about = { name, filename, originalFilename, contentType, isFile };
    parts.push({ ...about, bytes: bytes.length, sha256: sha256(bytes) });
  }
  return json(parts);
}

function redirectTo(environ: Environ): never {
  const status = Number(environ.PATH_INFO.slice(1)) as 301 | 302 | 303 | 307 | 308;
  throw new HttpRedirect(requestOf(environ).query.get('to') ?? '/echo', status);
}

function cookies(environ: Environ) {
  const { query, cookies: known } = requestOf(environ);
  const name = query.get('name') ?? 'a';
  const response = json({ ...known });
  const age = query.get('age');
  const path = query.get('path') ?? '/';
  if (environ.PATH_INFO === '/set') {
    const options = { path, ...(age === undefined ? {} : { maxAgeSeconds: Number(age) }) };
    response.setCookie(name, query.get('value') ?? '', options);
  }
  if (environ.PATH_INFO === '/past') response.setCookie(name, 'x', { expires: new Date(1e12) });
  if (environ.PATH_INFO === '/future') response.setCookie(name, 'x', { expires: new Date(4e12) });
  if (environ.PATH_INFO === '/delete') response.deleteCookie(name, { path });
  return response;
}

const signer = createCookieSigner({ keys: [KEY] });
const sealer = createCookieSealer({ passwords: [KEY], ttlMs: 60_000 });

async function sealed(environ: Environ) {
  const { cookies: known } = requestOf(environ);
  const signedValue = signer.verify('signed', known.signed) ?? null;
  const sealedValue = (await sealer.unseal('sealed', known.sealed)) ?? null;
  return json({ signed: signedValue, sealed: sealedValue })
    .setCookie('signed', signer.sign('signed', 'grüße; "=,\\'))
    .setCookie('sealed', await sealer.seal('sealed', { n: 1, text: 'ü' }));
}

function sessionApp(options: Parameters<typeof session>[0]): WsgiHandler {
  const sessions = session(options);
  const app: MiddlewareFunction = async (environ) => {
    const current = await sessionOf(environ);
    if (environ.PATH_INFO === '/login')
      current.regenerate().set('user', requestOf(environ).query.get('user'));
    if (environ.PATH_INFO === '/logout') await current.destroy();
    else current.set('count', Number(current.get('count') ?? 0) + 1);
    return json({ user: current.get('user') ?? null, count: current.get('count') ?? 0 });
  };
  return new WsgiHandler([sessions, app], { responseMiddleware: [sessions.save] });
}

const whoAmI: Middleware = async (environ) =>
  json({
    user: environ['vela.user'],
    method: environ.REQUEST_METHOD,
    bytes: (await requestOf(environ).bytes()).length,
  });
const guarded = (...gate: Middleware[]) => new WsgiHandler([...gate, whoAmI]);
const PASSWORDS: Readonly<Record<string, string>> = { ann: 's3cret: with colon', Zoë: 'pässwörd' };
const findPassword = (name: string) =>
  PASSWORDS[name] === undefined ? undefined : { password: PASSWORDS[name] };

async function* lines(count: number, waitMs: number) {
  for (let n = 1; n <= count; n++) {
    yield `line ${n} of ünïcode\n`;
    if (waitMs > 0) await sleep(waitMs);
  }
}

async function* events(environ: Environ) {
  let id = Number(requestOf(environ).header('last-event-id') ?? 0);
  yield { retryMs: 500, comment: 'hello' };
  for (let n = 0; n < 3; n++) yield { event: 'tick', id: String(++id), data: `one ${id}\ntwö` };
}

async function* endless(witness: Witness, name: string) {
  try {
    for (;;) {
      yield 'x'.repeat(65_536);
      await sleep(1);
    }
  } finally {
    witness.closedBodies.push(name);
  }
}

/** The application, and what it has seen. @param root - a folder of files */
export function createClientApp(root: string): { app: WsgiHandler; witness: Witness } {
  const witness: Witness = { aborted: [], closedBodies: [] };

  const watch: Middleware = (environ) => {
    const name = requestOf(environ).query.get('watch');
    if (name === undefined) return;
    environ['vela.response'].onEnd(({ outcome }) => {
      if (outcome === 'aborted') witness.aborted.push(name);
    });
  };

  const page: MiddlewareFunction = (environ) => {
    const path = environ.PATH_INFO;
    const { query } = requestOf(environ);
    if (path === '/text')
      return new WsgiResponse({ content: LONG_TEXT, contentType: 'text/plain; charset=utf-8' });
    if (path === '/compressed-lines')
      return new WsgiResponse({ content: lines(2000, 0), contentType: 'text/plain; charset=utf-8' });
    if (path === '/lines')
      return new WsgiResponse({ content: lines(5, 20), contentType: 'text/plain; charset=utf-8' });
    if (path === '/events') return eventStream(events(environ));
    if (path === '/endless') return new WsgiResponse({ content: endless(witness, query.get('watch') ?? '') });
    if (path === '/empty') return new WsgiResponse({ status: 204 });
    if (path === '/latin') return new WsgiResponse({ content: 'x', headers: [['X-Name', 'Zoë']] });
    if (path === '/fails-midway') return new WsgiResponse({ content: failing() });
    if (path === '/ignored') return new WsgiResponse({ content: 'not read\n' });
    if (path === '/slow')
      return sleep(5000, undefined, { signal: environ['vela.signal'] }).then(
        () => json('late'),
        () => json('gone'),
      );
    if (path === '/download')
      return fileResponse(environ, 'big.bin', { root, download: query.get('as') ?? true });
    if (path === '/json')
      return requestOf(environ)
        .json()
        .then((value) => json({ got: value }));
    if (path === '/form')
      return requestOf(environ)
        .form()
        .then((form) => json([...form]));
    if (path === '/upload') return upload(environ);
    return path === '/echo' || path.startsWith('/echo/') ? echo(environ) : undefined;
  };

  const corsOptions = {
    origins: ['https://app.example'],
    credentials: true,
    headers: ['Content-Type', 'X-Token'],
    exposeHeaders: ['ETag'],
  };
  const responseMiddleware = [compress(), etag()];
  const headers: HeaderPair[] = [['X-Folder', 'yes']];
  const app = new WsgiHandler(
    [
      watch,
      mount('/redirect', redirectTo),
      mount('/cookies', cookies),
      mount('/sealed', sealed),
      mount('/session', sessionApp({ passwords: [KEY], name: 'sealed-session' })),
      mount('/stored', sessionApp({ store: createMemoryStore(), name: 'stored-session' })),
      mount(
        '/basic',
        guarded(authenticate({ scheme: 'basic', verify: (name, password) => PASSWORDS[name] === password })),
      ),
      mount(
        '/bearer',
        guarded(authenticate({ scheme: 'bearer', verify: (token) => token === 'to.k-en==' && 'robot' })),
      ),
      mount(
        '/digest',
        guarded(authenticate({ scheme: 'digest', realm: 'a=b, realm', verify: findPassword })),
      ),
      mount(
        '/digest-quoted',
        guarded(authenticate({ scheme: 'digest', realm: 'a "quoted\\ realm', verify: findPassword })),
      ),
      mount(
        '/digest-both',
        guarded(authenticate({ scheme: 'digest', algorithms: ['SHA-256', 'MD5'], verify: findPassword })),
      ),
      mount(
        '/digest-md5',
        guarded(authenticate({ scheme: 'digest', algorithms: ['MD5'], verify: findPassword })),
      ),
      // Each use of another nonce makes the one before it stale.
      mount('/digest-stale', guarded(authenticate({ scheme: 'digest', maxNonces: 1, verify: findPassword }))),
      mount('/limited', new WsgiHandler([rateLimit({ limit: 3, windowMs: 3000 }), whoAmI])),
      mount('/cors', new WsgiHandler([cors(corsOptions), whoAmI])),
      mount('/decode', new WsgiHandler([decodeBody({ limitBytes: 200_000 }), page])),
      mount('/small', new WsgiHandler([bodyLimit({ limitBytes: 1000 }), page])),
      new MediaRouter({ root, prefix: '/files', listing: true, precompressed: true, headers }),
      page,
    ],
    { responseMiddleware },
  );
  return { app, witness };
}

async function* failing() {
  yield 'x'.repeat(100_000);
  await sleep(5);
  throw new Error('midway');
}
