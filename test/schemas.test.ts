/** Schemas of routes: what is validated, what becomes of what does not fit, and of schemas that misbehave. */
import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { type } from 'arktype';
import t from 'tap';
import * as v from 'valibot';
import { z } from 'zod';
import {
  type Middleware,
  Router,
  reply,
  type StandardSchemaV1,
  serve,
  WsgiHandler,
  WsgiResponse,
} from '../src/index.js';
import { client, recorder } from './support/ask.js';

const unhandled: unknown[] = [];
process.on('unhandledRejection', (error) => unhandled.push(error));
process.on('uncaughtException', (error) => unhandled.push(error));

const JSON_TYPE = { accept: 'application/json' };
const FORM = { 'content-type': 'application/x-www-form-urlencoded', ...JSON_TYPE };
const site = (...routers: Middleware[]) => new WsgiHandler(routers);
const standard = <T>(validate: (value: unknown) => unknown) =>
  ({ '~standard': { version: 1, vendor: 'test', validate } }) as StandardSchemaV1<T, T>;
const User = z.object({ id: z.number(), name: z.string() });

/** Status and, of an error, the places of its details. */
async function outcome(response: { status: number; json(): Promise<unknown>; text(): Promise<string> }) {
  const body = (await response.json()) as { details?: { path: string }[] };
  return [response.status, body.details?.map(({ path }) => path)];
}

t.test('what schemas make of a request is request.valid, with their types', async (t) => {
  const router = new Router()
    .post(
      '/users/:id',
      {
        params: z.object({ id: z.coerce.number() }),
        query: z.object({ page: z.coerce.number().default(1), tag: z.array(z.string()).default([]) }),
        headers: z.object({ 'x-key': z.string(), 'content-type': z.string() }),
        body: z.object({ name: z.string().trim(), born: z.coerce.date() }),
      },
      ({ params, valid }) => {
        const text: string = params.id;
        const id: number = valid.params.id;
        const page: number = valid.query.page;
        const tags: string[] = valid.query.tag;
        const born: Date = valid.body.born;
        const type: string = valid.headers['content-type'];
        // @ts-expect-error the schema has no such name
        t.equal(valid.body.age, undefined);
        return { text, id, page, tags, name: valid.body.name, year: born.getUTCFullYear(), type };
      },
    )
    .get('/plain', ({ valid }) => {
      // @ts-expect-error a route without schemas has nothing
      t.equal(valid.query, undefined);
      return { ...valid };
    })
    .get('/mixed/:n', { params: { n: 'int' }, query: type({ q: 'string' }) }, ({ params, valid }) => {
      const sum: number = params.n + valid.query.q.length;
      return { sum };
    })
    .get('/shape/:parse', { params: z.object({ parse: z.string() }) }, ({ params, valid }) => [
      params.parse,
      valid.params.parse,
    ]);
  const app = client(t, site(router));
  const made = await app.post('/users/7?page=2&tag=a', {
    json: { name: ' Ada ', born: '1815-12-10', more: 1 },
    headers: { 'x-key': 'k' },
  });
  t.same(await made.json(), {
    text: '7',
    id: 7,
    page: 2,
    tags: ['a'],
    name: 'Ada',
    year: 1815,
    type: 'application/json',
  });
  t.same(await (await app.get('/plain')).json(), {});
  t.same(await (await app.get('/mixed/5?q=abc')).json(), { sum: 8 });
  t.same(await (await app.get('/shape/x')).json(), ['x', 'x']);
});

