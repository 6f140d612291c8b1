/** What a Router asks for beside method and path, what it mounts, and what it says of its routes. */
import { request as httpRequest } from 'node:http';
import fc from 'fast-check';
import { type MatchFunction, match, type ParamData } from 'path-to-regexp';
import t from 'tap';
import {
  type App,
  type Environ,
  html,
  type Middleware,
  Router as QuickRouter,
  requestOf,
  serve,
  WsgiHandler,
  WsgiResponse,
} from '../src/index.js';
import { mount, proxyHeaders } from '../src/middleware/index.js';
import {
  formatRoutes,
  type ResourceParameters,
  type RouteRequest,
  Router,
  SkipRoute,
} from '../src/router/index.js';
import { client, recorder, testClient } from './support/ask.js';

const show = (request: { params: object }) => ({ ...request.params });
const name = (text: string) => () => text;
const JSON_TYPE = 'application/json';
const escapeRegExp = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const teaches = (text: string) => ({ name: 'TypeError', message: new RegExp(escapeRegExp(text)) });

t.test('vela/router is the Router of vela', async (t) => {
  t.equal(Router, QuickRouter);
});

t.test('an application below a prefix sees the rest of the path', async (t) => {
  const echo: App = (environ) =>
    new WsgiResponse({
      content: JSON.stringify([
        environ.SCRIPT_NAME,
        environ.PATH_INFO,
        environ['vela.raw_path'],
        requestOf(environ).params,
      ]),
    });
  const router = new Router()
    .mount('/shop', echo)
    .mount('/:tenant/sub/', { handle: echo })
    .mount('/group{/:x}/app', new WsgiHandler([echo]))
    .get('/shopping', name('shopping'));
  const app = client(t, new WsgiHandler([router]));
  for (const [path, expected] of [
    ['/shop', ['/shop', '', '', {}]],
    ['/shop/', ['/shop', '/', '/', {}]],
    ['/SHOP/a%20b//c/', ['/SHOP', '/a b//c/', '/a%20b//c/', {}]],
    ['/shop//', ['/shop', '//', '//', {}]],
    ['/shop/a%2Fb', ['/shop', '/a/b', '/a%2Fb', {}]],
    ['/a%20b/sub', ['/a b/sub', '', '', { tenant: 'a b' }]],
    ['/ada/sub/x', ['/ada/sub', '/x', '/x', { tenant: 'ada' }]],
    ['/group/app/1', ['/group/app', '/1', '/1', {}]],
    ['/group/y/app/1', ['/group/y/app', '/1', '/1', { x: 'y' }]],
  ] as const)
    t.same(await (await app.get(path)).json(), expected, path);
  t.equal(await (await app.get('/shopping')).text(), 'shopping');
  t.equal((await app.get('/shop/%zz')).status, 400);
  t.equal((await app.get('/%zz/sub')).status, 400);
  t.same(await (await app.request('/shop/x', { method: 'PATCH' })).json(), ['/shop', '/x', '/x', {}]);
  t.throws(() => router.mount('/*all', echo), teaches('a wildcard leaves no path'));
  t.throws(() => router.mount('/x', {} as never), teaches('What Router.mount() is given must be a function'));
});

t.test('a router at the root of another, and one in an application, find their way', async (t) => {
  const seen: unknown[] = [];
  const log = ({ environ }: RouteRequest) => void seen.push([environ['vela.route'], environ['vela.params']]);
  const items: Router = new Router().get('/items/:id', { name: 'item' }, ({ params, environ }) => ({
    own: params.id,
    outer: environ['vela.mount_params'],
    url: environ.SCRIPT_NAME + items.url('item', { id: 'n 1' }),
  }));
  const shop = new WsgiHandler([items, ({ PATH_INFO }) => (PATH_INFO === '/none' ? undefined : [])]);
  const pass: Middleware = ({ SCRIPT_NAME, PATH_INFO }) => void seen.push([SCRIPT_NAME, PATH_INFO]);
  const root = new Router()
    .mount('/', new Router().get('/a', name('a')))
    .mount('/:tenant/pass', pass)
    .mount('/:tenant/fails', async () => {
      throw new SkipRoute();
    })
    .mount('/:tenant/shop', new Router().mount('/', shop))
    .all('/*path', log);
  let last: string | undefined;
  const outermost: Middleware = (environ) => {
    environ['vela.response'].onEnd(() => {
      last = environ['vela.route'];
    });
  };
  const app = client(t, new WsgiHandler([outermost, root]));
  t.equal(await (await app.get('/a')).text(), 'a');
  t.same(await (await app.get('/acme/shop/items/7')).json(), {
    own: '7',
    outer: { tenant: 'acme' },
    url: '/acme/shop/items/n%201',
  });
  t.equal(last, '/:tenant/shop/items/:id', 'the whole pattern, for logs');
  for (const path of ['/x/pass/1', '/x/fails/1']) t.equal((await app.get(path)).status, 404);
  t.same(seen, [
    ['/x/pass', '/1'],
    ['/*path', { path: ['x', 'pass', '1'] }],
    ['/*path', { path: ['x', 'fails', '1'] }],
  ]);
});

t.test('start, stop, describe and headers are those of what it mounts', async (t) => {
  const calls: string[] = [];
  const app: App = Object.assign(() => new WsgiResponse({ content: 'x' }), {
    start: () => void calls.push('start'),
    stop: () => void calls.push('stop'),
    describe: () => ({ name: 'shop', size: 5 }),
    headers: ['user-agent'],
  });
  const router = new Router({ host: 'a.example' }).mount('/shop', app).mount('/again', app);
  t.same([...(router.headers ?? [])].sort(), ['host', 'user-agent']);
  t.throws(() => router.get('/late', name('late')), teaches('has asked for its headers'));
  t.equal(new Router().headers, undefined, 'nobody knows what an empty one will read');
  t.equal(new Router().get('/', name('x')).mount('/x', app).headers, undefined);
  const made = testClient(router);
  await made.get('/shop', { headers: { host: 'a.example' } });
  await made.close();
  t.same(calls, ['start', 'stop']);
  t.match(router.describe(), { routes: [{ path: '/shop{/*rest}', mounted: { name: 'shop', size: 5 } }, {}] });
});

t.test('what is added to a mounted router later is seen, until the server starts', async (t) => {
  const inner = new Router();
  const middle = new Router().mount('/m', inner);
  const outer = new Router().mount('/o', middle);
  const app = client(t, new WsgiHandler([outer]));
  t.same(outer.routes(), []);
  inner.get('/x', { name: 'x' }, name('x'));
  t.equal(outer.url('x'), '/o/m/x');
  t.equal(await (await app.get('/o/m/x')).text(), 'x');
  t.throws(() => inner.get('/y', name('y')), teaches('The server has started'));
  t.throws(() => inner.mount('/y', new Router()), teaches('The server has started'));
  t.throws(() => inner.mount('/', outer), teaches('cannot be mounted in itself'));
  t.throws(() => inner.mount('/', inner), teaches('cannot be mounted in itself'));
});

