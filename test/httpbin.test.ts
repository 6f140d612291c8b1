/** examples/httpbin, as its clients see it: curl and Python's requests over sockets of both gateways. */
import { readFileSync, writeFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { joinPath, tryMethod } from '../examples/httpbin/route-group.js';
import { createSite } from '../examples/httpbin/site.js';
import { type Environ, lint, type MiddlewareFunction, serve, WsgiHandler } from '../src/index.js';
import { mount } from '../src/middleware/index.js';
import { client } from './support/ask.js';
import { needsClient, run } from './support/run-client.js';
import { needsRequests, runFacts } from './support/run-facts.js';

const GATEWAYS = ['uws', 'node'] as const;

/** `GET /path`, for each method of each route. */
function listRoutes(): string[] {
  const { router } = createSite();
  return router
    .routes()
    .flatMap(({ methods = ['ANY'], path }) => methods.map((method) => `${method} ${path}`));
}

for (const gateway of GATEWAYS) {
  t.test(`httpbin: ${gateway}`, async (t) => {
    const driven = new Set<string>();
    const errors: unknown[] = [];
    const watch: MiddlewareFunction = (environ: Environ) => {
      environ['vela.response'].onEnd(({ outcome, error }) => {
        driven.add(`${environ.REQUEST_METHOD} ${String(environ['vela.route'])}`);
        if (outcome === 'cut') errors.push(error);
      });
    };
    const app = lint(new WsgiHandler([watch, createSite().site]));
    const server = await serve(app, { bind: '127.0.0.1:0', gateway, logLevel: 'silent' });
    t.teardown(() => server.close({ timeoutMs: 0 }));
    await t.test('curl', (t) => judgeWithCurl(t, server.url, gateway));
    if (!needsRequests(t)) return;
    t.ok((await runFacts(t, 'httpbin_client.py', server.url, gateway)) >= 20);
    t.same(
      listRoutes().filter((route) => !driven.has(route)),
      [],
      'every route was driven, by each of its methods',
    );
    t.same(errors, [], 'no response was cut by the server');
  });
}

async function judgeWithCurl(t: Test, url: string, gateway: string): Promise<void> {
  if (!needsClient(t, 'curl', 'curl', '--version')) return;
  const folder = t.testdir();
  const curl = (...args: string[]) => run('curl', ['-sS', '-m', '10', ...args]);
  const text = async (...args: string[]) => (await curl(...args)).text;
  const parsed = async (...args: string[]) => JSON.parse(await text(...args)) as Record<string, unknown>;
  const write = (...args: string[]) => text('-o', '/dev/null', '-w', ...args);

  t.match(
    await text('-i', `${url}/`),
    /^HTTP\/1\.1 200 OK\r\n.*content-security-policy: .*<h1>httpbin on Vela<\/h1>/is,
  );
  t.match(await text(`${url}/favicon.ico`), '<svg');
  const { text: got } = await curl('-i', `${url}/get`);
  t.match(got, /\r\n\r\n\{\n {2}"args": \{\},\n {2}"headers": \{\n {4}"Accept": "\*\/\*",\n {4}"Host": /);
  t.match(await parsed('-F', 'a=1', '-F', 'f=@-;filename=x', `${url}/post`), {
    form: { a: '1' },
    files: { f: '' },
  });
  t.match(await text('-I', `${url}/get`), /^HTTP\/1\.1 200 OK\r\n/);
  t.equal(await write('%{http_code} %{size_download}', '-I', `${url}/drip?duration=0`), '200 0');
  if (gateway === 'node') t.match(await parsed('-0', `${url}/get`), { args: {} });

  t.equal(await write('%{num_redirects} %{http_code}', '-L', `${url}/redirect/4`), '4 200');
  t.equal(await write('%{http_code}', '-L', '--max-redirs', '2', `${url}/redirect/4`), '302');
  for (const tail of ['', '/SHA-256']) {
    const path = `${url}/digest-auth/auth/ann/s3cret${tail}`;
    t.match(await parsed('--digest', '-u', 'ann:s3cret', path), { authenticated: true, user: 'ann' });
    t.equal(await write('%{http_code}', '--digest', '-u', 'ann:wrong', path), '401');
  }
  t.match(await parsed('-u', 'ann:s3cret', `${url}/basic-auth/ann/s3cret`), { user: 'ann' });
  t.match(await parsed('--oauth2-bearer', 'to.k-en', `${url}/bearer`), { token: 'to.k-en' });
  const jar = `${folder}/jar`;
  t.same(await parsed('-L', '-b', jar, '-c', jar, `${url}/cookies/set?a=1`), { cookies: { a: '1' } });

  for (const path of ['/gzip', '/deflate', '/brotli'])
    t.match(await parsed('--compressed', `${url}${path}`), { method: 'GET' }, path);
  t.match(JSON.parse(brotliDecompressSync((await curl(`${url}/brotli`)).bytes).toString()), { brotli: true });
  t.equal(await text('-r', '3-5', `${url}/range/26`), 'def');
  const part = `${folder}/part`;
  writeFileSync(part, 'abcde');
  t.equal((await curl('-C', '-', '-o', part, `${url}/range/52`)).code, 0, 'a download goes on');
  t.equal(await write('%{http_code}', '--etag-save', `${folder}/tag`, `${url}/image/png`), '200');
  t.equal(await write('%{http_code}', '--etag-compare', `${folder}/tag`, `${url}/image/png`), '304');

  const body = `${folder}/body`;
  writeFileSync(body, Buffer.alloc(3_000_000, 'x'));
  const { bytes: echoed } = await curl('--data-binary', `@${body}`, `${url}/post_chunks`);
  t.ok(echoed.equals(Buffer.alloc(3_000_000, 'x')), 'a large body comes back while it is sent');
  t.match(await parsed('-T', body, `${url}/upload`), { data: { bytes: 3_000_000 } });
  t.equal((await curl('-m', '0.3', `${url}/delay/10`)).code, 28);
  t.equal((await curl('-m', '0.3', '-N', `${url}/drip?duration=10`)).code, 28);
  const { requests } = (await parsed(`${url}/stats`)) as { requests: { broken: number } };
  t.ok(requests.broken > 0, 'who leaves is counted');
}

t.test('the home page shows every route, and what it shows can be asked for', async (t) => {
  const { site: app, router, groups } = createSite();
  const shown = groups.flatMap((group) => group.routes.map(({ path }) => joinPath(group, path)));
  const known = router.routes().map(({ path }) => path);
  t.same([...new Set(shown)].sort(), known.filter((path) => path !== '/' && path !== '/favicon.ico').sort());
  const docs = readFileSync(new URL('../docs/httpbin.md', import.meta.url), 'utf8');
  t.same(
    shown.filter((path) => !docs.includes(`\`${path}\``)),
    [],
    'docs/httpbin.md has them too',
  );
  const site = client(t, app);
  for (const group of groups) {
    for (const route of group.routes) {
      const { path, example = path, headers = {}, body } = route;
      const used = tryMethod(route);
      const target = joinPath(group, example);
      const response = await site.request(target, {
        method: used,
        headers,
        ...(body === undefined ? {} : { body }),
      });
      await response.bytes();
      t.ok(
        [200, 206, 302, 307, 401, 417, 418].includes(response.status),
        `${used} ${target}: ${response.status}`,
      );
    }
  }
});

t.test('the site below a path: its links and redirects lead there', async (t) => {
  const { site } = createSite();
  const app = client(t, new WsgiHandler([mount('/bin', site)]));
  const page = await (await app.request('/bin/')).text();
  t.match(page, 'href="/bin/get?a=1&amp;a=2&amp;b=%C3%BC"');
  t.match(page, 'action="/bin/post"');
  t.notMatch(page, /(?:href|action|data-path)="\/(?!bin\/)/);
  for (const [path, location] of [
    ['/redirect/1', '/bin/get'],
    ['/redirect/3', '/bin/relative-redirect/2'],
    ['/absolute-redirect/2', 'http://testserver/bin/absolute-redirect/1'],
    ['/cookies/set?a=1', '/bin/cookies'],
    ['/links/3', '/bin/links/3/0'],
    ['/status/303', '/bin/redirect/1'],
  ] as const) {
    t.equal((await app.request(`/bin${path}`)).header('location'), location, path);
  }
  t.match(await (await app.request('/bin/links/2/0')).text(), 'href="/bin/links/2/1"');
});
