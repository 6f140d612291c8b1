/**
 * A site with a login: sessions, CSRF tokens, rate limits, a gate for its staff and one for its API. Sessions are kept in
 * the cookie; `--store` keeps them in the server, where a logout holds for good. Secrets come from SECRET_KEY, and the
 * password of ann and of the administrator from DEMO_PASSWORD; without them new ones are made at each start.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  createCookieSigner,
  type Environ,
  html,
  json,
  MethodNotAllowed,
  type MiddlewareFunction,
  redirect,
  requestOf,
  UnprocessableEntity,
  WsgiHandler,
  type WsgiResponse,
  WsgiServer,
} from 'vela';
import {
  accessLog,
  authenticate,
  bodyLimit,
  createMemoryStore,
  csrf,
  csrfTokenOf,
  errorPage,
  mount,
  rateLimit,
  secureHeaders,
  session,
  sessionOf,
} from 'vela/middleware';
import { accountContent, adminContent, type Frame, layout, loginForm, page } from './pages.js';
import { addUser, checkPassword, findUser, listUsers, type User } from './users.js';

const FLASH_SECONDS = 60;
const NOTE_LENGTH = 1000;

const flags = process.argv.slice(2);
const usesStore = flags.includes('--store');
const hasTls = flags.some((flag) => flag.startsWith('--cert-file'));
/** Browsers take such a cookie over TLS only, and from this host only. */
const prefix = hasTls ? '__Host-' : '';
const keys = [takeSecret('SECRET_KEY')];
const password = takeSecret('DEMO_PASSWORD');
await Promise.all([addUser('ann', password, false), addUser('admin', password, true)]);

const signer = createCookieSigner({ keys });
const name = `${prefix}session`;
const sessions = session(
  usesStore ? { name, store: createMemoryStore({ maxSessions: 10_000 }) } : { name, passwords: keys },
);
/** Hash of a token: whose it is. Who reads this table still has no token. */
const apiTokens = new Map<string, string>();

/** Who is logged in, and the message that the page before has left. */
async function frameOf(environ: Environ): Promise<Frame> {
  const flash = signer.verify('flash', requestOf(environ).cookies.flash);
  const user = findUser((await sessionOf(environ)).get('user'));
  return { environ, user, token: await csrfTokenOf(environ), flash };
}

/** The page; the message is shown once. */
async function show(
  environ: Environ,
  title: string,
  content: (frame: Required<Frame>) => ReturnType<typeof html>,
) {
  const frame = (await frameOf(environ)) as Required<Frame>;
  const response = page(frame, title, content(frame));
  return frame.flash === undefined ? response : response.deleteCookie('flash');
}

/** Sends the browser on with GET, so that loading again posts nothing twice. */
function seeOther(location: string, flash?: string): WsgiResponse {
  const response = redirect(location, { status: 303 });
  if (flash === undefined) return response;
  return response.setCookie('flash', signer.sign('flash', flash), { maxAgeSeconds: FLASH_SECONDS });
}

/** The user, or the way to the login and back. */
async function requireUser(environ: Environ): Promise<User | WsgiResponse> {
  const user = findUser((await sessionOf(environ)).get('user'));
  return user ?? seeOther(`/login?next=${encodeURIComponent(requestOf(environ).pathAndQuery)}`);
}

const isUser = (found: User | WsgiResponse): found is User => 'isAdmin' in found;

const home: MiddlewareFunction = (environ) =>
  show(environ, 'Welcome', ({ user }) =>
    user === undefined
      ? html`<p>Nobody is logged in. <a href="/login">Log in</a> as <b>ann</b>.</p>`
      : html`<p>You are ${user.name}. Look at <a href="/account">your account</a>.</p>`,
  );

const loginPage: MiddlewareFunction = (environ) =>
  show(environ, 'Log in', ({ token }) =>
    loginForm(token, requestOf(environ).query.get('next') ?? '/account'),
  );

const login: MiddlewareFunction = async (environ) => {
  const form = await requestOf(environ).form();
  const next = form.get('next') ?? '/account';
  // A target on another site is refused here, before anything has changed.
  const answer = seeOther(next, 'You are logged in.');
  const user = await checkPassword(form.get('name') ?? '', form.get('password') ?? '');
  if (user === undefined) {
    const frame = await frameOf(environ);
    return page(frame, 'Log in', loginForm(frame.token ?? '', next, 'Name or password is wrong.'), 401);
  }
  // A new id, as an attacker may know the old one (session fixation).
  (await sessionOf(environ)).clear().regenerate().set('user', user.name);
  return answer;
};

const logout: MiddlewareFunction = async (environ) => {
  await (await sessionOf(environ)).destroy();
  return seeOther('/', 'You are logged out.');
};

const account: MiddlewareFunction = async (environ) => {
  const user = await requireUser(environ);
  if (!isUser(user)) return user;
  return show(environ, 'My account', ({ token }) => accountContent(environ, user, token));
};

const saveNote: MiddlewareFunction = async (environ) => {
  const user = await requireUser(environ);
  if (!isUser(user)) return user;
  const { note } = (await requestOf(environ).json()) as { note?: unknown };
  if (typeof note !== 'string' || note.length > NOTE_LENGTH)
    throw new UnprocessableEntity(`A note is a text of ${NOTE_LENGTH} characters at the most`);
  user.note = note;
  return json({ note });
};