t.test('accepts: the types of bodies that a route takes', async (t) => {
  const router = new Router()
    .post('/one', { accepts: [JSON_TYPE] }, async (request) => ({ json: await request.json() }))
    .post('/one', { accepts: ['text/*', 'application/*+xml'] }, async ({ text, environ }) => [
      environ.CONTENT_TYPE,
      typeof text,
    ])
    .patch('/one', { accepts: ['application/merge-patch+json'] }, name('patched'))
    .put('/any', { accepts: ['*/*'] }, name('any'))
    .post('/none', { accepts: [JSON_TYPE] }, name('none'))
    .get('/one', { accepts: [JSON_TYPE] }, name('got'));
  const app = client(t, new WsgiHandler([router]));
  const post = (type: string | undefined, body = '{}', method = 'POST') =>
    app.request('/one', { method, body, headers: type === undefined ? {} : { 'content-type': type } });
  t.same(await (await post('application/json; charset=utf-8')).json(), { json: {} });
  t.same(await (await post('APPLICATION/JSON')).json(), { json: {} });
  t.same(await (await post('text/csv')).json(), ['text/csv', 'function']);
  t.equal((await post('application/atom+xml')).status, 200);
  for (const type of ['application/xml', 'image/png', 'text', 'text/', '', ';;;', '*/*', undefined]) {
    const refused = await post(type);
    t.equal(refused.status, 415, `${type}`);
    t.equal(refused.header('accept'), 'application/json, text/*, application/*+xml');
    t.equal(refused.header('accept-post'), refused.header('accept'));
  }
  const patched = await post('text/plain', 'x', 'PATCH');
  t.same([patched.status, patched.header('accept-patch')], [415, 'application/merge-patch+json']);
  t.equal((await app.get('/one')).status, 200, 'without a body there is nothing to refuse');
  t.equal((await app.request('/none', { method: 'POST' })).status, 200);
  t.equal((await app.request('/any', { method: 'PUT', body: 'x' })).status, 200);
  t.equal((await app.request('/one', { method: 'DELETE', body: 'x' })).status, 405, '405 comes before 415');
  const options = await app.request('/one', { method: 'OPTIONS' });
  t.equal(options.header('accept-patch'), 'application/merge-patch+json');
  const chunked = await app.request('/one', {
    method: 'POST',
    body: (async function* () {
      yield 'x';
    })() as never,
  });
  t.equal(chunked.status, 415, 'a body of unknown length is one');
});

t.test('produces: the type that the client likes best', async (t) => {
  const router = new Router()
    .get('/one', { produces: [JSON_TYPE, 'text/csv', 'application/problem+json'] }, (request) => {
      const type: 'application/json' | 'text/csv' | 'application/problem+json' = request.responseType;
      return type === 'text/csv' ? 'a,b\n' : { type };
    })
    .get('/one', { produces: ['text/html'] }, async ({ responseType }) => html`<i>${responseType}</i>`)
    .get('/one', { accepts: [JSON_TYPE], produces: ['image/png'] }, () => Buffer.from('png'))
    .get('/text', { produces: ['text/plain;charset=latin1'] }, name('x'))
    .get('/wrong', { produces: ['text/csv'] }, () => ({}))
    .get('/skip', { produces: ['text/csv'] }, () => undefined)
    .get('/skip', ({ responseType }) => `${responseType}`)
    .get('/own', { produces: ['text/csv'] }, (_request, start) => {
      start('200 OK', [
        ['Content-Type', 'text/own'],
        ['Vary', 'Cookie'],
      ]);
      return ['own'];
    })
    .get('/fails', { produces: ['text/csv'] }, () => {
      throw new Error('no');
    })
    .get('/plain', name('plain'));
  const app = client(t, new WsgiHandler([router]));
  const get = (accept: string | undefined, path = '/one') =>
    app.get(path, { headers: accept === undefined ? {} : { accept } });
  for (const [accept, type, text] of [
    [undefined, JSON_TYPE, '{"type":"application/json"}'],
    ['*/*', JSON_TYPE, '{"type":"application/json"}'],
    ['text/csv;q=0.5, application/problem+json', 'application/problem+json', undefined],
    ['text/csv', 'text/csv; charset=utf-8', 'a,b\n'],
    ['text/html, text/csv;q=0.1', 'text/csv; charset=utf-8', 'a,b\n'],
    ['text/html', 'text/html; charset=utf-8', '<i>text/html</i>'],
    ['image/*', 'image/png', 'png'],
  ] as const) {
    for (const again of [1, 2]) {
      const response = await get(accept);
      t.same(
        [response.status, response.header('content-type'), response.header('vary')],
        [200, type, 'Accept'],
        `${accept} ${again}`,
      );
      if (text !== undefined) t.equal(await response.text(), text);
    }
  }
  const none = await get('audio/ogg');
  t.same([none.status, none.header('vary')], [406, 'Accept']);
  t.match(
    await none.text(),
    /application\/json, text\/csv, application\/problem\+json, text\/html, image\/png/,
  );
  for (const accept of ['', ',', 'garbage', '*', '*/*;q=0', 'text/*;q=0']) {
    const { status } = await get(accept);
    t.ok(status === 200 || status === 406, `${accept}: ${status}`);
  }
  t.equal((await get(undefined, '/text')).header('content-type'), 'text/plain;charset=latin1');
  t.equal((await get(undefined, '/wrong')).status, 500);
  t.equal(await (await get(undefined, '/skip')).text(), 'undefined', 'a route without types has none');
  const own = await get(undefined, '/own');
  t.same([own.header('content-type'), own.header('vary')], ['text/own', 'Cookie, Accept']);
  t.equal((await get(undefined, '/fails')).header('vary'), 'Accept');
  t.equal((await get('text/html', '/plain')).header('vary'), undefined);
  t.equal((await app.request('/one', { method: 'HEAD', headers: { accept: 'audio/ogg' } })).status, 406);
  const both = await app.request('/one', {
    method: 'GET',
    body: 'x',
    headers: { accept: 'image/png', 'content-type': 'text/x' },
  });
  t.equal(both.status, 406, 'some routes take the body');
});

t.test('types of a router count for routes that name none; other types may be passed on', async (t) => {
  const inner = new Router().post('/inner', name('inner')).post('/own', { accepts: ['text/*'] }, name('own'));
  const router = new Router({ accepts: [JSON_TYPE], produces: [JSON_TYPE], otherTypes: 'pass' })
    .mount('/', inner)
    .mount('/app', () => new WsgiResponse({ content: 'app' }));
  t.match(router.routes(), [
    { accepts: [JSON_TYPE], produces: [JSON_TYPE] },
    { accepts: ['text/*'], produces: [JSON_TYPE] },
    { accepts: undefined, produces: undefined },
  ]);
  t.match(inner.routes(), [{ accepts: undefined }, { accepts: ['text/*'] }]);
  const app = client(t, new WsgiHandler([router, () => new WsgiResponse({ content: 'next' })]));
  const post = async (path: string, type: string) =>
    (await app.post(path, { body: 'x', headers: { 'content-type': type } })).text();
  t.equal(await post('/inner', JSON_TYPE), 'inner');
  t.equal(await post('/inner', 'text/x'), 'next');
  t.equal(await post('/own', 'text/x'), 'own');
  t.equal(await post('/app', 'text/x'), 'app');
});