t.test('what does not fit is 422 with places, what cannot be read 400, 413 or 415', async (t) => {
  const bodies: string[] = [];
  const router = new Router().post(
    '/users/:id',
    {
      params: z.object({ id: z.coerce.number().int() }),
      query: z.object({ page: z.coerce.number() }),
      headers: z.object({ 'x-key': z.string().optional() }),
      body: z.object({ user: z.object({ 'a/b': z.string(), tags: z.array(z.string()) }) }),
      limitBytes: 1000,
    },
    ({ valid }) => {
      bodies.push(valid.body.user['a/b']);
      return 'made';
    },
  );
  const app = client(t, site(router));
  const post = (target: string, json: unknown, headers: Record<string, string> = {}) =>
    app.post(target, { json, headers: { ...JSON_TYPE, ...headers } });
  const wrong = await post('/users/1?page=1', { user: { 'a/b': 1, tags: ['x', 2] } });
  t.equal(wrong.status, 422);
  t.match(await wrong.json(), {
    status: 422,
    message: 'The request does not fit what is expected',
    details: [
      { path: '/body/user/a~1b', message: /expected string/ },
      { path: '/body/user/tags/1', message: /expected string/ },
    ],
  });
  // What is wrong in the head is told at once, and the body is not looked at.
  t.same(await outcome(await post('/users/x?page=y', 'no object')), [422, ['/params/id', '/query/page']]);
  const head = await app.post('/users/x?page=1', { body: '{', headers: JSON_TYPE });
  t.same(await outcome(head), [422, ['/params/id']]);
  t.same(await outcome(await post('/users/1?page=1', null)), [422, ['/body']]);
  const headers = { 'content-type': 'application/json', ...JSON_TYPE };
  for (const [body, type, status] of [
    ['{"user":', 'application/json', 400],
    ['', 'application/json', 400],
    [`{"user":{"a/b":"${'x'.repeat(1000)}"}}`, 'application/json', 413],
    [`${'['.repeat(400)}${']'.repeat(400)}`, 'application/json', 400],
    ['{"__proto__":{"user":1}}', 'application/json', 400],
    ['{"user":{"constructor":{"prototype":{}}}}', 'application/json', 400],
    ['user=1', 'application/x-www-form-urlencoded', 415],
    ['{}', 'text/plain', 415],
    ['{}', '', 415],
  ] as const) {
    const response = await app.post('/users/1?page=1', {
      body,
      headers: { ...headers, 'content-type': type },
    });
    t.equal(response.status, status, `${type} ${body.slice(0, 30)}`);
  }
  const good = { user: { 'a/b': 'good', tags: [] } };
  t.equal((await post('/users/1?page=1', good)).status, 200);
  t.same(bodies, ['good'], 'the handler sees what fits, and nothing else');
});

t.test('queries: a text, or a list where the schema has one and where a name comes again', async (t) => {
  const fields = v.object({ tag: v.array(v.string()), q: v.optional(v.string()) });
  const loose = z.looseObject({});
  const tree = z.object({
    tag: z.array(z.string()).nullable().optional(),
    n: z.array(z.coerce.number()).default([]),
  });
  const router = new Router()
    .get('/lazy', { query: z.object({ tag: z.lazy(() => later) }) }, ({ valid }) => valid.query)
    .get('/zod', { query: tree.meta({ id: 'Tree' }) }, ({ valid }) => valid.query)
    .get(
      '/both',
      { query: z.object({ x: z.union([z.string(), z.array(z.string())]) }) },
      ({ valid }) => valid.query,
    )
    .get('/and', { query: tree.and(z.object({ q: z.string() })) }, ({ valid }) => valid.query)
    .get(
      '/arktype',
      { query: type({ tag: 'string[]', 'n?': 'string.integer.parse' }) },
      ({ valid }) => valid.query,
    )
    .get('/valibot', { query: fields }, ({ valid }) => valid.query)
    .get('/adapted', { query: toStandardJsonSchema(fields) }, ({ valid }) => valid.query)
    .get('/loose', { query: loose }, ({ valid }) => valid.query)
    .get('/date', { query: z.object({ at: z.array(z.date()).optional() }) }, ({ valid }) => valid.query);
  const later = z.array(z.string());
  const app = client(t, site(router));
  for (const [target, expected] of [
    ['/lazy?tag=a', { tag: ['a'] }],
    ['/zod?tag=a&n=1', { tag: ['a'], n: [1] }],
    ['/zod?tag=a&tag=b&n=1&n=2', { tag: ['a', 'b'], n: [1, 2] }],
    ['/zod', { n: [] }],
    ['/zod?n=x', 422],
    ['/both?x=1', { x: '1' }],
    ['/both?x=1&x=2', { x: ['1', '2'] }],
    ['/and?tag=a&q=1', { tag: ['a'], q: '1', n: [] }],
    ['/arktype?tag=a&n=5', { tag: ['a'], n: 5 }],
    ['/arktype?tag=a&n=x', 422],
    ['/valibot?tag=a', 422],
    ['/valibot?tag=a&tag=b', { tag: ['a', 'b'] }],
    ['/adapted?tag=a&q=x', { tag: ['a'], q: 'x' }],
    ['/adapted?tag=a&q=x&q=y', 422],
    ['/loose?a=1&constructor=2&toString=3', { a: '1', constructor: '2', toString: '3' }],
    ['/date', {}],
    ['/loose?__proto__=1&__proto__=2', 400],
    ['/loose?%5f_proto__=1', 400],
    [`/loose?${'a&'.repeat(1001)}`, 400],
    [`/loose?${Array.from({ length: 100_000 }, (_, n) => n).join('&')}`, 414],
  ] as const) {
    const response = await app.get(target);
    if (typeof expected === 'number') t.equal(response.status, expected, target.slice(0, 60));
    else t.same(await response.json(), expected, target);
  }
});

