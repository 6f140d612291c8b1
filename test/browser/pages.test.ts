/** Pages, policies, downloads and caches, as a browser takes them. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import {
  type App,
  HttpError,
  html,
  lint,
  type Middleware,
  requestOf,
  unsafeHtml,
  WsgiHandler,
  WsgiResponse,
} from '../../src/index.js';
import { compress, errorPage, etag, mount, secureHeaders } from '../../src/middleware/index.js';
import { fileResponse, MediaRouter } from '../../src/static/index.js';
import { browserTest, closeBrowser, skipsBrowser, until } from '../support/browser.js';
import { fetchScript } from '../support/browser-script.js';
import { createCertificate, createFolder } from '../support/certificates.js';

t.teardown(closeBrowser);
const folder = createFolder();
t.teardown(() => folder.remove());
const tls = skipsBrowser === false ? createCertificate(folder.path, 'localhost') : undefined;

browserTest(
  t,
  'the nonce lets a style and a script run, and nothing else runs',
  () => {
    const page: Middleware = (environ) => {
      const nonce = String(environ['vela.csp_nonce']);
      return new WsgiResponse({
        content: html`<!doctype html><title>none</title>
<script nonce="${nonce}">
  window.violations = [];
  document.addEventListener('securitypolicyviolation', (event) => violations.push(event.effectiveDirective));
  document.title = 'nonce';
</script>
<style nonce="${nonce}">p { color: rgb(1, 2, 3) }</style>
<style>p { color: rgb(9, 9, 9) }</style>
<p>text</p>
<script>document.title += ' inline'</script>
<script nonce="guessed">document.title += ' guessed'</script>
<img src="data:," onerror="document.title += ' handler'">
<script nonce="${nonce}">try { eval('document.title += " eval"') } catch { document.title += ' no-eval' }</script>
`,
      });
    };
    const policy = { directives: { 'script-src': ["'nonce'"], 'style-src': ["'nonce'"] } };
    return new WsgiHandler([lint(secureHeaders({ contentSecurityPolicy: policy }) as App), page]);
  },
  async (t, { page, url }) => {
    await page.goto(url);
    await until(async () => (await page.evaluate('violations.length')) === 5, 'the violations');
    t.equal(await page.title(), 'nonce no-eval');
    t.equal(await page.evaluate('getComputedStyle(document.querySelector("p")).color'), 'rgb(1, 2, 3)');
    t.strictSame(((await page.evaluate('violations')) as string[]).sort(), [
      'script-src',
      'script-src-attr',
      'script-src-elem',
      'script-src-elem',
      'style-src-elem',
    ]);
    const nonce = await page.evaluate('document.querySelector("script").nonce');
    await page.reload();
    t.not(await page.evaluate('document.querySelector("script").nonce'), nonce, 'each request has its own');
  },
);

browserTest(
  t,
  'frames: by this origin, by another one, and by none',
  () => {
    const pages: Middleware = ({ PATH_INFO }) =>
      PATH_INFO === '/framed' ? new WsgiResponse({ content: html`<p>framed</p>` }) : undefined;
    const none = { contentSecurityPolicy: { directives: { 'frame-ancestors': ["'none'"] } } };
    const closed: Middleware = new WsgiHandler([
      secureHeaders(none),
      () => new WsgiResponse({ content: 'closed' }),
    ]);
    return new WsgiHandler([
      (environ, startResponse) =>
        environ.PATH_INFO === '/closed' ? closed.handle(environ, startResponse) : undefined,
      (environ) => {
        if (environ.PATH_INFO !== '/frames') return undefined;
        const host = String(environ.HTTP_HOST);
        const here = `http://${host}`;
        const frame = (src: string) => html`<iframe src="${src}"></iframe>`;
        return new WsgiResponse({ content: html`${frame(`${here}/closed`)}${frame(`${here}/framed`)}` });
      },
      (environ) => {
        if (environ.PATH_INFO !== '/other') return undefined;
        const target = `http://127.0.0.1:${environ.SERVER_PORT}/framed`;
        return new WsgiResponse({ content: html`<iframe src="${target}"></iframe>` });
      },
      secureHeaders(),
      pages,
    ]);
  },
  async (t, { page, url, port }) => {
    const texts = async () => {
      const frames = page.frames().slice(1);
      // A frame that is refused shows an error page of the browser's own.
      return Promise.all(
        frames.map(async (frame) => (frame.url().startsWith('http') ? frame.textContent('body') : 'refused')),
      );
    };
    await page.goto(`${url}/frames`);
    t.strictSame(await texts(), ['refused', 'framed']);
    await page.goto(`http://localhost:${port}/other`);
    t.strictSame(await texts(), ['refused'], 'the default policy keeps other origins out');
  },
);

const CONTENT = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 31) % 256));
const NAMES = [
  ['Bericht März – 日本 🦊.bin', 'Bericht März – 日本 🦊.bin'],
  ['a b;c=d.bin', 'a b;c=d.bin'],
  ["100%41 it's (1).bin", "100%41 it's (1).bin"],
  ['../../etc/pass wd.bin', 'pass wd.bin'],
] as const;

browserTest(
  t,
  'downloads are saved under their names, byte by byte',
  () => {
    const send: Middleware = async (environ) => {
      const { path, query } = requestOf(environ);
      if (path !== '/file') return new WsgiResponse({ content: html`<title>start</title>` });
      const file = join(folder.path, 'content.bin');
      return fileResponse(environ, file, { download: query.get('name') ?? true });
    };
    return new WsgiHandler([send], { responseMiddleware: [compress()] });
  },
  async (t, { page, url }) => {
    await writeFile(join(folder.path, 'content.bin'), CONTENT);
    await page.goto(url);
    for (const [name, expected] of NAMES) {
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.evaluate(`location.href = '/file?name=' + encodeURIComponent(${JSON.stringify(name)})`),
      ]);
      t.equal(download.suggestedFilename(), expected);
      t.ok((await readFile(await download.path())).equals(CONTENT));
    }
  },
);

/** A minute of silence, 8 kHz: a file that browsers seek in. */
function createWav(): Buffer {
  const samples = Buffer.alloc(8000 * 2 * 60 * 10);
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + samples.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8000, 24);
  head.writeUInt32LE(16_000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
}

