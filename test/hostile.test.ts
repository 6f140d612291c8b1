/** What hostile requests, route tables and programs get of the Router and what belongs to it. */
import t from 'tap';
import { z } from 'zod';
import { type App, Router, requestOf, SkipRoute, WsgiHandler, WsgiResponse } from '../src/index.js';
import { compress } from '../src/middleware/index.js';
import { client } from './support/ask.js';

const show = ({ params }: { params: object }) => ({ ...params });
const name = (text: string) => () => text;
const JSON_BODY = { 'content-type': 'application/json' };

/** The least time that a call takes, in ms: what else the machine does only adds to it. */
function leastMs(call: () => unknown, times = 12): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) {
    const began = performance.now();
    call();
    least = Math.min(least, performance.now() - began);
  }
  return least;
}

/** Lets a router answer, without a server around it. */
function handle(router: Router, path: string, more: Record<string, unknown> = {}): unknown {
  const environ = { REQUEST_METHOD: 'GET', SERVER_NAME: 'localhost', 'vela.raw_path': path, ...more };
  return router.handle(environ as never, (() => undefined) as never);
}

t.test('of a long Accept header only the beginning is read', async (t) => {
  const far = `${'x/y,'.repeat(40)}application/json`;
  const asked: App = (environ) => {
    const request = requestOf(environ);
    return new WsgiResponse({
      content: JSON.stringify([
        request.accepts('application/json') ?? null,
        request.acceptsLanguages('de') ?? null,
        request.acceptsEncodings('gzip') ?? null,
      ]),
    });
  };
  const app = client(t, asked);
  const many = 'x,'.repeat(40);
  const headers = { accept: far, 'accept-language': `${many}de`, 'accept-encoding': `${many}gzip` };
  t.same(await (await app.get('/', { headers })).json(), [null, null, null]);
  const near = { accept: 'application/json', 'accept-language': 'de', 'accept-encoding': 'gzip' };
  t.same(await (await app.get('/', { headers: near })).json(), ['application/json', 'de', 'gzip']);

  const none = client(t, new WsgiHandler([() => undefined]));
  const page = await none.get('/', { headers: { accept: far } });
  t.equal(page.header('content-type'), 'text/plain; charset=utf-8');

  const long: App = () => new WsgiResponse({ content: 'x'.repeat(5000) });
  const packed = client(t, new WsgiHandler([long], { responseMiddleware: [compress()] }));
  t.equal(
    (await packed.get('/', { headers: { 'accept-encoding': 'gzip' } })).header('content-encoding'),
    'gzip',
  );
  const plain = await packed.get('/', { headers: { 'accept-encoding': `${many}gzip` } });
  t.equal(plain.header('content-encoding'), undefined);
});

t.test('what is wrong with a body is told in less than what was sent', async (t) => {
  const body = z.record(z.string(), z.array(z.number()));
  const router = new Router()
    .post('/route', { body }, name('ok'))
    .post('/json', async (request) => (await request.json({ schema: body })) as object);
  const app = client(t, new WsgiHandler([router]));
  // Each of the issues has the key in its place.
  const sent = JSON.stringify({ ['~/'.repeat(50_000)]: Array(200).fill('x') });
  for (const path of ['/route', '/json']) {
    const response = await app.post(path, {
      body: sent,
      headers: { ...JSON_BODY, accept: 'application/json' },
    });
    t.equal(response.status, 422);
    const { details } = (await response.json()) as { details: { path: string }[] };
    t.equal(details.length, 100);
    t.ok(
      details.every((one) => one.path.length <= 501 && one.path.endsWith('…')),
      path,
    );
  }
});