t.test('forms are taken where the route says so', async (t) => {
  const fields = z.object({ name: z.string(), tag: z.array(z.string()).default([]) });
  const router = new Router()
    .post('/form', { body: fields, bodyTypes: ['form'] }, ({ valid }) => valid.body)
    .post(
      '/either',
      { body: fields, bodyTypes: ['json', 'form'], limitBytes: 2000 },
      ({ valid }) => valid.body,
    );
  const app = client(t, site(router));
  const multipart = (file = '') =>
    `--b\r\nContent-Disposition: form-data; name="name"${file}\r\n\r\nAda\r\n--b--\r\n`;
  const form = { 'content-type': 'multipart/form-data; boundary=b' };
  for (const [target, body, headers, expected] of [
    ['/form', 'name=Ada&tag=x', FORM, { name: 'Ada', tag: ['x'] }],
    ['/either', 'name=Ada', FORM, { name: 'Ada', tag: [] }],
    ['/either', '{"name":"Ada"}', { 'content-type': 'application/json' }, { name: 'Ada', tag: [] }],
    ['/either', multipart(), form, { name: 'Ada', tag: [] }],
    ['/either', multipart('; filename="x"'), form, 415],
    ['/either', 'x', { 'content-type': 'text/plain' }, 415],
    ['/form', '{"name":"Ada"}', { 'content-type': 'application/json' }, 415],
    ['/form', 'tag=x', FORM, 422],
    ['/form', 'name=a&__proto__=x', FORM, 400],
    ['/form', 'name=%ff', FORM, 400],
    ['/form', 'a&'.repeat(1001), FORM, 413],
    ['/either', `name=${'x'.repeat(2000)}`, FORM, 413],
  ] as const) {
    const response = await app.post(target, { body, headers });
    if (typeof expected === 'number') t.equal(response.status, expected, `${target} ${body.slice(0, 30)}`);
    else t.same(await response.json(), expected, `${target} ${body}`);
  }
  const data = new FormData();
  data.set('name', 'Ada');
  for (const body of [new URLSearchParams({ name: 'Ada' }), data])
    t.same(await (await app.post('/form', { body })).json(), { name: 'Ada', tag: [] }, body.constructor.name);
});

