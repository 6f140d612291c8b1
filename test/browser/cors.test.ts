/** CORS, as a browser keeps it. */
import t from 'tap';
import {
  type App,
  Http401,
  html,
  lint,
  type Middleware,
  requestOf,
  WsgiHandler,
  WsgiResponse,
} from '../../src/index.js';
import { type CorsOptions, cors } from '../../src/middleware/index.js';
import { browserTest, closeBrowser, type Scene } from '../support/browser.js';
import { type Fetched, fetchScript } from '../support/browser-script.js';

t.teardown(closeBrowser);

const blank: App = () => new WsgiResponse({ content: html`<title>blank</title>` });

/** An API that says what it was asked, and remembers. */
function createApi(options: CorsOptions) {
  const seen: string[] = [];
  const watch: Middleware = (environ) => {
    seen.push(`${environ.REQUEST_METHOD} ${environ.PATH_INFO}`);
  };
  const handled: string[] = [];
  const answer: Middleware = (environ) => {
    const { method, path, cookies } = requestOf(environ);
    handled.push(`${method} ${path}`);
    if (path === '/401') throw new Http401('Say who you are');
    const response = new WsgiResponse({
      content: `${method} cookie=${cookies.id ?? ''}`,
      headers: [
        ['X-Shown', 'yes'],
        ['X-Hidden', 'yes'],
      ],
    });
    if (path === '/login') response.setCookie('id', 'ann');
    if (path === '/cached') response.setHeader('Cache-Control', 'max-age=600');
    return response;
  };
  const app = new WsgiHandler([watch, lint(cors(options) as App), answer]);
  return { app, seen, handled };
}

async function ask({ page }: Scene, url: string, init: object = {}): Promise<Fetched> {
  return page.evaluate<Fetched>(fetchScript(url, init));
}

const ALLOWED = {
  exposeHeaders: ['X-Shown'],
  headers: ['Content-Type', 'X-Custom'],
  methods: ['GET', 'PUT'],
};

browserTest(
  t,
  'an allowed origin reads responses, errors, and exposed headers',
  () => blank,
  async (t, scene) => {
    const { app, seen } = createApi({ ...ALLOWED, origins: [scene.url] });
    const api = `http://127.0.0.1:${await scene.serve(app)}`;
    await scene.page.goto(scene.url);

    const simple = await ask(scene, `${api}/simple`);
    t.match(simple, { status: 200, text: 'GET cookie=' });
    t.equal(simple.headers?.['x-shown'], 'yes');
    t.equal(simple.headers?.['x-hidden'], undefined, 'what is not exposed stays hidden');
    t.strictSame(seen, ['GET /simple'], 'a simple request has no preflight');

    const put = {
      method: 'PUT',
      headers: { 'X-Custom': 'a', 'Content-Type': 'application/json' },
      body: '{}',
    };
    t.match(await ask(scene, `${api}/put`, put), { status: 200, text: 'PUT cookie=' });
    t.strictSame(seen.slice(1), ['OPTIONS /put', 'PUT /put']);

    t.match(await ask(scene, `${api}/401`), { status: 401 }, 'an error response is read as well');
  },
);

browserTest(
  t,
  'origins, methods and headers that are not allowed are blocked',
  () => blank,
  async (t, scene) => {
    const { app, handled } = createApi({ ...ALLOWED, origins: [scene.url] });
    const api = `http://127.0.0.1:${await scene.serve(app)}`;
    await scene.page.goto(scene.url);
    const blocked = { error: 'TypeError' };
    t.strictSame(await ask(scene, `${api}/delete`, { method: 'DELETE' }), blocked, 'method');
    t.strictSame(await ask(scene, `${api}/header`, { headers: { 'X-Other': 'a' } }), blocked, 'header');
    t.strictSame(await ask(scene, `${api}/cookies`, { credentials: 'include' }), blocked, 'credentials');
    t.strictSame(handled, ['GET /cookies'], 'what needs a preflight does not reach the handler');

    await scene.page.goto(`http://localhost:${scene.port}`);
    t.strictSame(await ask(scene, `${api}/simple`), blocked, 'origin');
    t.strictSame(await ask(scene, `${api}/put`, { method: 'PUT' }), blocked, 'origin, preflighted');
    t.strictSame(handled.slice(1), ['GET /simple'], 'a simple request reaches the handler, as documented');
  },
);

