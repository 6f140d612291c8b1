/** What hostile requests, route tables and programs get of the Router and what belongs to it. */
import { type } from 'arktype';
import fc from 'fast-check';
import t from 'tap';
import { z } from 'zod';
import { type App, Router, requestOf, SkipRoute, WsgiHandler, WsgiResponse } from '../src/index.js';
import { compress } from '../src/middleware/index.js';
import { openapi, openapiRoutes } from '../src/openapi/index.js';
import { formatRoutes, reply } from '../src/router/index.js';
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
    t.ok(took < 10, `${path.slice(0, 40)} took ${took.toFixed(3)} ms`);
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

t.test('url() gives paths that lead back, whatever the parameters', async (t) => {
  const text = fc.oneof(
    fc.constantFrom(
      'a',
      'a-b',
      '.',
      '..',
      '...',
      '/',
      'a/b',
      '%',
      '%2F',
      '?',
      '#',
      '\\',
      ' ',
      'é',
      '-',
      '',
      'x.y',
      ':',
      '*',
    ),
    fc.string({ unit: 'binary', maxLength: 4 }),
  );
  const patterns = [
    '/:a',
    '/:a-:b',
    '/:a.:b/x',
    '/p{/:a}{/:b}',
    '/p{/:a/:b}',
    '/*l',
    '/*l/end',
    '/:a/*l',
    '/:a{-:b}/',
    '/:constructor/:__proto__',
  ];
  let made = 0;
  const run = (sensitive: boolean, trailing: boolean) => {
    const router = new Router({ sensitive, trailing });
    const seen: unknown[] = [];
    for (const [index, pattern] of patterns.entries())
      router.get(pattern, { name: `${index}` }, ({ params }) => void seen.push([index, { ...params }]));
    fc.assert(
      fc.property(
        fc.nat(patterns.length - 1),
        fc.record(
          { a: text, b: text, l: fc.array(text, { maxLength: 3 }), constructor: text, ['__proto__']: text },
          { requiredKeys: [] },
        ),
        (index, given) => {
          const names: readonly string[] = patterns[index]?.match(/(?<=[:*])\w+/g) ?? [];
          const params = Object.fromEntries(Object.entries(given).filter(([key]) => names.includes(key)));
          let path: string;
          try {
            path = router.url(`${index}`, params as never);
          } catch (error) {
            if (!(error instanceof TypeError) || /Cannot|is not a/.test(error.message)) throw error;
            return;
          }
          made++;
          // As a client would send it.
          if (new URL(path, 'http://x.test').href !== `http://x.test${path}`)
            throw new Error(`a client changes ${path}`);
          seen.length = 0;
          handle(router, path);
          const own = seen.find((one) => (one as [number])[0] === index);
          if (JSON.stringify(own) !== JSON.stringify([index, ordered(names, params)]))
            throw new Error(`${path} of ${patterns[index]}: ${JSON.stringify({ params, seen })}`);
        },
      ),
      { numRuns: 1500 },
    );
  };
  for (const sensitive of [false, true]) for (const trailing of [false, true]) run(sensitive, trailing);
  t.ok(made > 500, `${made} paths`);
});

function ordered(names: readonly string[], params: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    names.filter((key) => Object.hasOwn(params, key)).map((key) => [key, params[key]]),
  );
}

t.test('url() refuses what leads elsewhere, and what is no parameter', async (t) => {
  const router = new Router()
    .get('/:from-:to', { name: 'span' }, show)
    .get('/docs{/:a}{/:b}', { name: 'either' }, show)
    .get('/both{/:a/:b}', { name: 'both' }, show)
    .get('/users/:id', { name: 'user', params: { id: 'int' } }, show)
    .get('/pages/:title', { name: 'page' }, show)
    .get('/files/*path', { name: 'file', params: { path: ['a', 'b'] } }, show)
    .get('/x{/:constructor}', { name: 'x' }, show)
    .get('/*any', { name: 'any' }, show);
  const url = router.url.bind(router) as (name: unknown, params?: unknown, query?: unknown) => string;
  for (const [args, pattern] of [
    [['span', { from: 'a-b', to: 'c' }], /'\/a-b-c'.*another "from"/],
    [['either', { b: 'x' }], /another "a"/],
    [['both', { a: 'x' }], /another "a"/],
    [['user', { id: -1 }], /"id" of '\/users\/:id' does not take "-1"/],
    [['user', { id: 'abc' }], /does not take/],
    [['file', { path: ['a', 'c'] }], /does not take "c"/],
    [['page', { title: '..' }], /segment of dots/],
    [['page', { title: '.' }], /segment of dots/],
    [['any', { any: ['', 'other.test'] }], /begins with two slashes/],
    [['page', { title: null }], /"title".*must be text, a number.*received null/],
    [['page', { title: {} }], /received an object/],
    [['page', { title: true }], /received true/],
    [['page', { title: Number.NaN }], /received NaN/],
    [['page', { title: Symbol('x') }], /received a symbol/],
    [['page', { title: ['a'] }], /non-empty string/],
    [['page', { title: '\ud800' }], /URI malformed/],
    [['page', null], /parameters as an object, { id: 5 }; received null/],
    [['page', ['a']], /received an array/],
    [['page', { title: 'a' }, null], /query as an object.*received null/],
    [['page', { title: 'a' }, { q: null }], /"q" of a query must be.*received null/],
    [['page', { title: 'a' }, { q: [{}] }], /received an object/],
    [[Symbol('x')], /No route has the name a symbol/],
  ] as const)
    t.throws(
      () => url(...(args as unknown as [unknown])),
      { name: 'TypeError', message: pattern },
      String(pattern),
    );
  t.equal(url('page', { title: '...' }), '/pages/...');
  t.equal(url('x'), '/x');
  t.equal(url('either', { a: 'x' }, { q: [1, true, 'a b'] }), '/docs/x?q=1&q=true&q=a+b');
});