const makeToken: MiddlewareFunction = async (environ) => {
  const user = await requireUser(environ);
  if (!isUser(user)) return user;
  const token = randomBytes(24).toString('base64url');
  for (const [hash, owner] of apiTokens) if (owner === user.name) apiTokens.delete(hash);
  apiTokens.set(hashOf(token), user.name);
  return seeOther('/account', `Your token, shown this once: ${token}`);
};

const adminPage: MiddlewareFunction = (environ) =>
  show(environ, 'Users', ({ token }) => adminContent(listUsers(), token));

const toggleLock: MiddlewareFunction = async (environ) => {
  const wanted = (await requestOf(environ).form()).get('name');
  const user = listUsers().find((one) => one.name === wanted);
  if (user === undefined || user.isAdmin) throw new UnprocessableEntity('There is no such user to be locked');
  user.isLocked = !user.isLocked;
  return seeOther('/admin', `${user.name} is ${user.isLocked ? 'locked' : 'active'}.`);
};

/** Handlers by path and method. */
const routes = new Map(
  Object.entries({
    '/': new Map([['GET', home]]),
    '/login': new Map([
      ['GET', loginPage],
      ['POST', login],
    ]),
    '/logout': new Map([['POST', logout]]),
    '/account': new Map([['GET', account]]),
    '/account/note': new Map([['PUT', saveNote]]),
    '/account/token': new Map([['POST', makeToken]]),
    '/admin': new Map([
      ['GET', adminPage],
      ['POST', toggleLock],
    ]),
  }),
);

const router: MiddlewareFunction = (environ, startResponse) => {
  const methods = routes.get(environ.PATH_INFO);
  if (methods === undefined) return undefined;
  const method = environ.REQUEST_METHOD === 'HEAD' ? 'GET' : environ.REQUEST_METHOD;
  const handle = methods.get(method);
  if (handle === undefined) throw new MethodNotAllowed([...methods.keys()]);
  return handle(environ, startResponse);
};

/** Bounds guesses of passwords: so many at once, and in each minute. */
const fewGuesses = (name: string, limit: number) =>
  rateLimit({
    name,
    limit,
    skip: ({ REQUEST_METHOD, HTTP_AUTHORIZATION }) =>
      REQUEST_METHOD !== 'POST' && HTTP_AUTHORIZATION === undefined,
    onStoreError: 'closed',
  });

/** A browser sends Basic credentials with each request, and each is a scrypt: fit for a few pages for a few people. */
const staffOnly = authenticate({
  scheme: 'basic',
  realm: 'staff',
  verify: async (user, given) => {
    const known = await checkPassword(user, given);
    return known?.isAdmin === true && known;
  },
});

/** Takes tokens and no cookies, so another site cannot use a visitor's login: it stands before csrf(). */
const api = new WsgiHandler([
  authenticate({ scheme: 'bearer', realm: 'api', verify: (token) => findUser(apiTokens.get(hashOf(token))) }),
  (environ) => {
    if (environ.PATH_INFO !== '/note') return undefined;
    const { name: owner, note } = environ['vela.user'] as User;
    return json({ name: owner, note });
  },
]);

const site = new WsgiHandler(
  [
    accessLog({ destination: 'logger' }),
    secureHeaders({
      // With no-referrer, the default, forms would be sent with "Origin: null".
      referrerPolicy: 'same-origin',
      contentSecurityPolicy: {
        directives: {
          'script-src': ["'nonce'"],
          'style-src': ["'nonce'"],
          'frame-ancestors': ["'none'"],
        },
      },
      xFrameOptions: 'DENY',
    }),
    bodyLimit({ limitBytes: 16_384 }),
    mount('/api', api),
    sessions,
    csrf({ tokens: { keys, cookieName: `${prefix}csrf`, readToken: readFormToken } }),
    mount('/login', fewGuesses('login', 5)),
    mount('/admin', fewGuesses('admin', 60)),
    mount('/admin', staffOnly),
    router,
  ],
  {
    responseMiddleware: [
      errorPage({
        pages: {
          default: {
            'text/html': ({ environ, status, reason, message }) =>
              layout({ environ }, `${status} ${reason}`, html`<p class="wrong" role="alert">${message}</p>`),
            'application/json': ({ status, message }) => ({ status, message }),
          },
        },
      }),
      sessions.save,
    ],
  },
);

await new WsgiServer(site).start(flags.filter((flag) => flag !== '--store'));

/** Scripts send the token in a header, forms in a field. */
async function readFormToken(environ: Environ): Promise<string | undefined> {
  const request = requestOf(environ);
  if (request.contentType.type !== 'application/x-www-form-urlencoded') return undefined;
  return (await request.form()).get('csrf');
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** A secret of the environment; without one a new one, told to whoever started the program. */
function takeSecret(variable: string): string {
  const given = process.env[variable];
  if (given !== undefined && given !== '') return given;
  const made = randomBytes(32).toString('base64url');
  const use = variable === 'DEMO_PASSWORD' ? `the password is ${made}` : 'logins end with this process';
  process.stderr.write(`${variable} is not set: ${use}\n`);
  return made;
}
