/** Cookies, sessions and CSRF, as a browser keeps them. */
import t from 'tap';
import {
  type App,
  createCookieSigner,
  html,
  json,
  lint,
  type Middleware,
  requestOf,
  WsgiHandler,
  WsgiResponse,
} from '../../src/index.js';
import {
  type CsrfOptions,
  createMemoryStore,
  csrf,
  csrfTokenOf,
  type SessionOptions,
  secureHeaders,
  session,
  sessionOf,
} from '../../src/middleware/index.js';
import { browserTest, closeBrowser, skipsBrowser, until } from '../support/browser.js';
import { type Fetched, fetchScript, formScript } from '../support/browser-script.js';
import { createCertificate, createFolder } from '../support/certificates.js';

t.teardown(closeBrowser);

const KEYS = ['k'.repeat(32)];
const VALUES = ['plain', 'a b;c,d="e"\\', 'Zażółć 日本 🦊', '100%25'];

/** Sets a cookie of each kind at /set, and shows what comes back elsewhere. */
const kinds: App = (environ) => {
  const { path, cookies } = requestOf(environ);
  const content = html`<title>cookies</title><pre>${Object.keys(cookies).sort().join(' ')}</pre>`;
  const response = new WsgiResponse({ content });
  if (path !== '/set') return response;
  return response
    .setCookie('lax', '1')
    .setCookie('strict', '1', { sameSite: 'strict' })
    .setCookie('open', '1', { httpOnly: false })
    .setCookie('secure', '1', { secure: true })
    .setCookie('none', '1', { secure: true, sameSite: 'none' })
    .setCookie('below', '1', { path: '/set' });
};

browserTest(
  t,
  'SameSite, HttpOnly and Path',
  () => lint(kinds),
  async (t, { page, url, port, serve }) => {
    const shown = () => page.textContent('pre');
    await page.goto(`${url}/set`);
    t.equal(await page.evaluate('document.cookie'), 'open=1', 'scripts see none that is httpOnly');
    await page.goto(`${url}/see`);
    t.equal(await shown(), 'lax none open secure strict', 'a loopback address is secure enough for Chromium');
    await page.goto(`${url}/set`);
    t.match(await shown(), 'below');

    // Another site, by its host; the port is no part of a site.
    await page.goto(`http://localhost:${port}/elsewhere`);
    t.equal(await shown(), '');
    await Promise.all([page.waitForURL(`${url}/see`), page.evaluate(`location.href = '${url}/see'`)]);
    t.equal(await shown(), 'lax none open secure', 'a link from another site carries no strict cookie');
    await page.goto(`http://localhost:${port}/elsewhere`);
    await Promise.all([page.waitForURL(`${url}/see`), page.evaluate(formScript(`${url}/see`))]);
    t.equal(await shown(), 'none', 'a form of another site carries none');

    // Another port of the same host is the same site.
    await page.goto(`http://127.0.0.1:${await serve(kinds)}/elsewhere`);
    await Promise.all([page.waitForURL(`${url}/see`), page.evaluate(formScript(`${url}/see`))]);
    t.equal(await shown(), 'lax none open secure strict');
  },
);

browserTest(
  t,
  'Secure and __Host- are not taken over http',
  () => () => {
    const response = new WsgiResponse({ content: html`<title>set</title>` }).setCookie('plain', '1');
    return response.setCookie('secure', '1', { secure: true }).setCookie('__Host-id', '1');
  },
  async (t, { page, context, port }) => {
    await page.goto(`http://site.test:${port}/`);
    t.strictSame(
      (await context.cookies()).map(({ name }) => name),
      ['plain'],
    );
  },
);

const folder = createFolder();
t.teardown(() => folder.remove());
// The openssl command is not asked for where there is no browser.
const tls = skipsBrowser === false ? createCertificate(folder.path, 'localhost') : undefined;

browserTest(
  t,
  'a __Host- session over TLS',
  () => {
    const sessions = session({ passwords: KEYS, name: '__Host-session' });
    const count: Middleware = async (environ) => {
      // The browser asks for /favicon.ico as well.
      if (environ.PATH_INFO !== '/') return undefined;
      const current = await sessionOf(environ);
      current.set('n', Number(current.get('n') ?? 0) + 1);
      return new WsgiResponse({ content: html`<p>${Number(current.get('n'))}</p>` });
    };
    return new WsgiHandler([lint(sessions as App), count], { responseMiddleware: [sessions.save] });
  },
  async (t, { page, context, url }) => {
    for (const n of ['1', '2', '3']) {
      await page.goto(url);
      t.equal(await page.textContent('p'), n);
    }
    const [cookie, ...more] = await context.cookies();
    t.match(cookie, { name: '__Host-session', secure: true, httpOnly: true, sameSite: 'Lax', path: '/' });
    t.strictSame(more, []);
  },
  { server: tls ?? {} },
);