t.test('host and scheme: elsewhere the route is not there', async (t) => {
  const router = new Router()
    .get('/', { host: 'api.example.com' }, name('api'))
    .get('/', { host: ':tenant.example.com' }, ({ params }) => {
      const tenant: string = params.tenant;
      return { tenant };
    })
    .get('/n/:id', { host: ':shard.db.example.com', params: { shard: 'int', id: 'int' } }, ({ params }) => {
      const sum: number = params.shard + params.id;
      return { sum };
    })
    .get('/', { host: '*any.deep.test', scheme: 'https' }, ({ params }) => ({ any: params.any }))
    .get('/', { host: '[::1]' }, name('loopback'))
    .post('/post', { host: 'api.example.com' }, name('post'))
    .get('/secure', { scheme: 'https' }, name('secure'))
    .get('/', name('other'));
  const app = client(t, new WsgiHandler([proxyHeaders({ trusted: ['127.0.0.1'] }), router]));
  const get = (host: string, path = '/', headers: Record<string, string> = {}) =>
    app.get(path, { headers: { host, ...headers } });
  for (const [host, text] of [
    ['api.example.com', 'api'],
    ['API.example.com:8080', 'api'],
    ['api.example.com.', 'api'],
    ['Acme.Example.com', '{"tenant":"acme"}'],
    ['acme.example.com.:80', '{"tenant":"acme"}'],
    ['a.b.example.com', 'other'],
    ['example.com', 'other'],
    ['[::1]:80', 'loopback'],
    ['127.0.0.1', 'other'],
    ['x.deep.test', 'other'],
  ] as const)
    t.equal(await (await get(host)).text(), text, host);
  t.same(await (await get('7.db.example.com', '/n/5')).json(), { sum: 12 });
  t.equal((await get('x.db.example.com', '/n/5')).status, 404);
  t.equal((await app.post('/post', { headers: { host: 'a.test' } })).status, 404, 'not 405: it is not there');
  t.equal((await get('a.test', '/post')).status, 404);
  t.equal((await get('api.example.com', '/post')).status, 405);
  const forwarded = {
    'x-forwarded-for': '1.2.3.4',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'a.b.deep.test',
  };
  t.same(await (await get('in.test', '/', forwarded)).json(), { any: ['a', 'b'] });
  t.equal(await (await get('in.test', '/secure', forwarded)).text(), 'secure');
  t.equal((await get('in.test', '/secure')).status, 404);
});

t.test('host and scheme of a router count for all in it; parameters and types join', async (t) => {
  const inner = new Router({ host: ':tenant.example.com' }).get('/:id', { name: 'one' }, ({ params }) => {
    const { tenant, id }: { readonly tenant: string; readonly id: string } = params;
    return `${tenant} ${id}`;
  });
  const outer = new Router({ scheme: 'http' }).mount('/x', inner).get('/x/:id', name('plain'));
  const app = client(t, new WsgiHandler([outer]));
  t.equal(await (await app.get('/x/5', { headers: { host: 'acme.example.com' } })).text(), 'acme 5');
  t.equal(await (await app.get('/x/5', { headers: { host: 'else.test' } })).text(), 'plain');
  t.equal(outer.url('one', { tenant: 'acme', id: 5 }), '/x/5');
  t.match(outer.routes()[0], { host: ':tenant.example.com', scheme: 'http' });
  const within = (options: object, more: object) =>
    new Router(options).mount('/', new Router(more).get('/:id', name('x'))).routes();
  t.same(within({ host: 'a.test' }, { host: ':x.test' })[0]?.host, 'a.test, :x.test');
  t.throws(() => within({ host: 'a.test' }, { host: 'b.test' }), teaches('no request fits'));
  t.throws(() => within({ host: 'a.test' }, { host: ':x.b.test' }), teaches('no request fits'));
  t.throws(() => within({ scheme: 'http' }, { scheme: 'https' }), teaches('no request fits'));
  t.throws(() => within({ host: ':id.test' }, {}), teaches('both have a parameter "id"'));
});

t.test('options that cannot be are refused, with what to write', async (t) => {
  const route = (options: object) => () => new Router().get('/:id', options as never, name('x'));
  for (const [make, text] of [
    [route({ accepts: 'application/json' }), "must be a list of media types, ['application/json']"],
    [route({ accepts: [] }), 'must be a list of media types'],
    [route({ accepts: ['json'] }), 'received "json"'],
    [route({ accepts: ['Text/Plain'] }), 'in lower case'],
    [route({ accepts: ['text/plain; charset=utf-8'] }), 'without parameters'],
    [route({ accepts: ['*/json'] }), 'received "*/json"'],
    [route({ produces: ['text/*'] }), 'received "text/*"'],
    [route({ produces: [5] }), 'must be a list'],
    [route({ produce: [JSON_TYPE] }), 'did you mean "produces"?'],
    [route({ scheme: 'ftp' }), "must be 'http' or 'https'"],
    [route({ host: '' }), 'must be text'],
    [route({ host: 'a.test:80' }), 'a port is not compared'],
    [route({ host: ':x.test:80' }), 'a port is not compared'],
    [route({ host: 'https://a.test' }), 'leave "https://" out'],
    [route({ host: 'münchen.test' }), 'xn--'],
    [route({ host: 'a/b' }), 'no host has "a/b" in it'],
    [route({ host: ':x.:x.test' }), 'two parameters have the name "x"'],
    [route({ host: ':.test' }), 'Missing parameter name'],
    [route({ host: ':id.test' }), 'both have a parameter "id"'],
    [route({ passesOn: 1 }), 'must be true or false'],
    [() => new Router({ unreachable: 'no' as never }), "'warn', 'refuse' or 'ignore'"],
    [() => new Router({ otherTypes: 'no' as never }), "must be 'refuse' or 'pass'"],
    [() => new Router({ hosts: 'a' } as never), 'did you mean "host"?'],
  ] as const)
    t.throws(make, teaches(text), text);
});