t.test('responses are held against their schema, and sent as it makes them', async (t) => {
  const Problem = z.object({ why: z.string() });
  const all = { 201: User, 404: Problem, 204: null };
  const user = { id: 1, name: 'Ada', password: 'secret' };
  const router = new Router()
    .get('/user', { response: User }, () => user)
    .get('/later', { response: User }, async () => user)
    .get('/slow', { response: standard<object>(async (value) => ({ value: { value } })) }, () => user)
    .get('/text', { response: z.string() }, () => 'text')
    .get('/own', { response: User }, () => new WsgiResponse({ content: 'own' }))
    .get('/made', { response: all }, () => user)
    .get('/reply', { response: all }, () => reply(404, { why: 'none' }, { headers: [['X-Why', 'none']] }))
    .get('/empty', { response: all }, (request) => (request.query.has('x') ? user : reply(204)))
    .get('/free', () => reply(202, { free: true }))
    .get('/passed', { response: User }, () => undefined)
    // @ts-expect-error another type
    .get('/wrong', { response: User }, () => ({ id: 'x', name: 'Ada' }))
    // @ts-expect-error another type
    .get('/logged', { response: User, responseMismatch: 'log' }, async () => reply(200, { id: 'x' }))
    // @ts-expect-error a status without a schema
    .get('/status', { response: all }, () => reply(200, user))
    // @ts-expect-error a status without content
    .get('/content', { response: all }, () => reply(204, user))
    // @ts-expect-error nothing passes the request on, and is no 204
    .delete('/nothing', { response: { 204: null } }, () => {})
    .delete('/gone', { response: { 204: null } }, ({ query }) => (query.has('x') ? reply(204) : null))
    // @ts-expect-error no schema for a bare value
    .get('/bare', { response: { 404: Problem } }, () => user);
  const logger = recorder();
  const app = client(t, site(router), { logger });
  for (const [target, status, text] of [
    ['/user', 200, '{"id":1,"name":"Ada"}'],
    ['/later', 200, '{"id":1,"name":"Ada"}'],
    ['/slow', 200, '{"value":{"id":1,"name":"Ada","password":"secret"}}'],
    ['/text', 200, '"text"'],
    ['/own', 200, 'own'],
    ['/made', 201, '{"id":1,"name":"Ada"}'],
    ['/reply', 404, '{"why":"none"}'],
    ['/empty', 204, ''],
    ['/empty?x', 201, '{"id":1,"name":"Ada"}'],
    ['/free', 202, '{"free":true}'],
    ['/passed', 404, undefined],
  ] as const) {
    const response = await app.get(target);
    t.equal(response.status, status, target);
    if (text !== undefined) t.equal(await response.text(), text, target);
  }
  t.equal((await app.get('/reply')).header('x-why'), 'none');
  for (const [target, status] of [
    ['/nothing', 404],
    ['/gone', 404],
    ['/gone?x', 204],
  ] as const)
    t.equal((await app.delete(target)).status, status, target);
  t.same(
    logger.lines.filter(({ level }) => level === 'error'),
    [],
  );
  for (const [target, status, message] of [
    ['/wrong', 500, /^The response of GET \/wrong with status 200 does not fit "response": \/id: .*string/],
    ['/logged', 200, /GET \/logged .* \/id: .*; \/name: /],
    ['/status', 500, /no schema for this status, but for 201, 204, 404/],
    ['/content', 500, /status 204 .* no content/],
    ['/bare', 500, /status 200 .* but for 404/],
  ] as const) {
    const response = await app.get(target);
    t.equal(response.status, status, target);
    t.notMatch(await response.text(), 'Ada', 'what does not fit is not told');
    const lines = logger.lines.splice(0).filter(({ level }) => level === 'error');
    t.equal(lines.length, 1, target);
    t.match(lines[0], { message, details: { err: { code: 'ERR_RESPONSE_MISMATCH' } } });
  }
});

t.test('synchronous schemas keep a handler synchronous', async (t) => {
  const sync = z.object({ page: z.coerce.number() });
  const isLong = async (value: string) => value.length > 1;
  const router = new Router()
    .get('/sync', { query: sync, response: z.object({ page: z.number() }) }, ({ valid }) => valid.query)
    .get('/async', { query: z.object({ page: z.string().refine(isLong) }) }, ({ valid }) => valid.query);
  const results: unknown[] = [];
  const spy: Middleware = (environ, startResponse) => {
    const result = router.handle(environ, startResponse);
    results.push(result instanceof WsgiResponse);
    return result;
  };
  const app = client(t, site(spy));
  t.equal((await app.get('/sync?page=5')).status, 200);
  t.equal((await app.get('/async?page=55')).status, 200);
  t.equal((await app.get('/async?page=5')).status, 422);
  t.same(results, [true, false, false]);
});