let ranges: string[] = [];
browserTest(
  t,
  'a media element seeks by ranges, and fetch gets a part',
  () => {
    ranges = [];
    const watch: Middleware = (environ) => {
      const { HTTP_RANGE } = environ;
      if (HTTP_RANGE === undefined) return;
      environ['vela.response'].onStart(
        ({ status }) => void ranges.push(`${status.slice(0, 3)} ${HTTP_RANGE}`),
      );
    };
    const page: Middleware = ({ PATH_INFO }) =>
      PATH_INFO === '/'
        ? new WsgiResponse({ content: html`<audio src="/long.wav" preload="metadata"></audio>` })
        : undefined;
    return new WsgiHandler([watch, page, new MediaRouter({ root: folder.path })]);
  },
  async (t, { page, url }) => {
    await writeFile(join(folder.path, 'long.wav'), createWav());
    await page.goto(url);
    const media = 'document.querySelector("audio")';
    await page.waitForFunction(`${media}.readyState >= 1`);
    t.equal(await page.evaluate(`${media}.duration`), 600);
    await page.evaluate(`${media}.currentTime = 590`);
    await page.waitForFunction(`!${media}.seeking && ${media}.readyState >= 2`);
    t.equal(await page.evaluate(`${media}.currentTime`), 590);
    const far = ranges
      .map((line) => Number(/^206 bytes=(\d+)-/.exec(line)?.[1]))
      .filter((start) => start > 4_000_000);
    t.ok(far.length > 0, `asked for the end: ${ranges.join(', ')}`);
    const part = fetchScript(`${url}/content.bin`, { headers: { Range: 'bytes=10-19' } });
    t.match(await page.evaluate(part), { status: 206, headers: { 'content-range': 'bytes 10-19/300000' } });
  },
);

let asked: string[] = [];
browserTest(
  t,
  'what the browser has is not sent again',
  () => {
    asked = [];
    const watch: Middleware = (environ) => {
      const { PATH_INFO, HTTP_IF_NONE_MATCH } = environ;
      const what = `${PATH_INFO}${HTTP_IF_NONE_MATCH === undefined ? '' : ' if changed'}`;
      environ['vela.response'].onStart(({ status }) => void asked.push(`${what} ${status.slice(0, 3)}`));
    };
    const page: Middleware = ({ PATH_INFO }) =>
      PATH_INFO === '/'
        ? new WsgiResponse({
            content: html`<script src="/static/a.js"></script><p>${'text '.repeat(100)}</p>`,
            headers: [['Cache-Control', 'no-cache']],
          })
        : undefined;
    return new WsgiHandler([watch, new MediaRouter({ root: folder.path, prefix: '/static' }), page], {
      responseMiddleware: [compress(), etag()],
    });
  },
  async (t, { page, url }) => {
    await writeFile(join(folder.path, 'a.js'), `document.title = 'ran'; ${'// long enough '.repeat(200)}`);
    for (const expected of [
      ['/ 200', '/static/a.js 200'],
      ['/ if changed 304', '/static/a.js if changed 304'],
    ]) {
      asked.length = 0;
      await page.goto(url);
      t.strictSame(
        asked.filter((line) => !line.startsWith('/favicon')),
        expected,
      );
      t.equal(await page.title(), 'ran');
      t.match(await page.textContent('p'), /^(text ){100}$/);
    }
  },
);