t.test('a class answers by its methods; subclasses and children have what it declares', async (t) => {
  const order: string[] = [];
  const mark = (text: string): Middleware => Object.assign(() => void order.push(text), { label: text });
  class Base {
    static readonly accepts: readonly string[] | undefined = [JSON_TYPE];
    static readonly produces = [JSON_TYPE, 'text/plain'] as const;
    static readonly middleware = [mark('base')];
    readonly _names: Map<number, string>;
    constructor(names: Map<number, string>) {
      this._names = names;
    }
    _find(id: number): string {
      return this._names.get(id) ?? 'nobody';
    }
  }
  class Posts extends Base {
    static override readonly middleware = [mark('posts')];
    static readonly params = { post: ['a', 'b'] } as const;
    get({ params }: RouteRequest<{ user: number; post: 'a' | 'b' }>) {
      return { ...params };
    }
  }
  class Users extends Base {
    static readonly routeName: string = 'user';
    static readonly params = { user: 'int' } as const;
    static readonly children = { '/posts/:post': Posts };
    get({ params, responseType }: RouteRequest<{ user: number }, object, 'application/json' | 'text/plain'>) {
      const found = this._find(params.user);
      return responseType === 'text/plain' ? found : { found };
    }
    async put({ params }: RouteRequest<{ user: number }>) {
      this._names.set(params.user, 'put');
      return {};
    }
  }
  class Text extends Users {
    static override readonly accepts = ['text/plain'];
    static override readonly routeName = 'text';
    override get(_request: object) {
      return this.#own();
    }
    #own() {
      return { found: 'own' };
    }
  }
  class Open extends Base {
    static override readonly accepts = undefined;
    post() {
      return 'open';
    }
  }
  const router = new Router()
    .resource('/open', Open, new Map())
    .resource('/users/:user', Users, new Map([[1, 'Ada']]))
    .resource('/texts/:user', Text, new Map());
  const app = client(t, new WsgiHandler([router]));
  t.same(await (await app.get('/users/1')).json(), { found: 'Ada' });
  t.equal(await (await app.get('/users/1', { headers: { accept: 'text/plain' } })).text(), 'Ada');
  t.equal((await app.get('/users/1', { headers: { accept: 'image/png' } })).status, 406);
  t.equal((await app.get('/users/x')).status, 404);
  t.equal((await app.put('/users/1', { body: 'x', headers: { 'content-type': 'text/plain' } })).status, 415);
  t.equal((await app.put('/users/1', { json: {} })).status, 200);
  t.same(await (await app.get('/users/1')).json(), { found: 'put' });
  t.equal((await app.delete('/users/1')).header('allow'), 'GET, HEAD, PUT, OPTIONS');
  order.length = 0;
  t.same(await (await app.get('/users/1/posts/b')).json(), { user: 1, post: 'b' });
  t.same(order, ['base', 'posts']);
  t.equal((await app.get('/users/1/posts/c')).status, 404);
  t.same(await (await app.get('/texts/1')).json(), { found: 'own' });
  t.equal(router.url('text', { user: 5 }), '/texts/5');
  t.match(
    router
      .routes()
      .map(({ methods, path, handler, accepts, produces }) => [
        methods?.[0],
        path,
        handler,
        accepts,
        produces,
      ]),
    [
      ['POST', '/open', 'Open.post', undefined, [JSON_TYPE, 'text/plain']],
      ['GET', '/users/:user', 'Users.get', [JSON_TYPE], [JSON_TYPE, 'text/plain']],
      ['PUT', '/users/:user', 'Users.put', [JSON_TYPE], [JSON_TYPE, 'text/plain']],
      ['GET', '/users/:user/posts/:post', 'Posts.get', [JSON_TYPE], [JSON_TYPE, 'text/plain']],
      ['GET', '/texts/:user', 'Text.get', ['text/plain'], [JSON_TYPE, 'text/plain']],
      ['PUT', '/texts/:user', 'Text.put', ['text/plain'], [JSON_TYPE, 'text/plain']],
      ['GET', '/texts/:user/posts/:post', 'Posts.get', [JSON_TYPE], [JSON_TYPE, 'text/plain']],
    ],
  );
});

t.test('a class that cannot be is refused, by the compiler and when it is put at a path', async (t) => {
  class Misspelt {
    get = () => 'x';
    gett() {
      return 'x';
    }
  }
  class Shouting {
    GET() {
      return 'x';
    }
  }
  class Helper {
    get() {
      return 'x';
    }
    load() {
      return 'x';
    }
  }
  class NoVerb {}
  class NoMethod {
    get = 'x';
  }
  class WrongType {
    static accepts = JSON_TYPE;
    get = () => 'x';
  }
  class WrongStatic {
    static acepts = [JSON_TYPE];
    get = () => 'x';
  }
  class NoList {
    static middleware = () => undefined;
    get = () => 'x';
  }
  class NoConverters {
    static params = 'int';
    get = () => 'x';
  }
  class NoChildren {
    static children = [Helper];
    get = () => 'x';
  }
  class WrongRequest {
    get(request: RouteRequest<{ name: string }>) {
      return request.params.name;
    }
  }
  class WrongValue {
    static readonly params = { id: 'int' } as const;
    get(request: RouteRequest<{ id: string }>) {
      return request.params.id;
    }
  }
  class Wrong {
    static children = { '/x': Helper };
    get = () => 'x';
  }
  class NeedsText {
    readonly _text: string;
    constructor(text: string) {
      this._text = text;
    }
    get() {
      return this._text;
    }
  }
  const router = () => new Router();
  for (const [make, text] of [
    // @ts-expect-error: no verb
    [() => router().resource('/x', Misspelt), 'has a method "gett", which is no verb (did you mean "get"?)'],
    // @ts-expect-error: verbs are in lower case
    [() => router().resource('/x', Shouting), 'did you mean "get"?'],
    // @ts-expect-error: helpers are private
    [() => router().resource('/x', Helper), 'A helper is private, #load, or begins with _'],
    // @ts-expect-error: no method
    [() => router().resource('/x', NoMethod), '"get" of the class NoMethod must be a method; received "x"'],
    // @ts-expect-error: text for a list
    [() => router().resource('/x', WrongType), 'Option "accepts" of a route must be a list'],
    // @ts-expect-error: no list
    [() => router().resource('/x', NoList), 'Option "middleware" must be an array'],
    // @ts-expect-error: no object
    [() => router().resource('/x', NoConverters), 'params takes its options as an object'],
    // @ts-expect-error: no paths
    [() => router().resource('/x', NoChildren), 'must be classes by path'],
    [() => router().resource('/x', WrongStatic), 'did you mean "accepts"?'],
    [() => router().resource('/x', NoVerb), 'has no method named by a verb'],
    [() => router().resource('/x', Wrong), 'The class Helper has a method "load"'],
    // @ts-expect-error: an instance
    [() => router().resource('/x', new Helper()), 'takes a class'],
    // @ts-expect-error: a function
    [() => router().resource('/x', () => 'x'), 'takes a class'],
  ] as const)
    t.throws(make, teaches(text), text);
  const classes: ResourceParameters = Users;
  t.ok(classes.children === undefined);
  // @ts-expect-error: the path has no parameter of that name
  router().resource('/x/:id', WrongRequest);
  // @ts-expect-error: the parameter is a number
  router().resource('/x/:id', WrongValue);
  // @ts-expect-error: it is made with a text
  router().resource('/x/:id', NeedsText);
  t.equal(router().resource('/x/:id', NeedsText, 'a').routes().length, 1);
});