browserTest(
  t,
  'signed cookies come back as they were, or not at all',
  () => {
    const signer = createCookieSigner({ keys: KEYS });
    return (environ) => {
      const { path, cookies } = requestOf(environ);
      if (path !== '/set')
        return json(VALUES.map((_, i) => signer.verify(`c${i}`, cookies[`c${i}`]) ?? null));
      const response = new WsgiResponse({ content: html`<title>set</title>` });
      VALUES.forEach(
        (value, i) => void response.setCookie(`c${i}`, signer.sign(`c${i}`, value), { httpOnly: false }),
      );
      return response;
    };
  },
  async (t, { page, context, url }) => {
    await page.goto(`${url}/set`);
    const read = async () => JSON.parse((await page.evaluate<Fetched>(fetchScript(`${url}/get`))).text ?? '');
    t.strictSame(await read(), VALUES);
    await page.evaluate(
      `document.cookie = document.cookie.split('; ')[0].replace('plain', 'other') + '; path=/'`,
    );
    const second = (await context.cookies()).find(({ name }) => name === 'c1');
    await context.addCookies([{ name: 'c2', value: second?.value ?? '', url }]);
    t.strictSame(await read(), [null, VALUES[1], null, VALUES[3]], 'changed, and set under another name');
  },
);

const vaults: [string, () => Pick<SessionOptions, 'passwords' | 'store'>][] = [
  ['the cookie', () => ({ passwords: KEYS })],
  ['a store', () => ({ store: createMemoryStore() })],
];
for (const [where, vault] of vaults) {
  browserTest(
    t,
    `a session in ${where} begins, is renewed and ends`,
    () => {
      const sessions = session({ ...vault(), idleTimeoutMs: 2000 });
      const handler: Middleware = async (environ) => {
        const { path } = requestOf(environ);
        const current = await sessionOf(environ);
        if (path === '/login') current.regenerate().set('user', 'ann');
        if (path === '/logout') await current.destroy();
        return new WsgiResponse({ content: html`<p>${String(current.get('user') ?? 'nobody')}</p>` });
      };
      return new WsgiHandler([lint(sessions as App), handler], { responseMiddleware: [sessions.save] });
    },
    async (t, { page, context, url }) => {
      const visit = async (path: string) => {
        await page.goto(`${url}${path}`);
        return page.textContent('p');
      };
      const cookie = async () => (await context.cookies())[0];
      t.equal(await visit('/'), 'nobody');
      t.equal(await cookie(), undefined, 'who has nothing to remember gets no cookie');
      t.equal(await visit('/login'), 'ann');
      const first = await cookie();
      t.equal(await page.evaluate('document.cookie'), '', 'hidden from scripts');
      await until(async () => {
        // A page of a browser costs more than most of what is waited for.
        await page.waitForTimeout(200);
        return (await visit('/')) === 'ann' && (await cookie())?.expires !== first?.expires;
      }, 'renewal');
      t.ok(((await cookie())?.expires ?? 0) > (first?.expires ?? 0), 'reading renews it');
      const before = await cookie();
      t.equal(await visit('/login'), 'ann');
      t.not((await cookie())?.value, before?.value, 'login gives another one');
      t.equal(await visit('/logout'), 'nobody');
      t.equal(await cookie(), undefined, 'logout removes the cookie');
      if (where === 'a store') {
        await context.addCookies([{ name: 'session', value: before?.value ?? '', url }]);
        t.equal(await visit('/'), 'nobody', 'and an old one is worth nothing');
      }
      t.equal(await visit('/login'), 'ann');
      await until(async () => (await cookie()) === undefined, 'the browser to forget an idle session');
      t.equal(await visit('/'), 'nobody');
    },
  );
}

/** A page, and a place that something can be posted to. */
function createGuarded(options: CsrfOptions, more: Middleware[] = []): { app: App; posts: string[] } {
  const posts: string[] = [];
  const handler: Middleware = async (environ) => {
    if (environ.REQUEST_METHOD === 'POST') posts.push(environ.HTTP_SEC_FETCH_SITE ?? 'not said');
    const token = options.tokens === undefined ? '' : await csrfTokenOf(environ);
    return new WsgiResponse({ content: html`<title>${environ.REQUEST_METHOD}</title><p>${token}</p>` });
  };
  return { app: new WsgiHandler([...more, lint(csrf(options) as App), handler]), posts };
}