browserTest(
  t,
  'credentials go to an exact origin',
  () => blank,
  async (t, scene) => {
    const { app } = createApi({
      ...ALLOWED,
      origins: (origin) => Promise.resolve(origin === scene.url),
      credentials: true,
    });
    const api = `http://127.0.0.1:${await scene.serve(app)}`;
    await scene.page.goto(scene.url);
    const withCookies = { credentials: 'include' };
    t.match(await ask(scene, `${api}/login`, withCookies), { status: 200 });
    t.equal((await ask(scene, `${api}/a`, withCookies)).text, 'GET cookie=ann');
    const put = { ...withCookies, method: 'PUT', headers: { 'X-Custom': 'a' } };
    t.equal((await ask(scene, `${api}/a`, put)).text, 'PUT cookie=ann', 'after a preflight too');
    t.equal((await ask(scene, `${api}/a`)).text, 'GET cookie=', 'another origin sends none unless asked to');
  },
);

browserTest(
  t,
  'everybody may, without credentials',
  () => blank,
  async (t, scene) => {
    const { app } = createApi({ origins: '*', headers: '*' });
    const api = `http://127.0.0.1:${await scene.serve(app)}`;
    await scene.page.goto(`http://any.test:${scene.port}`);
    t.match(await ask(scene, `${api}/a`), { status: 200 });
    const any = { method: 'PATCH', headers: { 'X-Any': '1', Authorization: 'Bearer a' } };
    t.match(await ask(scene, `${api}/a`, any), { status: 200 }, 'Authorization is no part of a literal "*"');
    t.strictSame(await ask(scene, `${api}/a`, { credentials: 'include' }), { error: 'TypeError' });
  },
);

browserTest(
  t,
  'the opaque origin of a sandbox counts only where it is named',
  () => {
    const frame = `<iframe sandbox="allow-scripts" srcdoc="<p>in</p>"></iframe>`;
    return () => new WsgiResponse({ content: frame, contentType: 'text/html' });
  },
  async (t, scene) => {
    const closed = createApi({ origins: [scene.url] });
    const open = createApi({ origins: [scene.url, 'null'] });
    const [closedPort, openPort] = [await scene.serve(closed.app), await scene.serve(open.app)];
    await scene.page.goto(scene.url);
    await scene.page.frameLocator('iframe').locator('p').waitFor();
    const frame = scene.page.frames()[1];
    t.strictSame(await frame?.evaluate(fetchScript(`http://127.0.0.1:${closedPort}/`)), {
      error: 'TypeError',
    });
    t.match(await frame?.evaluate(fetchScript(`http://127.0.0.1:${openPort}/`)), { status: 200 });
  },
);

for (const [maxAgeSeconds, preflights] of [
  [600, 1],
  [0, 2],
] as const) {
  browserTest(
    t,
    `a preflight is kept for ${maxAgeSeconds} s`,
    () => blank,
    async (t, scene) => {
      const { app, seen } = createApi({ ...ALLOWED, origins: [scene.url], maxAgeSeconds });
      const api = `http://127.0.0.1:${await scene.serve(app)}`;
      await scene.page.goto(scene.url);
      for (let i = 0; i < 2; i++) t.match(await ask(scene, `${api}/put`, { method: 'PUT' }), { status: 200 });
      t.equal(seen.filter((line) => line.startsWith('OPTIONS')).length, preflights);
      t.equal(seen.filter((line) => line.startsWith('PUT')).length, 2);
    },
  );
}

browserTest(
  t,
  'a response in the cache is not taken for one to another origin',
  () => blank,
  async (t, scene) => {
    const second = await scene.serve(blank);
    const origins = [scene.url, `http://127.0.0.1:${second}`];
    const { app, seen } = createApi({ origins });
    const api = `http://127.0.0.1:${await scene.serve(app)}`;
    for (const origin of origins) {
      await scene.page.goto(origin);
      for (let i = 0; i < 2; i++)
        t.match(await ask(scene, `${api}/cached`), { status: 200 }, `${origin} ${i}`);
    }
    t.strictSame(seen, ['GET /cached', 'GET /cached'], 'each origin has asked once');
  },
);