class Users {
  static readonly host = ':tenant.test';
  get({ params }: RouteRequest<{ tenant: string; id: string }>) {
    return `${params.tenant} ${params.id}`;
  }
}

t.test('routes that no request reaches', async (t) => {
  const found = (router: Router) =>
    router
      .routes()
      .flatMap(({ methods, path, unreachable }) =>
        unreachable === undefined ? [] : [`${methods?.join(',') ?? '*'} ${path} < ${unreachable}`],
      );
  const router = () => new Router();
  const x = name('x');
  for (const [made, expected] of [
    [router().get('/users/:id', x).get('/users/me', x), ['GET /users/me < GET /users/:id']],
    [router().get('/users/me', x).get('/users/:id', x), []],
    [router().get('/:a/:b', x).get('/x/:b{/c}', x), []],
    [router().get('/:a/:b{/*c}', x).get('/x/:b{/c}', x), ['GET /x/:b{/c} < GET /:a/:b{/*c}']],
    [router().get('/users/:id', x).post('/users/me', x), []],
    [router().all('/users/:id', x).post('/users/me', x), ['POST /users/me < any method /users/:id']],
    [router().get('/a', x).all('/a', x), []],
    [router().get('/a', x).head('/a', x), ['HEAD /a < GET /a']],
    [router().on(['GET', 'POST'])('/a', x).post('/a', x), ['POST /a < GET, POST /a']],
    [router().get('/a', x).post('/:x', x).on(['GET', 'POST'])('/A', x), ['GET,POST /A < GET /a']],
    [router().get('/a', x).get('/a/', x), ['GET /a/ < GET /a']],
    [router().get('/a/', x).get('/a', x), []],
    [router().get('/*all', x).get('/a', x).get('/', x), ['GET /a < GET /*all']],
    [router().get('/a/*all', x).get('/a/:b/*c', x).get('/a/', x), ['GET /a/:b/*c < GET /a/*all']],
    [router().get('/a/*all', x).get('/a/:b/*c/d', x), ['GET /a/:b/*c/d < GET /a/*all']],
    [router().get('/:a-:b', x).get('/:a-:b-:c', x).get('/1-2', x), ['GET /1-2 < GET /:a-:b']],
    [router().get('/:a', x).get('/:a-:b', x), ['GET /:a-:b < GET /:a']],
    [
      router()
        .get('/:a', { params: { a: 'int' } }, x)
        .get('/:b', x),
      [],
    ],
    [
      router()
        .get('/:a', { params: { a: 'int' } }, x)
        .get('/5', x),
      [],
    ],
    [
      router()
        .get('/:a', x)
        .get('/:b', { params: { b: 'int' } }, x),
      ['GET /:b < GET /:a'],
    ],
    [
      router()
        .get('/:a/:x', { params: { a: 'int' } }, x)
        .get('/:b/y', { params: { b: 'int' } }, x),
      ['GET /:b/y < GET /:a/:x'],
    ],
    [router().get('/a', { host: 'a.test' }, x).get('/a', x), []],
    [router().get('/a', x).get('/a', { host: 'a.test' }, x), ['GET /a < GET /a']],
    [router().get('/a', { host: ':x.test' }, x).get('/a', { host: 'a.test' }, x), ['GET /a < GET /a']],
    [router().get('/a', { scheme: 'https' }, x).get('/a', { scheme: 'http' }, x), []],
    [
      router()
        .post('/a', { accepts: ['text/*'] }, x)
        .post('/a', { accepts: ['text/csv'] }, x),
      ['POST /a < POST /a'],
    ],
    [
      router()
        .post('/a', { accepts: ['text/csv'] }, x)
        .post('/a', { accepts: ['text/*'] }, x),
      [],
    ],
    [
      router()
        .get('/a', { produces: ['text/csv'] }, x)
        .get('/a', { produces: [JSON_TYPE] }, x),
      [],
    ],
    [
      router()
        .get('/a', { produces: ['text/csv', JSON_TYPE] }, x)
        .get('/a', { produces: [JSON_TYPE] }, x),
      ['GET /a < GET /a'],
    ],
    [router().get('/:a', { passesOn: true }, x).get('/a', x), []],
    [
      router()
        .mount('/a', () => undefined)
        .get('/a/b', x),
      [],
    ],
    [router().mount('/a', router().get('/:x', x)).get('/a/b', x), ['GET /a/b < GET /a/:x']],
    [new Router({ sensitive: true }).get('/a', x).mount('/', router().get('/a', x)), []],
    [
      router()
        .get('/a', x)
        .mount('/', new Router({ sensitive: true }).get('/A', x)),
      ['GET /A < GET /a'],
    ],
    [new Router({ trailing: false }).get('/a', x).mount('/', router().get('/a', x)), []],
  ] as [Router, string[]][])
    t.same(found(made), expected, expected.join());
});

t.test('a route that is declared twice is refused at once', async (t) => {
  const f = (text: string) => (text === '' ? undefined : text);
  for (const [options, same] of [
    [{}, {}],
    [{ host: 'A.test' }, { host: 'a.test' }],
    [
      { accepts: ['a/b'], produces: ['c/d'] },
      { produces: ['c/d'], accepts: ['a/b'] },
    ],
    [{ params: { id: 'int' } }, { params: { other: 'int' } }],
    [{ params: { id: ['a', 'b'] } }, { params: { other: ['b', 'a'] } }],
    [{ params: { id: f } }, { params: { other: f } }],
  ] as const) {
    const router = new Router().get('/x/:id', options as object, name('x'));
    t.throws(
      () => router.get('/X/:other', same as object, name('x')),
      teaches('GET /X/:other is declared twice'),
    );
    const passes = new Router().get('/x/:id', { ...options, passesOn: true } as object, () => undefined);
    t.doesNotThrow(() => passes.get('/x/:other', same as object, name('x')));
    const silent = new Router({ unreachable: 'ignore' }).get('/x/:id', options as object, () => undefined);
    t.doesNotThrow(() => silent.get('/x/:other', same as object, name('x')));
  }
  for (const [path, options] of [
    ['/x/*id', {}],
    ['/x/:id', { host: 'b.test' }],
    ['/x/:id', { params: { id: 'int' } }],
    ['/x/:id', { produces: ['c/d'] }],
  ] as const)
    t.doesNotThrow(() => new Router().get('/x/:id', name('x')).get(path, options as object, name('x')));
});