for (const [where, encoding, options] of [
  ['TLS', 'br', { server: tls ?? {} }],
  ['http', 'gzip', { host: 'site.test' }],
] as const) {
  let release = () => {};
  browserTest(
    t,
    `compressed pages over ${where} are read as they were`,
    () => {
      const text = Array.from({ length: 3000 }, (_, i) => `Zeile ${i} äöü 日本 & <b>`).join('\n');
      const pages: Middleware = async ({ PATH_INFO }) => {
        if (PATH_INFO === '/slow') {
          const last = new Promise<void>((resolve) => {
            release = resolve;
          });
          return new WsgiResponse({ content: html`<p>first</p>${last.then(() => html`<i>last</i>`)}` });
        }
        return new WsgiResponse({ content: html`<pre>${PATH_INFO === '/' ? text : 'short'}</pre>` });
      };
      return new WsgiHandler([pages], { responseMiddleware: [compress()] });
    },
    async (t, { page, url }) => {
      const response = await page.goto(url);
      t.equal(response?.headers()['content-encoding'], encoding);
      const lines = ((await page.textContent('pre')) ?? '').split('\n');
      t.equal(lines.length, 3000);
      t.equal(lines[2999], 'Zeile 2999 äöü 日本 & <b>');
      t.equal((await page.goto(`${url}/short`))?.headers()['content-encoding'], undefined);
      t.equal(await page.textContent('pre'), 'short');
      const slow = await page.goto(`${url}/slow`, { waitUntil: 'commit' });
      await page.locator('p').waitFor();
      t.equal(await page.locator('i').count(), 0, 'what is there is shown while the rest is waited for');
      release();
      await page.locator('i').waitFor();
      t.equal(slow?.headers()['content-encoding'], encoding, 'as a compressed stream');
    },
    options,
  );
}

browserTest(
  t,
  'errors: pages of your own, of Vela, and JSON for scripts',
  () => {
    const fail: Middleware = ({ PATH_INFO }) => {
      if (PATH_INFO === '/503') throw new HttpError(503, 'Come <b>back</b> later');
      if (PATH_INFO === '/500') throw new Error('secret');
    };
    const pages = {
      '4xx': { 'text/html': ({ status }: { status: number }) => html`<h1>Ours: ${status}</h1>` },
      default: { 'application/json': ({ message }: { message: string }) => ({ message }) },
    };
    return new WsgiHandler([fail], { responseMiddleware: [errorPage({ pages })] });
  },
  async (t, { page, url }) => {
    t.equal((await page.goto(`${url}/missing`))?.status(), 404);
    t.equal(await page.textContent('h1'), 'Ours: 404');
    t.equal((await page.goto(`${url}/503`))?.status(), 503);
    t.match(await page.textContent('body'), 'Come <b>back</b> later', 'escaped');
    await page.goto(`${url}/500`);
    t.notMatch(await page.textContent('body'), 'secret');
    const script = fetchScript(`${url}/500`, { headers: { Accept: 'application/json' } });
    t.match(await page.evaluate(script), { status: 500, headers: { 'content-type': 'application/json' } });
  },
);

browserTest(
  t,
  'what a template is given stays text',
  () => () => {
    const evil = `"'><script>document.title='xss'</script><img src=x onerror="document.title='xss'">&amp;`;
    return new WsgiResponse({
      content: html`<title>safe</title><p title="${evil}">${evil}</p><p title='${evil}'>${[evil, unsafeHtml('<b>!</b>')]}</p>`,
    });
  },
  async (t, { page, url }) => {
    await page.goto(url);
    const evil = await page.textContent('p');
    t.match(evil, /^"'><script>.*&amp;$/);
    t.equal(await page.getAttribute('p >> nth=1', 'title'), evil);
    t.equal(await page.textContent('p >> nth=1'), `${evil}!`);
    t.equal(await page.title(), 'safe');
  },
);

browserTest(
  t,
  'secureHeaders over plain http: https is asked for only where that is wanted',
  () => {
    const page: Middleware = ({ PATH_INFO }) =>
      PATH_INFO === '/a.js'
        ? new WsgiResponse({ content: 'document.title = "ran"', contentType: 'text/javascript' })
        : new WsgiResponse({ content: html`<title>none</title><script src="/a.js"></script>` });
    const directives = { 'upgrade-insecure-requests': true };
    const strict: App = new WsgiHandler([secureHeaders({ contentSecurityPolicy: { directives } }), page]);
    return new WsgiHandler([mount('/strict', strict), secureHeaders(), page]);
  },
  async (t, { page, url, port }) => {
    await page.goto(url);
    t.equal(await page.title(), 'ran', 'on a loopback address');
    await page.goto(`http://site.test:${port}/`);
    t.equal(await page.title(), 'ran', 'and elsewhere');
    await page.goto(`http://site.test:${port}/strict/`);
    t.equal(await page.title(), 'none', 'where nobody listens for https');
  },
);
