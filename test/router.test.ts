/** The Router: what a request of a method and a path gets, inside `lint` and over real sockets. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { type MatchFunction, match, type ParamData } from 'path-to-regexp';
import t from 'tap';
import {
  html,
  type Middleware,
  type PathParams,
  Router,
  requestOf,
  SkipRoute,
  serve,
  toObject,
  WsgiHandler,
  WsgiResponse,
} from '../src/index.js';
import { mount } from '../src/middleware/index.js';
import { ask, client } from './support/ask.js';

const run = promisify(execFile);
const GATEWAYS = ['uws', 'node'] as const;
const show = (request: { params: object }) => ({ ...request.params });
const site = (...routers: Middleware[]) => new WsgiHandler(routers);
const name = (text: string) => () => text;

t.test('a handler gets the request, and what it returns becomes a response', async (t) => {
  const router = new Router()
    .get('/users/:id', ({ params }) => ({ id: params.id }))
    .get('/list', () => [1, 2])
    .get('/text', () => 'plain <b>')
    .get('/html', () => html`<b>${'<'}</b>`)
    .get('/bytes', () => Buffer.from('b'))
    .get('/later', async (request) => ({ path: request.path }))
    .get('/chunks', function* () {
      yield 'a';
      yield 'b';
    })
    .get('/own', () => new WsgiResponse({ status: 201, content: 'made' }))
    .get('/number', () => 5 as never)
    .get('/fetched', () => Response.json({ id: 5 }))
    .get('/started', (_request, start) => {
      start('202 Accepted', [['Content-Type', 'text/x']]);
      return (function* () {
        yield 'started';
      })();
    })
    .get('/begun', (_request, start) => {
      start('200 OK', [['Content-Type', 'text/x']]);
    })
    .get('/begun-later', async (_request, start) => {
      await null;
      start('200 OK', [['Content-Type', 'text/x']]);
    })
    .get('/*rest', () => 'the next');
  const app = client(t, site(router));
  for (const [path, status, type, text] of [
    ['/users/5', 200, 'application/json', '{"id":"5"}'],
    ['/USERS/5/', 200, 'application/json', '{"id":"5"}'],
    ['/users/a%2Fb', 200, 'application/json', '{"id":"a/b"}'],
    ['/users/%zz', 400, 'text/plain; charset=utf-8', undefined],
    ['/list', 200, 'application/json', '[1,2]'],
    ['/text', 200, 'text/plain; charset=utf-8', 'plain <b>'],
    ['/html', 200, 'text/html; charset=utf-8', '<b>&lt;</b>'],
    ['/bytes', 200, 'application/octet-stream', 'b'],
    ['/later', 200, 'application/json', '{"path":"/later"}'],
    ['/chunks', 200, 'application/octet-stream', 'ab'],
    ['/started', 202, 'text/x', 'started'],
    ['/own', 201, 'text/plain; charset=utf-8', 'made'],
    ['/begun', 500, 'text/plain; charset=utf-8', undefined],
    ['/begun-later', 500, 'text/plain; charset=utf-8', undefined],
    ['/elsewhere', 200, 'text/plain; charset=utf-8', 'the next'],
    ['/number', 500, 'text/plain; charset=utf-8', undefined],
    ['/fetched', 500, 'text/plain; charset=utf-8', undefined],
  ] as const) {
    const response = await app.get(path);
    t.equal(response.status, status, path);
    t.equal(response.header('content-type'), type, path);
    if (text !== undefined) t.equal(await response.text(), text, path);
  }
});

t.test('the root of a mounted router is the place of its prefix', async (t) => {
  const cookies = new Router().get('/', { name: 'all' }, name('all')).get('/:one', name('one'));
  const strict = new Router({ trailing: false }).get('/', name('strict'));
  const router = new Router().mount('/cookies', cookies).mount('/strict', strict).mount('/deep/', strict);
  const app = client(t, site(router));
  for (const [path, text] of [
    ['/cookies', 'all'],
    ['/cookies/', 'all'],
    ['/cookies/a', 'one'],
    ['/strict', 'strict'],
    ['/strict/', undefined],
    ['/deep/', 'strict'],
    ['/deep', undefined],
  ] as const) {
    const response = await app.get(path);
    t.equal(response.status, text === undefined ? 404 : 200, path);
    if (text !== undefined) t.equal(await response.text(), text, path);
  }
  t.equal(router.url('all'), '/cookies');
});

t.test('a bad escape is 400 whatever the method, also where the path is for others', async (t) => {
  const router = new Router()
    .get('/users/:id', ({ params }) => params)
    .post('/files/*path', ({ params }) => params);
  const app = client(t, site(router));
  for (const path of ['/users/%zz', '/users/5%', '/users/%ff', '/files/a/%c3'])
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'OPTIONS', 'PROPFIND'])
      t.equal((await app.request(path, { method })).status, 400, `${method} ${path}`);
});

t.test('methods: HEAD, OPTIONS, 405 with Allow, others', async (t) => {
  const router = new Router()
    .get('/a', name('get'))
    .post('/a', name('post'))
    .all('/any', ({ method }) => method)
    .on(['PROPFIND', 'REPORT'])('/dav/*path', ({ method }) => method)
    .options('/own', name('own'))
    .head('/own', () => new WsgiResponse({ content: 'x', headers: [['X-Head', 'own']] }));
  const app = client(t, site(router));
  t.equal(await (await app.get('/a')).text(), 'get');
  const head = await app.request('/a', { method: 'HEAD' });
  t.same([head.status, head.header('content-length'), await head.text()], [200, '3', '']);
  t.equal(await (await app.post('/a')).text(), 'post');
  const refused = await app.request('/a', { method: 'DELETE' });
  t.same([refused.status, refused.header('allow')], [405, 'GET, HEAD, POST, OPTIONS']);
  const options = await app.request('/a', { method: 'OPTIONS' });
  t.same([options.status, options.header('allow')], [204, 'GET, HEAD, POST, OPTIONS']);
  t.equal(await (await app.request('/own', { method: 'OPTIONS' })).text(), 'own');
  t.equal((await app.request('/own', { method: 'HEAD' })).header('x-head'), 'own');
  t.equal((await app.get('/own')).status, 405);
  t.equal(await (await app.request('/any', { method: 'REPORT' })).text(), 'REPORT');
  t.equal(await (await app.request('/dav/x/y', { method: 'PROPFIND' })).text(), 'PROPFIND');
  t.equal((await app.get('/dav/x')).header('allow'), 'PROPFIND, REPORT, OPTIONS');
  t.equal((await app.get('/none')).status, 404);
  // A client cannot reach anything but handlers by its method.
  for (const method of ['LINK', 'SEARCH', 'TRACE'])
    t.equal((await app.request('/a', { method })).status, 405, method);
});

t.test('a router passes on what it does not take, so several stand in one handler', async (t) => {
  const first = new Router({ otherMethods: 'pass' }).get('/a', name('first'));
  const second = new Router().post('/a', name('second')).get('/b', name('b'));
  const app = client(t, site(first, second));
  t.equal(await (await app.get('/a')).text(), 'first');
  t.equal(await (await app.post('/a')).text(), 'second');
  t.equal(await (await app.get('/b')).text(), 'b');
  t.equal((await app.get('/c')).status, 404);
});

t.test(
  'the first that matches answers; one that returns nothing or skips leaves it to the next',
  async (t) => {
    const seen: string[] = [];
    const router = new Router()
      .all('/*path', ({ params }) => void seen.push(params.path.join('/')))
      .get('/x{/:id}', ({ params }) => {
        if (params.id === 'skip') throw new SkipRoute();
        return params.id === 'none' ? undefined : `first ${params.id}`;
      })
      .get('/x/:id', async ({ params }) => {
        if (params.id === 'skip') throw new SkipRoute();
        return `second ${params.id}`;
      })
      .get('/x/skip', name('third'));
    const app = client(t, site(router));
    for (const [path, text] of [
      ['/x/1', 'first 1'],
      ['/x/none', 'second none'],
      ['/x/skip', 'third'],
    ] as const)
      t.equal(await (await app.get(path)).text(), text);
    t.same(seen, ['x/1', 'x/none', 'x/skip']);
    t.equal((await app.get('/y')).status, 404, 'passed on by all, so not 405');
  },
);

t.test('converters make values, or no match', async (t) => {
  const double = (text: string) => (text.startsWith('d') ? text.slice(1).repeat(2) : undefined);
  const router = new Router()
    .get('/int/:n', { params: { n: 'int' } }, ({ params }) => {
      const n: number = params.n;
      return { n };
    })
    .get('/float/:n', { params: { n: 'float' } }, show)
    .get('/uuid/:id', { params: { id: 'uuid' } }, show)
    .get('/pet/:kind', { params: { kind: ['cat', 'dog'] } }, ({ params }) => {
      const kind: 'cat' | 'dog' = params.kind;
      return { kind };
    })
    .get('/own{/:x}', { params: { x: double } }, show)
    .get('/many/*ns', { params: { ns: 'int' } }, ({ params }) => {
      const ns: number[] = params.ns;
      return { ns };
    })
    .get('/int/:word', show);
  const app = client(t, site(router));
  for (const [path, expected] of [
    ['/int/5', { n: 5 }],
    ['/int/0', { n: 0 }],
    ['/int/05', { word: '05' }],
    ['/int/-5', { word: '-5' }],
    ['/int/99999999999999999999', { word: '99999999999999999999' }],
    ['/float/1.5', { n: 1.5 }],
    ['/float/1e5', 404],
    ['/float/NaN', 404],
    ['/uuid/6BA7B810-9DAD-11D1-80B4-00C04FD430C8', { id: '6ba7b810-9dad-11d1-80b4-00c04fd430c8' }],
    ['/uuid/x', 404],
    ['/pet/cat', { kind: 'cat' }],
    ['/pet/cow', 404],
    ['/own/dab', { x: 'abab' }],
    ['/own', {}],
    ['/own/x', 404],
    ['/many/1/2', { ns: [1, 2] }],
    ['/many/1/x', 404],
  ] as const) {
    const response = await app.get(path);
    if (expected === 404) t.equal(response.status, 404, path);
    else t.same(await response.json(), expected, path);
  }
  t.equal((await app.post('/uuid/x')).status, 404, 'a path that no route takes is not 405');
});

t.test('routers in routers, middleware around routes, names', async (t) => {
  const order: string[] = [];
  const mark =
    (text: string): Middleware =>
    () =>
      void order.push(text);
  const gate: Middleware = ({ HTTP_X_KEY }) => {
    if (HTTP_X_KEY !== 'k') return new WsgiResponse({ status: 401, content: 'no' });
    return undefined;
  };
  const posts = new Router({ middleware: [mark('posts')], sensitive: true })
    .get('/', { name: 'posts' }, show)
    .get('/:post', { name: 'post', middleware: [mark('own')] }, show);
  const users = new Router({ middleware: [mark('users')] })
    .get('/:user', { name: 'user' }, show)
    .mount('/:user/posts', posts);
  const router = new Router({ middleware: [gate] }).mount('/api/users', users).get('/API', name('upper'));
  const app = client(
    t,
    site(router, ({ 'vela.route': route }) => new WsgiResponse({ content: `none ${route}` })),
  );
  const get = (path: string) => app.get(path, { headers: { 'x-key': 'k' } });
  t.same(await (await get('/api/users/7/posts/8')).json(), { user: '7', post: '8' });
  t.same(order.splice(0), ['users', 'posts', 'own']);
  t.same(await (await get('/api/users/7/posts/')).json(), { user: '7' });
  t.equal(await (await get('/api/users/7/POSTS/')).text(), 'none undefined', 'a router keeps its own policy');
  t.equal((await app.get('/api/users/7')).status, 401);
  t.equal(
    router.url('post', { user: 'a b', post: 1 }, { q: ['x', 'y'] }),
    '/api/users/a%20b/posts/1?q=x&q=y',
  );
  t.throws(() => router.url('nope'), /there are user, posts, post/);
  t.throws(
    () => router.url('post', { user: 1 }),
    /needs "user", "post"; received "user"; Missing parameters: post/,
  );
  t.throws(() => router.url('post'), /received none; Missing parameters: user, post/);
  t.match(router.routes()[0], { methods: ['GET'], path: '/api/users/:user', name: 'user' });
  t.throws(() => router.mount('/x', router), /itself/);
});

t.test('a URL is one that its route takes', async (t) => {
  const day = (text: string) => (/^\d{4}-\d\d-\d\d$/.test(text) ? new Date(text) : undefined);
  const router = new Router()
    .get('/users/:id', { name: 'user', params: { id: 'int' } }, show)
    .get('/pets/:kind', { name: 'pet', params: { kind: ['cat', 'dog'] } }, show)
    .get('/days/:day{/*ids}', { name: 'day', params: { day, ids: 'int' } }, show);
  t.equal(router.url('user', { id: 5 }), '/users/5');
  t.equal(router.url('pet', { kind: 'cat' }), '/pets/cat');
  t.equal(router.url('day', { day: '2026-01-02', ids: [1, 2] }), '/days/2026-01-02/1/2');
  for (const [make, text] of [
    [() => router.url('user', { id: -1 }), /The parameter "id" of '\/users\/:id' does not take "-1"/],
    [() => router.url('user', { id: 'x' }), /"id" .* does not take "x"/],
    [() => router.url('pet', { kind: 'cow' }), /"kind" .* does not take "cow"/],
    [() => router.url('day', { day: 'now' }), /"day" .* does not take "now"/],
    [() => router.url('day', { day: '2026-01-02', ids: [1, 'x'] }), /"ids" .* does not take "x"/],
  ] as const)
    t.throws(make, { name: 'TypeError', message: text });
});

t.test('what it puts into the environ are keys as assigned ones are', async (t) => {
  const keys = ['vela.route', 'vela.params', 'vela.request'];
  const seen: unknown[] = [];
  const before: Middleware = (environ) => void seen.push(keys.filter((key) => key in environ));
  const router = new Router().get('/:id', ({ environ }) => {
    const own = Object.keys(environ).filter((key) => keys.includes(key));
    const copy = toObject(environ);
    environ['vela.route'] = 'mine';
    return { own, copied: keys.filter((key) => key in copy), route: environ['vela.route'] };
  });
  const { text } = await ask(t, site(before, router), '/7');
  t.same(seen, [[]]);
  t.same(JSON.parse(text), { own: keys, copied: keys, route: 'mine' });
});

t.test('behind mount() it sees the rest of the path', async (t) => {
  const router = new Router().get('/:x', (request) => [request.path, requestOf(request.environ).params]);
  const { text } = await ask(t, site(mount('/app', router)), '/app/a%20b');
  t.equal(text, '["/app/a b",{"x":"a b"}]');
});

t.test('a route that cannot be is refused, with what to write', async (t) => {
  const router = () => new Router();
  for (const [make, text] of [
    [() => router().get('/*', name('x')), '"*" is now "*path"'],
    [() => router().get('/users/:id?', name('x')), '"/:id?" is now "{/:id}"'],
    [() => router().get('/:id(\\d+)', name('x')), 'write ":id"'],
    [() => router().get('/<int:id>', name('x')), '"<id>" is ":id" here'],
    [() => router().get('/users/{id}', name('x')), '"{id}" is ":id" here'],
    [() => router().get('/{id}/posts', name('x')), '"{id}" is ":id" here'],
    [() => router().get('users', name('x')), 'begin with a slash'],
    [() => router().get('/x', (() => undefined) as never, name('x')), '{ middleware: [check] }'],
    [() => router().get('/x', [() => undefined] as never, name('x')), '{ middleware: [check] }'],
    [() => router().get('/:id/:id', name('x')), 'Two parameters have the name "id"'],
    [() => router().get('/x', undefined as never), 'needs a handler'],
    [
      () => router().get('/:a', { params: { b: 'int' } } as never, name('x')),
      'has no parameter "b"; it has "a"',
    ],
    [() => router().get('/:a', { params: { a: 'integer' } } as never, name('x')), "'int', 'float', 'uuid'"],
    [() => router().get('/:a', { nme: 'x' } as never, name('x')), 'no option "nme"'],
    [() => router().on(['get'])('/x', name('x')), 'upper case'],
    [
      () => router().on(['GET'], ...(['/x', name('x')] as never[])),
      "router.on(['PROPFIND'])('/path', handler)",
    ],
    [() => new Router({ trailing: 'no' as never }), 'true or false'],
    [() => router().mount('/x', 'app' as never), 'What Router.mount() is given must be a function'],
  ] as const)
    t.throws(
      make,
      { name: 'TypeError', message: new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')) },
      text,
    );
  const twice = router().get('/a', { name: 'n' }, name('a')).get('/b', { name: 'n' }, name('b'));
  t.throws(() => twice.routes(), /Two routes have the name "n", .*: '\/a' and '\/b'/);
});

const encodePath = (text: string) => text.replace(/[^\x21-\x7e]+/gu, encodeURIComponent);
const word = fc.constantFrom('a', 'b', 'ab', 'A', 'users', 'x-y', '.', '-', 'é', 'K', '%41', '');
const param = fc.constantFrom('p', 'q', 'r', 's', 't');
const piece: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: word.map((one) => `/${one}`) },
  { weight: 4, arbitrary: param.map((one) => `/:${one}`) },
  { weight: 1, arbitrary: param.map((one) => `/*${one}`) },
  { weight: 1, arbitrary: word },
  { weight: 1, arbitrary: param.map((one) => `-:${one}`) },
  { weight: 1, arbitrary: param.map((one) => `.:${one}`) },
  { weight: 1, arbitrary: param.map((one) => `x*${one}`) },
  { weight: 1, arbitrary: fc.constant('/') },
);
const group = fc.array(piece, { minLength: 1, maxLength: 3 }).map((pieces) => `{${pieces.join('')}}`);
const pattern = fc
  .array(fc.oneof({ weight: 6, arbitrary: piece }, { weight: 1, arbitrary: group }), {
    minLength: 1,
    maxLength: 5,
  })
  .map((pieces) => pieces.join(''));
const inPaths = [
  'a',
  'b',
  'ab',
  'A',
  'B',
  'users',
  'Users',
  'x-y',
  '.',
  '-',
  '%C3%A9',
  '%c3%a9',
  'K',
  '%zz',
  '%',
];
const odd = ['%41', '1', '/', '/', '//', 'x', 'a.b', 'a-b-c', '%2F', 'ab-x.y'];
const path = fc.array(fc.constantFrom(...inPaths, ...odd), { maxLength: 9 }).map((all) => `/${all.join('')}`);

t.test('it finds what a scan with path-to-regexp finds, in the same order', async (t) => {
  let matches = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(pattern, { minLength: 1, maxLength: 12 }),
      fc.array(path, { minLength: 1, maxLength: 8 }),
      fc.boolean(),
      fc.boolean(),
      async (sources, paths, sensitive, trailing) => {
        const found: unknown[] = [];
        const router = new Router({ sensitive, trailing, unreachable: 'ignore' });
        const scan: [number, MatchFunction<ParamData>][] = [];
        for (const [index, source] of sources.entries()) {
          try {
            router.get(source, ({ params }) => void found.push([index, { ...params }]));
            scan.push([index, match(source, { sensitive, trailing, encodePath })]);
          } catch {
            // No path: not of interest here.
          }
        }
        // Twice, as the first search leaves something for the second.
        for (const one of [...paths, ...paths]) {
          const expected: unknown[] = [];
          let isBad = false;
          try {
            for (const [index, find] of scan) {
              const result = find(one);
              if (result !== false) expected.push([index, { ...result.params }]);
            }
          } catch {
            isBad = true;
          }
          if (expected.length > 0) matches++;
          found.length = 0;
          const environ = { REQUEST_METHOD: 'GET', 'vela.raw_path': one } as never;
          const act = () => router.handle(environ, (() => undefined) as never);
          if (isBad) t.throws(act, { name: 'BadRequest' });
          else await act();
          if (JSON.stringify(found) !== JSON.stringify(expected))
            throw new Error(`${one} of ${JSON.stringify(sources)}: ${JSON.stringify({ found, expected })}`);
        }
      },
    ),
    { numRuns: 2500 },
  );
  t.ok(matches > 2000, `${matches} paths matched`);
});

t.test('hostile paths take no longer than their length', async (t) => {
  const router = new Router();
  for (const source of [
    '/:a-:b-:c',
    '/*a/x/*b/y/*c',
    '/:a/*b.:c',
    '/{:x.}:y',
    '/*a-:b',
    '/x{/:a}{/:b}',
    '/*a',
  ])
    router.get(source, () => undefined);
  for (const one of ['a-', '/', 'a/', '%41', '-', '.', 'x/', 'x/y/', '/x/', 'a.', '{']) {
    for (const end of ['', '!', '/']) {
      const environ = {
        REQUEST_METHOD: 'GET',
        'vela.raw_path': `/${one.repeat(8192 / one.length)}${end}`,
      } as never;
      const began = performance.now();
      await router.handle(environ, (() => undefined) as never);
      t.ok(performance.now() - began < 250, `${JSON.stringify(one)} and ${JSON.stringify(end)}`);
    }
  }
});

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <T extends true>(_holds?: T): void => undefined;

t.test('the types of parameters follow from the path', async () => {
  same<Equal<PathParams<'/users/:id'>, { readonly id: string }>>();
  same<Equal<PathParams<'/files{/*path}'>, { readonly path?: string[] }>>();
  same<
    Equal<
      PathParams<'/users/:id{/posts/:post}/*rest'>,
      { readonly id: string; readonly rest: string[]; readonly post?: string }
    >
  >();
  same<Equal<PathParams<'/:a-:b.:ext'>, { readonly a: string; readonly b: string; readonly ext: string }>>();
  same<Equal<PathParams<'/:"user-id"/x'>, { readonly 'user-id': string }>>();
  same<Equal<PathParams<'/a\\:b/:c'>, { readonly c: string }>>();
  new Router().get('/:day', { params: { day: (text) => new Date(text) } }, ({ params }) => {
    same<Equal<typeof params.day, Date>>();
  });
  new Router().get('/users/:id', ({ params }) => {
    // @ts-expect-error: the path has no such parameter
    return `${params.id}${params.name}`;
  });
});

for (const gateway of GATEWAYS) {
  t.test(`${gateway}: over a socket`, async (t) => {
    const router = new Router()
      .get('/users/:id', ({ params }) => params)
      .post('/echo', async (request) => ({ got: await request.json() }));
    const server = await serve(site(router), { bind: '127.0.0.1:0', gateway, logLevel: 'silent' });
    t.teardown(() => server.close());
    const curl = async (...flags: string[]) =>
      (await run('curl', ['-s', '-w', ' %{http_code}', ...flags])).stdout;
    t.equal(await curl(`${server.url}/users/caf%C3%A9`), '{"id":"café"} 200');
    t.equal(await curl('--path-as-is', `${server.url}/users/%zz`), 'The path has a malformed escape\n 400');
    t.equal(
      await curl('-d', '{"a":1}', '-H', 'Content-Type: application/json', `${server.url}/echo`),
      '{"got":{"a":1}} 200',
    );
    t.match(
      await curl('-i', '-X', 'DELETE', `${server.url}/echo`),
      /405 [\s\S]*\r\nAllow: POST, OPTIONS\r\n/i,
    );
    t.match(await curl('-I', `${server.url}/users/1`), / 200$/);
  });
}