t.test('what is done about unreachable routes: logged at start, refused, ignored', async (t) => {
  const make = (unreachable?: 'warn' | 'refuse' | 'ignore') => {
    const options = unreachable === undefined ? {} : { unreachable };
    return new Router(options).get('/users/:id', name('id')).get('/users/me', name('me'));
  };
  const started = async (router: Router) => {
    const logger = recorder();
    const app = client(t, new WsgiHandler([router]), { logger });
    await app.get('/users/me');
    return logger.lines.filter(({ level }) => level === 'warn');
  };
  t.match(await started(make()), [
    {
      details: { route: 'GET /users/me', behind: 'GET /users/:id' },
      message: /^No request reaches GET \/users\/me: GET \/users\/:id, declared before it, takes them all/,
    },
  ]);
  t.same(await started(make('ignore')), []);
  t.throws(() => new WsgiHandler([make('refuse')]), teaches('No request reaches GET /users/me'));
  t.same(
    await started(new Router().mount('/x', make('ignore')).get('/x/users/me', name('x'))).then(
      (all) => all.length,
    ),
    1,
  );
});

t.test('routes() and formatRoutes() show what there is', async (t) => {
  function listUsers() {
    return 'x';
  }
  function audit() {}
  const router = new Router({ middleware: [audit] })
    .get('/users', { name: 'users', produces: [JSON_TYPE, 'text/csv'] }, listUsers)
    .post(
      '/users',
      { accepts: [JSON_TYPE], host: ':t.test', scheme: 'https', middleware: [() => undefined] },
      async () => ({}),
    )
    .mount(
      '/admin',
      new WsgiHandler([
        new Router().mount('/in', new WsgiHandler([mount('/the/old', new Router().get('/:a', name('x')))])),
      ]),
    )
    .get('/users', { host: 'a.test' }, listUsers);
  t.same(router.routes()[0], {
    methods: ['GET'],
    path: '/users',
    name: 'users',
    host: undefined,
    scheme: undefined,
    accepts: undefined,
    produces: [JSON_TYPE, 'text/csv'],
    handler: 'listUsers',
    middleware: ['audit'],
    mounted: undefined,
    unreachable: undefined,
  });
  t.equal(
    formatRoutes(router.routes()),
    [
      'METHODS  PATH                  NAME   SITE             ACCEPTS           PRODUCES                    MIDDLEWARE        HANDLER',
      'GET      /users                users                                     application/json, text/csv  audit             listUsers',
      'POST     /users                       https://:t.test  application/json                              audit, anonymous',
      '*        /admin{/*rest}                                                                              audit             [WsgiHandler]',
      '*        /admin/in{/*rest}                                                                                             [WsgiHandler]',
      'GET      /admin/in/the/old/:a',
      'GET      /users                       a.test                                                         audit             listUsers',
      '',
    ].join('\n'),
  );
  t.equal(formatRoutes([]), 'METHODS  PATH\n');
  t.equal(
    formatRoutes(
      new Router().get('/:a', name('x')).on(['GET', 'PUT'])('/b', { name: 'b\u001b[2J' }, listUsers).routes(),
    ),
    ['METHODS  PATH  NAME        HANDLER', 'GET      /:a', 'GET,PUT  /b    b\\u{1b}[2J  listUsers', ''].join(
      '\n',
    ),
  );
});

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** A request's `params` is an `object` too. */
type Flat<T> = { [Key in keyof T]: T[Key] };
const same = <T extends true>(_holds?: T): void => undefined;

t.test('types: of parameters of hosts, of the type to answer with, of what is no option', async () => {
  new Router({ host: ':a.:b.test' })
    .get('/:c', { host: '{:d.}*e.test', produces: ['x/y', 'x/z'] }, ({ params, responseType }) => {
      same<
        Equal<
          Flat<typeof params>,
          {
            readonly a: string;
            readonly b: string;
            readonly c: string;
            readonly d?: string;
            readonly e: string[];
          }
        >
      >();
      same<Equal<typeof responseType, 'x/y' | 'x/z'>>();
    })
    .get('/:c', ({ params, responseType }) => {
      same<Equal<Flat<typeof params>, { readonly a: string; readonly b: string; readonly c: string }>>();
      same<Equal<typeof responseType, string | undefined>>();
    })
    .get('/x/:c', { host: ':n.test', params: { n: 'int', a: ['x', 'y'] } }, ({ params }) => {
      same<
        Equal<
          Flat<typeof params>,
          { readonly a: 'x' | 'y'; readonly b: string; readonly n: number; readonly c: string }
        >
      >();
    });
  const anyPath = '/x' as string;
  new Router({ host: ':a.test' as string }).get(anyPath, ({ params }) => {
    same<Equal<Flat<typeof params>, { readonly [name: string]: string | string[] | undefined }>>();
  });
  const bad = () => {
    // @ts-expect-error: no scheme of HTTP
    new Router({ scheme: 'ftp' });
    // @ts-expect-error: a misspelt option
    new Router().get('/', { produce: ['x/y'] }, () => undefined);
    // @ts-expect-error: no list
    new Router().get('/', { accepts: 'x/y' }, () => undefined);
    // @ts-expect-error: no application
    new Router().mount('/', 'x');
    // @ts-expect-error: neither path nor host has it
    new Router({ host: ':a.test' }).get('/:b', ({ params }) => params.c);
  };
  same<Equal<typeof bad, () => void>>();
});

for (const gateway of ['uws', 'node'] as const) {
  t.test(
    `${gateway}: constraints and mounts over a socket, behind an await and within declared headers`,
    async (t) => {
      const app: App = Object.assign(
        async (environ: Environ) => {
          await undefined;
          return new WsgiResponse({ content: `${environ.SCRIPT_NAME} ${environ['vela.raw_path']}` });
        },
        { headers: [] },
      );
      const wait: Middleware = Object.assign(async () => void (await undefined), { headers: [] });
      const apps = new Router({ host: ':tenant.test' }).mount('/:a/app', app);
      const routes = new Router()
        .post('/', { accepts: ['text/csv'], produces: ['text/html', JSON_TYPE] }, async (request) => ({
          got: await request.text(),
        }))
        .get('/', { host: 'a.test' }, name('a'));
      const server = await serve(new WsgiHandler([wait, apps, routes]), {
        bind: '127.0.0.1:0',
        gateway,
        logLevel: 'silent',
      });
      t.teardown(() => server.close());
      const ask = (path: string, headers: Record<string, string>, body?: string) =>
        new Promise<string>((resolve, reject) => {
          const sent = httpRequest(
            `${server.url}${path}`,
            { headers, method: body === undefined ? 'GET' : 'POST' },
            async (got) => {
              let text = `${got.statusCode} ${got.headers.vary ?? ''} `;
              for await (const chunk of got) text += chunk;
              resolve(text);
            },
          );
          sent.on('error', reject).end(body);
        });
      t.equal(await ask('/x%20y/app/1', { host: 'acme.test' }), '200  /x y/app /1');
      t.match(await ask('/x/app', { host: 'acme.else' }), /^404 /);
      t.equal(await ask('/', { host: 'A.test:80' }), '200  a');
      t.match(await ask('/', { host: '%zz' }), /^400 /);
      t.equal(
        await ask(
          '/',
          { accept: JSON_TYPE, 'content-type': 'text/csv', 'transfer-encoding': 'chunked' },
          'x',
        ),
        '200 Accept {"got":"x"}',
      );
      t.match(await ask('/', { 'content-type': 'text/x', 'transfer-encoding': 'chunked' }, 'x'), /^415 /);
      t.match(await ask('/', { accept: 'image/png', 'content-type': 'text/csv' }, 'x'), /^406 Accept /);
    },
  );
}