t.test('schemas that misbehave are 500, and never more', async (t) => {
  const bad: [string, (value: unknown) => unknown][] = [
    [
      'throws',
      () => {
        throw new Error('thrown');
      },
    ],
    [
      'throws nothing',
      () => {
        throw undefined;
      },
    ],
    ['rejects', () => Promise.reject(new Error('rejected'))],
    [
      'rejects late',
      async () => {
        await null;
        throw new Error('late');
      },
    ],
    ['gives nothing', () => undefined],
    ['gives null', async () => null],
    ['gives an empty object', () => ({})],
    ['issues are text', () => ({ issues: 'x' })],
    ['an issue is null', () => ({ issues: [null] })],
    ['an issue has no message', () => ({ issues: [{}] })],
    ['a path is text', () => ({ issues: [{ message: 'x', path: 'x' }] })],
    ['a path has null', () => ({ issues: [{ message: 'x', path: [null] }] })],
    ['a path has an object', () => ({ issues: [{ message: 'x', path: [{ key: {} }] }] })],
    [
      'a thenable calls twice',
      () => ({
        // biome-ignore lint/suspicious/noThenProperty: a bad one is what is tried
        then: (ok: (value: unknown) => void, no: (e: Error) => void) => {
          ok(null);
          no(new Error('no'));
        },
      }),
    ],
  ];
  for (const [about, validate] of bad) {
    const schema = standard<object>(validate);
    const router = new Router()
      .post('/body', { body: schema }, () => 'x')
      .get('/query', { query: schema }, () => 'x')
      .get(
        '/two',
        {
          query: standard(async () => {
            throw new Error('other');
          }),
          headers: schema,
        },
        () => 'x',
      )
      .get('/response', { response: schema }, () => ({ a: 1 }));
    const app = client(t, site(router));
    t.equal((await app.post('/body', { json: {} })).status, 500, `body: ${about}`);
    for (const path of ['/query', '/two', '/response'])
      t.equal((await app.get(path)).status, 500, `${path}: ${about}`);
  }
  const issues = Array.from({ length: 100_000 }, (_, n) => ({ message: 'no\n<b>', path: [n, Symbol('s')] }));
  const router = new Router().get('/', { query: standard(() => ({ issues })) }, () => 'x');
  const response = await client(t, site(router)).get('/', { headers: JSON_TYPE });
  const { details } = (await response.json()) as { details: unknown[] };
  t.same([details.length, details[0]], [100, { path: '/query/0/Symbol(s)', message: 'no\n<b>' }]);
  t.same(unhandled, []);
});

t.test('middleware of the route comes before its schemas; a skipped route leaves no trace', async (t) => {
  const gate: Middleware = ({ HTTP_X_KEY }) =>
    HTTP_X_KEY === undefined ? new WsgiResponse({ status: 401, content: 'no' }) : undefined;
  const wants = (kind: string) => ({ query: z.object({ kind: z.string() }), name: kind, passesOn: true });
  const router = new Router({ middleware: [gate] })
    .get('/a', wants('one'), ({ valid }) => (valid.query.kind === 'one' ? 'one' : undefined))
    .get('/a', { query: z.object({ kind: z.literal('two') }) }, ({ valid }) => `is ${valid.query.kind}`);
  const app = client(t, site(new Router().mount('/api', router)));
  const get = (target: string) => app.get(target, { headers: { 'x-key': 'k' } });
  t.equal((await app.get('/api/a')).status, 401);
  t.equal((await get('/api/a')).status, 422);
  t.equal(await (await get('/api/a?kind=one')).text(), 'one');
  t.equal(await (await get('/api/a?kind=two')).text(), 'is two');
  t.equal((await get('/api/a?kind=x')).status, 422);
  t.equal((await app.request('/api/a', { method: 'HEAD', headers: { 'x-key': 'k' } })).status, 422);
});