t.test('what the schemas of one route have made is not there for the next', async (t) => {
  const query = z.object({ q: z.string() });
  const router = new Router()
    .get('/none', { query, passesOn: true }, () => undefined)
    .get('/later', { query, passesOn: true }, async () => undefined)
    .get('/skip', { query, passesOn: true }, async () => {
      throw new SkipRoute();
    })
    .get('/:which', { passesOn: true }, ({ valid, params }) =>
      params.which === 'none' ? undefined : { valid },
    );
  const behind: App = (environ) =>
    new WsgiResponse({ content: JSON.stringify({ valid: requestOf(environ).valid }) });
  const app = client(t, new WsgiHandler([router, behind]));
  for (const path of ['/none', '/later', '/skip'])
    t.same(await (await app.get(`${path}?q=secret`)).json(), { valid: {} }, path);
});

t.test('thousands of routes at one place are found in a moment', async (t) => {
  const count = 2000;
  const hosts = new Router();
  const suffixes = new Router();
  const mixed = new Router();
  const wildcards = new Router();
  for (let i = 0; i < count; i++) {
    hosts.get('/', { host: `h${i}.test` }, name(`host ${i}`));
    suffixes.get(`/:a.S${i}`, name(`suffix ${i}`));
    mixed.get(`/:a-:b/p${i}`, name(`mixed ${i}`));
    wildcards.get(`/*a/W${i}`, name(`wildcard ${i}`));
  }
  const last = count - 1;
  for (const [router, path, more, expected] of [
    [hosts, '/', { HTTP_HOST: `H${last}.test:80` }, `host ${last}`],
    [hosts, '/', { HTTP_HOST: 'other.test' }, undefined],
    [suffixes, `/x.s${last}`, {}, `suffix ${last}`],
    [suffixes, `/${'.'.repeat(8000)}`, {}, undefined],
    [mixed, `/x-y/p${last}`, {}, `mixed ${last}`],
    [mixed, `/${'-'.repeat(8000)}`, {}, undefined],
    [wildcards, `/x/w${last}/`, {}, `wildcard ${last}`],
    [wildcards, '/w'.repeat(4000), {}, undefined],
  ] as const) {
    const result = handle(router, path, more) as WsgiResponse | undefined;
    t.equal(result?.content, expected, path.slice(0, 40));
    const took = leastMs(() => handle(router, path, more));
    t.ok(took < 1, `${path.slice(0, 40)} took ${took.toFixed(3)} ms`);
  }
  // 10,000 of these took minutes to check at the start.
  for (const table of [hosts, suffixes, mixed, wildcards])
    t.same(
      table.routes().filter((one) => one.unreachable !== undefined),
      [],
    );
});

t.test('routes for one host keep their place among the others', async (t) => {
  const router = new Router({ unreachable: 'ignore' })
    .get('/first', { host: 'a.test' }, name('fixed'))
    .get('/first', name('anywhere'))
    .get('/last', name('anywhere'))
    .get('/last', { host: 'a.test' }, name('fixed'))
    .get('/passed', { host: 'a.test' }, () => undefined)
    .get('/passed', { host: ':x.test' }, ({ params }) => `any ${params.x}`)
    .get('/dot', { host: 'a.test.' }, name('dot'))
    .mount('/in', new Router({ host: ':x.test' }).get('/', { host: 'a.test' }, show));
  const app = client(t, new WsgiHandler([router]));
  for (const [path, host, status, text] of [
    ['/first', 'A.test:81', 200, 'fixed'],
    ['/first', 'a.test.', 200, 'fixed'],
    ['/first', 'b.test', 200, 'anywhere'],
    ['/last', 'a.test', 200, 'anywhere'],
    ['/passed', 'a.test', 200, 'any a'],
    ['/passed', 'b.test', 200, 'any b'],
    ['/dot', 'a.test.', 200, 'dot'],
    ['/dot', 'a.test', 404, undefined],
    ['/in', 'a.test', 200, '{"x":"a"}'],
    ['/in', 'b.test', 404, undefined],
  ] as const) {
    const response = await app.get(path, { headers: { host } });
    t.equal(response.status, status, `${host}${path}`);
    if (text !== undefined) t.equal(await response.text(), text, `${host}${path}`);
  }
});