const segment = fc.constantFrom('a', 'b', 'A', '', ':p', ':q', ':r', ':p-x', ':q-:r', 'a-x', '*s', '5');
const piece = fc.oneof(
  { weight: 6, arbitrary: segment.map((one) => `/${one}`) },
  { weight: 1, arbitrary: fc.constantFrom('{/:o}', '{/a}', '/x*t', '{/*u}') },
);
const pattern = fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join(''));
const HOSTS = [undefined, undefined, undefined, 'a.test', ':h.test', ':h.a.test', '{:h.}a.test', '*h.test'];
const RANGES = [undefined, undefined, [JSON_TYPE], ['text/*'], ['*/*'], ['text/csv', JSON_TYPE]];
const TYPES = [undefined, undefined, [JSON_TYPE], ['text/csv', JSON_TYPE], ['text/html']];
const METHODS = [['GET'], ['GET'], ['POST'], ['HEAD'], ['GET', 'POST'], undefined];
const constrained = fc.record({
  source: pattern,
  methods: fc.constantFrom(...METHODS),
  host: fc.constantFrom(...HOSTS),
  scheme: fc.constantFrom(undefined, undefined, undefined, 'https' as const),
  accepts: fc.constantFrom(...RANGES),
  produces: fc.constantFrom(...TYPES),
  isInt: fc.boolean(),
});
const request = fc.record({
  path: fc
    .array(fc.constantFrom('a', 'b', 'A', '', '5', '05', 'a-x', 'b-a-x', 'x', 'xa', '%41'), {
      minLength: 1,
      maxLength: 5,
    })
    .map((all) => `/${all.join('/')}`),
  method: fc.constantFrom<string>('GET', 'POST', 'HEAD', 'PUT', 'DELETE'),
  host: fc.constantFrom('a.test', 'A.test:80', 'b.test', 'b.a.test', 'x.y.test.', 'else'),
  scheme: fc.constantFrom('http', 'https'),
  accept: fc.constantFrom(undefined, JSON_TYPE, 'text/*', 'text/html', 'text/csv;q=0, */*;q=0.1'),
  type: fc.constantFrom(undefined, JSON_TYPE, 'text/csv; header=present', 'image/png'),
});
type Constrained = typeof constrained extends fc.Arbitrary<infer T> ? T : never;
type Asked = typeof request extends fc.Arbitrary<infer T> ? T : never;

/** The first of some types that an Accept header of those above takes best. */
function prefer(accept: string | undefined, types: readonly string[]): string | undefined {
  if (accept === undefined) return types[0];
  if (accept === 'text/*') return types.find((one) => one.startsWith('text/'));
  if (accept.startsWith('text/csv')) return types.find((one) => one !== 'text/csv');
  return types.find((one) => one === accept);
}

/** What a route answers to a request, told by path-to-regexp and by the letter: undefined when it does not match. */
function scan(route: Constrained, asked: Asked, find: MatchFunction<ParamData>): unknown {
  const { methods, host, scheme, accepts, produces, isInt } = route;
  const takes =
    methods === undefined ||
    methods.includes(asked.method) ||
    (asked.method === 'HEAD' && methods.includes('GET'));
  if (!takes || (scheme !== undefined && scheme !== asked.scheme)) return undefined;
  const found = find(asked.path);
  if (found === false) return undefined;
  const params: Record<string, unknown> = { ...found.params };
  if (host !== undefined) {
    const named = match(host, { delimiter: '.' })(asked.host.toLowerCase().replace(/:\d+$/, ''));
    if (named === false) return undefined;
    Object.assign(params, named.params);
  }
  if (isInt && params.p !== undefined) {
    if (!/^(0|[1-9]\d*)$/.test(String(params.p))) return undefined;
    params.p = Number(params.p);
  }
  const type = asked.type?.split(';')[0];
  const isTaken = (range: string) =>
    range === '*/*' || range === type || (range === 'text/*' && type === 'text/csv');
  if (accepts !== undefined && asked.type !== undefined && !accepts.some(isTaken)) return undefined;
  const chosen = produces === undefined ? undefined : prefer(asked.accept, produces);
  return produces !== undefined && chosen === undefined ? undefined : [params, chosen];
}

function ask(router: Router, { path, method, host, scheme, accept, type }: Asked) {
  const environ = {
    REQUEST_METHOD: method,
    'vela.raw_path': path,
    HTTP_HOST: host,
    'wsgi.url_scheme': scheme,
    HTTP_ACCEPT: accept,
    CONTENT_TYPE: type ?? '',
    CONTENT_LENGTH: type === undefined ? '' : '5',
    'vela.response': { onStart: () => undefined },
  } as unknown as Environ;
  return router.handle(environ, () => () => undefined);
}

/** Adds a route, if its path can be one. */
function add(
  router: Router,
  { source, methods, isInt, ...rest }: Constrained,
  handler: (given: RouteRequest) => void,
) {
  const params = isInt && source.includes(':p') ? { p: 'int' } : {};
  const set = Object.entries({ ...rest, params }).filter(([, value]) => value !== undefined);
  const adder = methods === undefined ? router.all : router.on(methods);
  try {
    adder(source, Object.fromEntries(set) as object, handler as never);
  } catch (error) {
    if (error instanceof TypeError && /declared twice|cannot be used|both have/.test(error.message))
      return false;
    throw error;
  }
  return true;
}

t.test(
  'with constraints, too, it finds what a scan with path-to-regexp finds, in the same order',
  async (t) => {
    let matches = 0;
    let chosen = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(constrained, { minLength: 1, maxLength: 10 }),
        fc.array(request, { minLength: 1, maxLength: 8 }),
        async (routes, requests) => {
          const found: unknown[] = [];
          const router = new Router({ otherMethods: 'pass', otherTypes: 'pass', unreachable: 'ignore' });
          const known = routes.flatMap((route, index) => {
            const isAdded = add(router, route, (given) => {
              found.push([index, [{ ...given.params }, given.responseType]]);
            });
            return isAdded ? [[index, route, match(route.source)] as const] : [];
          });
          for (const asked of [...requests, ...requests]) {
            const expected = known.flatMap(([index, route, find]) => {
              const result = scan(route, asked, find);
              return result === undefined ? [] : [[index, result]];
            });
            matches += expected.length;
            found.length = 0;
            await ask(router, asked);
            chosen += found.filter((one) => (one as [number, unknown[]])[1][1] !== undefined).length;
            const [one, other] = [found, expected].map((all) => JSON.stringify(all));
            if (one !== other)
              throw new Error(`${JSON.stringify(asked)} of ${JSON.stringify(routes)}: ${one}, not ${other}`);
          }
        },
      ),
      { numRuns: 1000 },
    );
    t.ok(matches > 300 && chosen > 50, `${matches} matches, ${chosen} types chosen`);
  },
);