t.test('what cannot be is refused when it is declared, with what to do', async (t) => {
  const of = () => new Router() as unknown as Record<string, (...args: unknown[]) => unknown>;
  class Page {
    get() {
      return 'x';
    }
  }
  class Site {
    static children: unknown;
    get() {
      return 'x';
    }
  }
  class Part extends Site {}
  Site.children = { '/part': Part };
  const handler = name('x');
  for (const [make, pattern] of [
    [
      () => new Router({ middleware: [5 as never] }),
      /Element 0 of the option "middleware" must be a function/,
    ],
    [
      () => of().get?.('/', { middleware: [handler, undefined] }, handler),
      /Element 1 of the option "middleware"/,
    ],
    [() => of().get?.('/', { middleware: [Page] }, handler), /is the class Page: give what new makes/],
    [() => of().get?.('/', {}, handler, handler), /one handler.*middleware: \[/],
    [() => of().get?.('/', handler, handler), /among its options, { middleware: \[check\]/],
    [() => of().get?.('/', Page), /is a class: Router.resource\(\)/],
    [() => of().get?.(Symbol('x'), handler), /path must be text.*received a symbol/],
    [() => of().get?.(Object.create(null), undefined), /path must be text.*no prototype/],
    [() => of().get?.('/:a', { params: { a: z.string() } }, handler), /a schema is for all parameters/],
    [() => of().get?.('/:a', { params: { a: type('string') } }, handler), /a schema is for all parameters/],
    [() => of().get?.('/:a', { params: { a: Page } }, handler), /takes a converter/],
    [() => of().get?.('/a#b', handler), /ends before "\?" and "#"/],
    [() => of().get?.('/a\\?b', handler), /ends before "\?" and "#"/],
    [() => of().get?.('/100%', handler), /Write "%25" for "%"/],
    [() => of().get?.('/\ud800', handler), /a lone surrogate/],
    [() => of().get?.(`/${'{a'.repeat(9000)}${'}'.repeat(9000)}`, handler), /more than 256 groups/],
    [() => of().get?.(`/${'{/a}'.repeat(200)}`, handler), /Too many path combinations/],
    [() => of().mount?.('/x{/a}{/b}{/c}{/d}{/e}{/f}{/g}', handler), /Too many path combinations/],
    [() => of().mount?.('/:"*"/x', handler), /Two parameters have the name "\*"/],
    [() => of().resource?.('/x', Site), /The class Part is among its own children.*children = undefined/],
    [
      () => of().resource?.('/x', Object.assign(class extends Page {}, { children: { posts: Page } })),
      /begin with a slash.*"posts"/,
    ],
    [() => of().resource?.(undefined, Site), /path must be text/],
    [() => of().resource?.('/x', Object.setPrototypeOf(class {}, null)), /has no method named by a verb/],
    [() => formatRoutes([{}] as never), /takes what router.routes\(\) gives/],
    [() => formatRoutes(null as never), /takes what router.routes\(\) gives; received null/],
    [() => reply(200, 1, { headers: { a: 'b' } as never }), /"headers" of reply must be an array of pairs/],
    [
      () => openapi(new Router(), { info: { title: 'a', version: '1' }, externalDocs: null as never }),
      /"externalDocs" of openapi must be an object/,
    ],
  ] as const)
    t.throws(make, { name: 'TypeError', message: pattern }, String(pattern));
});

t.test('HEAD is for the method of a class that is named so', async (t) => {
  class Page {
    get() {
      return 'page';
    }
    head() {
      return new WsgiResponse({ headers: [['X-Head', 'own']], content: 'page' });
    }
  }
  const router = new Router().resource('/', Page);
  t.same(
    router.routes().map((one) => [one.methods, one.unreachable]),
    [
      [['HEAD'], undefined],
      [['GET'], undefined],
    ],
  );
  const app = client(t, new WsgiHandler([router]));
  t.equal((await app.head('/')).header('x-head'), 'own');
  t.equal(await (await app.get('/')).text(), 'page');
});

t.test('an application that is mounted is at its root with and without a slash', async (t) => {
  const inner = new Router().get('/', ({ environ }) => [environ.SCRIPT_NAME, environ.PATH_INFO]);
  const app = client(
    t,
    new WsgiHandler([
      new Router()
        .mount('/a', new WsgiHandler([inner]))
        .mount('/b', new WsgiHandler([new Router().mount('/', new WsgiHandler([inner]))])),
    ]),
  );
  for (const [path, expected] of [
    ['/a', ['/a', '']],
    ['/a/', ['/a', '/']],
    ['/b', ['/b', '']],
    ['/b/', ['/b', '/']],
  ] as const)
    t.same(await (await app.get(path)).json(), expected, path);
  t.equal((await app.get('/a//')).status, 404);
});

t.test('results: bytes of every kind, nothing in a text, statuses without content', async (t) => {
  const bytes = Uint16Array.of(0x4241, 0x4443);
  const router = new Router()
    .get('/buffer', () => bytes.buffer)
    .get('/view', () => new DataView(bytes.buffer, 1, 2))
    .get('/array', () => bytes)
    .get('/empty', name(''))
    .get('/status', () => reply(202))
    .get('/none', () => reply(204))
    .get('/much', () => reply(204, { a: 1 }))
    .get('/response', () => new Response('x'))
    .get('/blob', () => new Blob(['x']));
  const app = client(t, new WsgiHandler([router]));
  for (const [path, status, type, text] of [
    ['/buffer', 200, 'application/octet-stream', 'ABCD'],
    ['/view', 200, 'application/octet-stream', 'BC'],
    ['/array', 200, 'application/octet-stream', 'ABCD'],
    ['/empty', 200, 'text/plain; charset=utf-8', ''],
    ['/status', 202, undefined, ''],
    ['/none', 204, undefined, ''],
    ['/much', 500, 'text/plain; charset=utf-8', undefined],
    ['/response', 500, 'text/plain; charset=utf-8', undefined],
    ['/blob', 500, 'text/plain; charset=utf-8', undefined],
  ] as const) {
    const response = await app.get(path);
    t.same([response.status, response.header('content-type')], [status, type], path);
    if (text !== undefined) t.equal(await response.text(), text, path);
  }
});

t.test('JSON Schemas of any shape are read in a moment', async (t) => {
  const describe = (jsonSchema: object) => ({
    '~standard': {
      version: 1 as const,
      vendor: 'test',
      validate: (value: unknown) => ({ value }),
      jsonSchema: { input: () => jsonSchema, output: () => jsonSchema },
    },
  });
  // Each twice in the one before: 2^30 ways lead to the last.
  const $defs: Record<string, object> = {
    n30: { properties: { l: { type: 'array' } } },
    '100%': { type: 'object' },
  };
  for (let i = 0; i < 30; i++) {
    const next = { $ref: `#/$defs/n${i + 1}` };
    $defs[`n${i}`] = { allOf: [next, next] };
  }
  const many = describe({ type: 'object', allOf: [{ $ref: '#/$defs/n0' }], $defs });
  const percent = describe({
    type: 'object',
    properties: { a: { $ref: '#/$defs/100%' } },
    $defs: { '100%': { type: 'array' } },
  });
  const router = new Router()
    .get('/many', { query: many }, ({ valid }) => valid.query as object)
    .get('/percent', { query: percent }, ({ valid }) => valid.query as object);
  const app = client(t, new WsgiHandler([router]));
  t.same(await (await app.get('/many?l=1&m=1')).json(), { l: ['1'], m: '1' });
  t.same(await (await app.get('/percent?a=1')).json(), { a: ['1'] });
  const document = openapi(router, { info: { title: 'x', version: '1' } });
  t.match(document.paths['/percent']?.get, { parameters: [{ name: 'a', in: 'query' }] });
});

t.test('an OpenAPI document is made once, however many places it is asked for at', async (t) => {
  const documented = new Router();
  for (let i = 0; i < 2000; i++)
    documented.get(`/path${i}/:id`, { openapi: { summary: 's'.repeat(200) } }, show);
  const docs = openapiRoutes(documented, { info: { title: 'x', version: '1' }, docs: false });
  const app = client(t, new WsgiHandler([docs, new Router().mount('/:tenant', new WsgiHandler([docs]))]));
  const first = await app.get('/a%20b/openapi.json');
  const other = await app.get('/b/openapi.json');
  const plain = await app.get('/openapi.json');
  const made = (await first.json()) as { servers: unknown };
  t.same(made.servers, [{ url: '/a%20b' }]);
  t.same(Object.keys(made).slice(0, 3), ['openapi', 'info', 'servers']);
  t.same({ ...((await plain.json()) as object), servers: made.servers }, made);
  t.equal(new Set([first, other, plain].map((one) => one.header('etag'))).size, 3);
  t.equal((await app.get('/a%20b/openapi.json')).header('etag'), first.header('etag'));
  const environ = (tenant: number) => ({
    SCRIPT_NAME: `/${tenant}`,
    HTTP_IF_NONE_MATCH: undefined,
    HTTP_IF_MATCH: undefined,
  });
  let tenant = 0;
  const took = leastMs(() => handle(docs, '/openapi.json', environ(tenant++)));
  t.ok(took < 1, `${took.toFixed(3)} ms for a document of a tenant`);
});