/** Sends a form from a page to an address, and gives the answer's title, or status. */
async function post(
  page: import('playwright-core').Page,
  from: string,
  to: string,
  fields = {},
): Promise<string> {
  await page.goto(from);
  const answer = page.waitForResponse((response) => response.request().method() === 'POST');
  await page.evaluate(formScript(to, fields));
  const response = await answer;
  await page.waitForURL(to);
  return response.status() === 200 ? page.title() : String(response.status());
}

let guarded = createGuarded({});
browserTest(
  t,
  'csrf: forms of this origin pass, of others not',
  () => {
    guarded = createGuarded({});
    return guarded.app;
  },
  async (t, { page, url, port, serve }) => {
    const { posts, app } = guarded;
    const sameSite = `http://127.0.0.1:${await serve(app)}`;
    t.equal(await post(page, url, `${url}/do`), 'POST', 'same origin');
    t.strictSame(posts, ['same-origin']);
    t.equal(await post(page, sameSite, `${url}/do`), '403', 'same site, another origin');
    t.equal(await post(page, `http://localhost:${port}`, `${url}/do`), '403', 'another site');
    t.match(await page.textContent('body'), 'Sec-Fetch-Site is "cross-site"');
    await page.goto(`http://localhost:${port}`);
    await page.evaluate(
      fetchScript(`${url}/do`, { method: 'POST', mode: 'no-cors', credentials: 'include' }),
    );
    t.equal(posts.length, 1, 'nor has fetch reached the handler');
    // Names that are no loopback are no secure context over http: browsers send no Sec-Fetch-Site there.
    const insecure = `http://site.test:${port}`;
    t.equal(await post(page, insecure, `${insecure}/do`), 'POST', 'same origin over http, by Origin');
    t.strictSame(posts.slice(1), ['not said']);
    t.equal(await post(page, `http://other.test:${port}`, `${insecure}/do`), '403', 'another site over http');
  },
);

browserTest(
  t,
  'csrf: a trusted origin passes',
  () => blankPage,
  async (t, { page, url, port, serve }) => {
    const { app, posts } = createGuarded({ trustedOrigins: [url] });
    const target = `http://127.0.0.1:${await serve(app)}`;
    t.equal(await post(page, url, `${target}/do`), 'POST');
    t.equal(await post(page, `http://localhost:${port}`, `${target}/do`), '403');
    t.strictSame(posts, ['same-site']);
  },
);

browserTest(
  t,
  'csrf: tokens in forms and in a header',
  () =>
    createGuarded({
      tokens: { keys: KEYS, readToken: async (environ) => (await requestOf(environ).form()).get('csrf') },
    }).app,
  async (t, { page, url }) => {
    const token = async () => (await page.goto(url), (await page.textContent('p')) ?? '');
    t.equal(await post(page, url, `${url}/do`), '403', 'without');
    t.equal(await post(page, url, `${url}/do`, { csrf: 'A'.repeat(65) }), '403', 'wrong');
    t.equal(await post(page, url, `${url}/do`, { csrf: await token() }), 'POST', 'in the form');
    const given = await token();
    const init = { method: 'POST', headers: { 'X-CSRF-Token': given } };
    t.match(await page.evaluate(fetchScript(`${url}/do`, init)), { status: 200 }, 'in the header');
    await page.context().clearCookies();
    t.match(await page.evaluate(fetchScript(`${url}/do`, init)), { status: 403 }, "another client's");
  },
);

browserTest(
  t,
  'csrf beside secureHeaders',
  () => {
    guarded = createGuarded({}, [secureHeaders()]);
    return guarded.app;
  },
  async (t, { page, url, port, serve }) => {
    t.equal(await post(page, url, `${url}/do`), 'POST', 'where the browser sends Sec-Fetch-Site');
    const insecure = `http://site.test:${port}`;
    t.equal(
      await post(page, insecure, `${insecure}/do`),
      '403',
      'over http no-referrer makes the Origin "null"',
    );
    t.match(await page.textContent('body'), 'Referrer-Policy');
    const policy = { referrerPolicy: 'same-origin', contentSecurityPolicy: false } as const;
    const port2 = await serve(createGuarded({}, [secureHeaders(policy)]).app);
    t.equal(await post(page, `http://site.test:${port2}`, `http://site.test:${port2}/do`), 'POST');
  },
);

function blankPage(): WsgiResponse {
  return new WsgiResponse({ content: html`<title>blank</title>` });
}