/** Paths of a pattern of texts and parameters, with values that nothing else has. */
function witnesses(source: string): string[] {
  const plain = source.replace(/:[pqr]/g, (one) => `~${one.slice(1)}`);
  return source.endsWith('/') ? [plain] : [plain, `${plain}/`];
}

t.test('an unreachable route is never the first that matches; of plain ones all are found', async (t) => {
  let unreachable = 0;
  const plain = fc.array(fc.constantFrom('/a', '/b', '/A', '/', '/:p', '/:q', '/:r'), {
    minLength: 1,
    maxLength: 3,
  });
  const loose = constrained.map((route) => ({ ...route, source: route.source }));
  const simple = fc.record({
    source: plain.map((all) => all.join('')),
    methods: fc.constantFrom(...METHODS),
  });
  const bare = { host: undefined, scheme: undefined, accepts: undefined, produces: undefined, isInt: false };
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.array(loose, { minLength: 2, maxLength: 10 }),
        fc.array(
          simple.map((one): Constrained => ({ ...bare, ...one })),
          { minLength: 2, maxLength: 10 },
        ),
      ),
      fc.array(request, { minLength: 1, maxLength: 20 }),
      async (routes, requests) => {
        const router = new Router();
        const known = routes.filter((route) => add(router, route, () => undefined));
        const flags = router.routes().map((one) => one.unreachable !== undefined);
        unreachable += flags.filter(Boolean).length;
        const firstOf = (asked: Asked) =>
          known.findIndex((route) => scan(route, asked, match(route.source)) !== undefined);
        for (const asked of requests) {
          const first = firstOf(asked);
          if (first !== -1 && flags[first] === true)
            throw new Error(
              `${JSON.stringify(asked)} reaches ${JSON.stringify(known[first])} of ${JSON.stringify(known)}`,
            );
        }
        for (const [index, { source, methods, ...rest }] of known.entries()) {
          if (
            flags[index] === true ||
            !known.every(
              (one) =>
                /^[/ab:pqr]*$/i.test(one.source) &&
                one.host === undefined &&
                one.scheme === undefined &&
                one.accepts === undefined &&
                one.produces === undefined &&
                !one.isInt,
            )
          )
            continue;
          const tried = witnesses(source).flatMap((path) =>
            (methods === undefined ? ['REPORT'] : [...methods, 'HEAD']).map((method) => ({
              ...rest,
              path,
              method,
            })),
          );
          const isReached = tried.some(
            ({ path, method }) =>
              firstOf({
                path,
                method,
                host: 'a.test',
                scheme: 'http',
                accept: undefined,
                type: undefined,
              }) === index,
          );
          if (!isReached) throw new Error(`Nothing reaches ${source} of ${JSON.stringify(known)}`);
        }
      },
    ),
    { numRuns: 800 },
  );
  t.ok(unreachable > 100, `${unreachable} routes`);
});

t.test('hostile requests are answered at once, and never with 500', async (t) => {
  const router = new Router({ unreachable: 'ignore' });
  const forms = [
    '/',
    '/a',
    '/:a',
    '/:a/:b',
    '/:a-:b',
    '/:a-:b-:c',
    '/:a.:b',
    '/x{/:o}',
    '/*w',
    '/f/*w',
    '/*w/x',
    '/*w-:a',
    '/:a/*w/y/*v',
  ];
  for (const form of forms) {
    router.get(form, { host: '{*h.}:i.test', produces: [JSON_TYPE, 'text/csv', 'text/html'] }, show);
    router.post(form, { accepts: [JSON_TYPE, 'text/*', 'application/*+json'] }, show);
    router.put(form, { params: {} }, show);
  }
  router.mount('/m', () => undefined).mount('/:p/m', () => undefined);
  const app = client(t, new WsgiHandler([router]), { maxBodyBytes: 10 });
  const bases = [
    'a-',
    '/',
    'a/',
    '%41',
    '%2F',
    '-',
    '.',
    'x/y/',
    '//a',
    '%zz',
    '%',
    '%c3',
    '%ff',
    '..%2f',
    '{',
    ':a',
    '*',
    'm/',
    '\\',
    ';',
    '~',
  ];
  const paths = ['', 'm', 'x/m/', ...bases, ...bases.map((one) => one.repeat(Math.floor(8192 / one.length)))];
  const hosts = [
    'a.test',
    'a.'.repeat(120).concat('test'),
    '-.-.test',
    '...',
    'a:',
    '[::1]',
    ':80',
    '[',
    'é',
    'a b',
    '%41.test',
    '\u0001',
    'x'.repeat(8000),
  ];
  const accepts = [
    '*/*',
    ',',
    ',,,,;;;',
    'a/b;',
    '*/*;q=x',
    'a/b,'.repeat(2500),
    '*/*;a="'.repeat(900),
    ';'.repeat(8000),
    '"'.repeat(8000),
    'text/csv;q=0.'.padEnd(8000, '1'),
    '*'.repeat(8000),
    'a/b;'.repeat(2000),
  ];
  const types = [
    JSON_TYPE,
    '',
    ';',
    '/',
    'text/',
    '/json',
    '*/*',
    'text/*',
    'application/+json',
    'a/b;'.repeat(2000),
    'a/b;a="'.padEnd(8000, '\\'),
    'text/x'.padEnd(8000, 'x'),
    ';=,'.repeat(2500),
  ];
  const statuses = new Set<number>();
  let longestMs = 0;
  const send = async (method: string, path: string, headers: Record<string, string>) => {
    const body = method === 'GET' ? {} : { body: 'x' };
    let status: number;
    const began = performance.now();
    try {
      status = (await app.request(path, { method, headers, ...body })).status;
    } catch (error) {
      // No client can send that.
      if (error instanceof TypeError) return;
      throw error;
    }
    longestMs = Math.max(longestMs, performance.now() - began);
    statuses.add(status);
    if (status >= 500)
      t.fail(`${status}: ${method} ${path.slice(0, 60)} ${JSON.stringify(headers).slice(0, 120)}`);
  };
  for (const path of paths)
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS'])
      await send(method, `/${path}`, { host: 'a.test' });
  for (const host of hosts) await send('GET', '/a/b', { host });
  for (const accept of accepts) await send('GET', '/a', { host: 'a.test', accept });
  for (const type of types) await send('POST', '/a', { 'content-type': type });
  t.ok(longestMs < 500, `${longestMs.toFixed(1)} ms`);
  for (const status of [200, 204, 400, 404, 405, 406, 415]) t.ok(statuses.has(status), `${status}`);
});