t.test('options that cannot be are refused when the route is declared', async (t) => {
  const router = () => new Router();
  const no = () => 'x';
  for (const [make, text] of [
    [() => router().post('/', { body: {} as never }, no), /"body" must be a Standard Schema/],
    [() => router().get('/', { query: 'x' as never }, no), /"query" must be a Standard Schema.*"x"/],
    [() => router().get('/', { body: User }, no), /for GET has no schema for a body.*"query"/],
    [() => router().on(['POST', 'HEAD'])('/', { body: User }, no), /for HEAD/],
    [
      () => router().post('/', { body: User, bodyTypes: ['xml'] as never }, no),
      /a list of 'json' and 'form'/,
    ],
    [() => router().post('/', { body: User, bodyTypes: [] }, no), /a list of 'json' and 'form'/],
    [() => router().post('/', { body: z.array(User), bodyTypes: ['form'] }, no), /one of an object/],
    [() => router().post('/', { body: User, limitBytes: -1 }, no), /"limitBytes" must be a whole number/],
    [() => router().get('/', { response: {} }, no as never), /by status, \{ 201: User, 204: null \}/],
    [
      () => router().get('/', { response: { 99: User } }, no as never),
      /statuses from 200 to 599 as keys; received "99"/,
    ],
    [
      () => router().get('/', { response: { 200: 'x' as never } }, no as never),
      /"response.200" must be a Standard/,
    ],
    [() => router().get('/', { responseMismatch: 'no' as never }, no), /'refuse' or 'log'/],
    [
      () => router().get('/', { response: User }, ((_a: unknown, _b: unknown) => 'x') as never),
      /cannot take startResponse/,
    ],
    [() => router().get('/', { openapi: true as never }, no), /"openapi" of a route must be an object/],
    [
      () => router().get('/', { openapi: { sumary: 'x' } as never }, no),
      /no option "sumary" \(did you mean "summary"/,
    ],
    [
      () => router().get('/', { openapi: { tags: 'x' as never } }, no),
      /"openapi.tags" of a route must be a list/,
    ],
    [() => router().get('/', { qery: User } as never, no), /no option "qery" \(did you mean "query"/],
    [() => router().post('/', { bodyTypes: ['form'] }, no), /"bodyTypes" of a route needs "body"/],
    [
      () => router().get('/', { responseMismatch: 'log' }, no),
      /"responseMismatch" of a route needs "response"/,
    ],
    [() => reply(99, {}), /a status from 200 to 599; received 99/],
    [() => reply(200, {}, { header: [] } as never), /reply has no option "header"/],
  ] as const)
    t.throws(make, { name: 'TypeError', message: text }, String(text));
});

for (const gateway of ['uws', 'node'] as const) {
  t.test(`${gateway}: over a socket`, async (t) => {
    const router = new Router().post(
      '/users',
      {
        body: z.object({ name: z.string() }),
        headers: z.object({ 'x-key': z.string() }),
        response: { 201: User },
      },
      async ({ valid }) => ({ id: 1, name: valid.body.name + valid.headers['x-key'] }),
    );
    const server = await serve(site(router), { bind: '127.0.0.1:0', gateway, logLevel: 'silent' });
    t.teardown(() => server.close({ timeoutMs: 1000 }));
    const post = (body: string, headers: Record<string, string> = {}) =>
      fetch(`${server.url}/users`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', 'X-Key': 'k', ...headers },
      });
    const made = await post('{"name":"Ada"}');
    t.same([made.status, await made.json()], [201, { id: 1, name: 'Adak' }]);
    t.equal((await post('{"name":5}')).status, 422);
    t.equal((await post('{')).status, 400);
    t.equal((await post('x', { 'content-type': 'text/plain' })).status, 415);
    t.same(unhandled, []);
  });
}
