/** OpenAPI documents: what routes and schemas become in them, and how they are served. */
import { createRequire } from 'node:module';
import { Validator } from '@seriousme/openapi-schema-validator';
import { toJsonSchema } from '@valibot/to-json-schema';
import { type } from 'arktype';
import t, { type Test } from 'tap';
import * as v from 'valibot';
import { z } from 'zod';
import { Router, reply, type StandardSchemaV1, WsgiHandler } from '../src/index.js';
import { errorPage, mount, secureHeaders } from '../src/middleware/index.js';
import { type OpenApiDocument, type OpenApiOptions, openapi, openapiRoutes } from '../src/openapi/index.js';
import { client } from './support/ask.js';

const info = { title: 'Test', version: '1.0.0' };
const User = z.object({ id: z.number(), name: z.string().default('none') }).meta({ id: 'User' });
const no = () => 'x';

interface Tree {
  readonly value: string;
  readonly children: readonly Tree[];
}
const Tree: z.ZodType<Tree, Tree> = z.object({
  value: z.string(),
  get children() {
    return z.array(Tree);
  },
});

/** A document that a public validator takes, as plain data. */
async function describe(t: Test, router: Router, options: Partial<OpenApiOptions> = {}) {
  const document = JSON.parse(JSON.stringify(openapi(router, { info, ...options }))) as Plain;
  // A copy: the validator changes it.
  const { valid, errors } = await new Validator().validate(structuredClone(document) as never);
  t.ok(valid, JSON.stringify(errors));
  return document;
}

/** So that tests may go as deep as they like. */
interface Plain {
  readonly [key: string]: Plain;
}

const operationIds = (document: Plain) =>
  Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    Object.entries(item).map(([method, { operationId = '' }]) => `${method} ${path} ${operationId}`.trim()),
  );

t.test('paths: groups expand, wildcards, names, methods, mounted routers', async (t) => {
  const posts = new Router().get('/', { name: 'posts' }, no).get('/:post', { name: 'post' }, no);
  const router = new Router()
    .get('/', { name: 'home' }, no)
    .get('/users{/:id}', { name: 'users', params: { id: 'int' } }, no)
    .put('/users/:name', no)
    .get('/users/:name', { name: 'shadowed' }, no)
    .get('/files/*path', no)
    .get('/:from-:to{.:ext}', no)
    .get('/caf\u00e9/\\{x\\}', no)
    .on(['GET', 'PURGE', 'POST'])('/cache', { name: 'cache' }, no)
    .all('/any', no)
    .all('/proxy', { openapi: { summary: 'To another server' } }, no)
    .get('/hidden', { openapi: false }, no)
    .get('/named', { name: 'named', openapi: { operationId: 'other' } }, no)
    .mount('/of/:user', posts);
  t.same(operationIds(await describe(t, router)), [
    'get / home',
    'get /users/{id} users',
    'put /users/{id}',
    'get /users users2',
    'get /files/{path}',
    'get /{from}-{to}.{ext}',
    'get /{from}-{to}',
    'get /caf%C3%A9/%7Bx%7D',
    'get /cache cache',
    'post /cache cache2',
    'get /proxy',
    'put /proxy',
    'post /proxy',
    'delete /proxy',
    'patch /proxy',
    'get /named other',
    'get /of/{user} posts',
    'get /of/{user}/{post} post',
  ]);
  router.get('/later', no);
  t.ok(operationIds(await describe(t, router)).includes('get /later'), 'as the routes are when it is called');
});

t.test('parameters: of converters and of schemas', async (t) => {
  const router = new Router()
    .get(
      '/:i/:f/:u/:l/:x/*w',
      { params: { i: 'int', f: 'float', u: 'uuid', l: ['a', 'b'], x: (text: string) => text } },
      no,
    )
    .get(
      '/p/:id',
      {
        params: z.object({ id: z.coerce.number().int().positive().max(9).describe('Which') }),
        query: z.object({
          page: z.coerce.number().default(1).meta({ deprecated: true }),
          q: z.string(),
          tag: z.array(z.string()).optional(),
          sort: z.enum(['up', 'down']).meta({ id: 'Sort' }),
        }),
        headers: z.object({ 'x-key': z.string(), accept: z.string(), Authorization: z.string() }),
        openapi: {
          parameters: [
            { name: 'q', in: 'query', example: 'x' },
            { name: 'c', in: 'cookie', schema: {} },
          ],
        },
      },
      no,
    )
    .get(
      '/and',
      { query: z.object({ a: z.string() }).and(z.object({ b: z.string() }).meta({ id: 'B' })) },
      no,
    )
    .get('/loose', { query: z.record(z.string(), z.string()) }, no)
    .get('/none', { query: z.object({}) }, no)
    .get('/ark', { query: type({ n: 'string.integer.parse', 'm?': 'string' }) }, no);
  const { paths, components } = await describe(t, router);
  const list = (path: string) => paths?.[path]?.get?.parameters as unknown as Record<string, unknown>[];
  const inPath = (name: string, schema: object) => ({ name, in: 'path', required: true, schema });
  t.strictSame(list('/{i}/{f}/{u}/{l}/{x}/{w}'), [
    inPath('i', { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    inPath('f', { type: 'number', minimum: 0 }),
    inPath('u', { type: 'string', format: 'uuid' }),
    inPath('l', { type: 'string', enum: ['a', 'b'] }),
    inPath('x', { type: 'string' }),
    { ...inPath('w', { type: 'string' }), description: 'One segment or more, with slashes between them' },
  ]);
  t.strictSame(list('/p/{id}'), [
    { ...inPath('id', { type: 'integer', exclusiveMinimum: 0, maximum: 9 }), description: 'Which' },
    { name: 'page', in: 'query', deprecated: true, schema: { default: 1, type: 'number' } },
    { name: 'q', in: 'query', required: true, schema: { type: 'string' }, example: 'x' },
    { name: 'tag', in: 'query', schema: { type: 'array', items: { type: 'string' } } },
    { name: 'sort', in: 'query', required: true, schema: { $ref: '#/components/schemas/Sort' } },
    { name: 'x-key', in: 'header', required: true, schema: { type: 'string' } },
    { name: 'c', in: 'cookie', schema: {} },
  ]);
  t.same(
    list('/and').map(({ name, required }) => [name, required]),
    [
      ['a', true],
      ['b', true],
    ],
  );
  t.match(list('/loose'), [
    { name: 'query', in: 'query', style: 'form', explode: true, schema: { type: 'object' } },
  ]);
  t.equal(list('/none'), undefined);
  t.match(list('/ark'), [
    { name: 'n', required: true, schema: { type: 'string' } },
    { name: 'm', schema: { type: 'string' } },
  ]);
  t.same(Object.keys(components?.schemas ?? {}), ['HttpError', 'Sort'], 'what is referred to, and no more');
});

t.test('bodies and responses, and what is laid over them', async (t) => {
  const router = new Router()
    .post(
      '/users/:id',
      {
        name: 'add',
        params: { id: 'int' },
        body: User,
        bodyTypes: ['json', 'form'],
        response: { 201: User, 204: null, 409: z.object({ why: z.string() }), 422: z.string() },
        openapi: {
          tags: ['users'],
          summary: 'Adds',
          deprecated: true,
          security: [{ bearer: [] }],
          requestBody: { description: 'Who' },
          responses: { 201: { description: 'Added' }, 418: {}, default: { description: 'Else' } },
          'x-internal': true,
        },
      },
      () => reply(204),
    )
    .get('/plain', no)
    .get('/moved', { openapi: { responses: { 302: { description: 'Elsewhere' } } } }, no)
    .get('/open', { openapi: { security: [] }, response: z.array(User) }, () => []);
  const options = {
    security: [{ key: [] }],
    tags: [{ name: 'users' }],
    servers: [{ url: 'https://api.example/v1' }],
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        key: { type: 'apiKey', in: 'header', name: 'X' },
      },
      schemas: { Own: { type: 'string' } },
    },
  };
  const document = await describe(t, router, options);
  t.match(document, {
    openapi: '3.1.0',
    info,
    servers: options.servers,
    tags: options.tags,
    security: options.security,
  });
  const add = document.paths?.['/users/{id}']?.post;
  t.match(add, {
    operationId: 'add',
    tags: ['users'],
    summary: 'Adds',
    deprecated: true,
    'x-internal': true,
  });
  const user = { schema: { $ref: '#/components/schemas/User' } };
  t.strictSame(add?.requestBody, {
    required: true,
    content: {
      'application/json': user,
      'application/x-www-form-urlencoded': user,
      'multipart/form-data': user,
    },
    description: 'Who',
  });
  const { responses } = add ?? {};
  t.same(Object.keys(responses ?? {}), [
    '201',
    '204',
    '400',
    '401',
    '404',
    '409',
    '413',
    '415',
    '418',
    '422',
    'default',
  ]);
  const out = { $ref: '#/components/schemas/UserOutput' };
  t.strictSame(responses?.['201'], {
    description: 'Added',
    content: { 'application/json': { schema: out } },
  });
  t.strictSame(responses?.['204'], { description: 'No Content' });
  t.match(responses?.['422'], { content: { 'application/json': { schema: { type: 'string' } } } });
  t.match(responses?.['415'], {
    content: { 'application/json': { schema: { $ref: '#/components/schemas/HttpError' } }, 'text/plain': {} },
  });
  t.match(responses?.['418'], { description: "I'm a Teapot" });
  t.same(Object.keys(document.paths?.['/plain']?.get?.responses ?? {}), ['200', '401']);
  t.same(Object.keys(document.paths?.['/moved']?.get?.responses ?? {}), ['302', '401']);
  t.strictSame(document.paths?.['/open']?.get?.responses, {
    200: { description: 'OK', content: { 'application/json': { schema: { type: 'array', items: out } } } },
  });
  t.same(Object.keys(document.components?.schemas ?? {}).sort(), ['HttpError', 'Own', 'User', 'UserOutput']);
  t.same(document.components?.schemas?.User?.required, ['id']);
  t.same(document.components?.schemas?.UserOutput?.required, ['id', 'name']);

  const problem = { contentType: 'application/problem+json', schema: { type: 'object' } };
  const others = await describe(t, router, { ...options, errors: problem });
  t.match(others.paths?.['/plain']?.get?.responses?.['401'], { content: { 'application/problem+json': {} } });
  const none = await describe(t, router, { ...options, errors: false });
  t.same(Object.keys(none.paths?.['/users/{id}']?.post?.responses ?? {}), [
    '201',
    '204',
    '409',
    '418',
    '422',
    'default',
  ]);
});

t.test('schemas: shared by their id or title, recursive, of several libraries', async (t) => {
  const Strict = z.strictObject({ user: User, tags: z.array(z.enum(['$ref'])) }).meta({ id: 'Strict' });
  const Odd = z
    .object({ $ref: z.string(), id: z.string(), __proto: z.string() })
    .meta({ title: 'Odd', default: { $ref: '#' } as never });
  const router = new Router()
    .post('/strict', { body: Strict, response: Strict }, () => ({}) as never)
    .post(
      '/same',
      {
        body: z.object({ a: z.string() }).meta({ id: 'Same' }),
        response: z.object({ a: z.string() }).meta({ id: 'Other' }),
      },
      () => ({ a: '' }),
    )
    .post('/tree', { body: Tree, response: z.array(Tree) }, () => [])
    .post('/in', { body: z.object({ tree: Tree, user: User }) }, no)
    .post('/valibot', { body: v.pipe(v.object({ a: v.string() }), v.title('Val')) }, no)
    .post('/ark', { body: type({ name: 'string', 'age?': 'number.integer' }) }, no);
  const fromValibot = (schema: StandardSchemaV1) =>
    schema['~standard'].vendor === 'valibot'
      ? (toJsonSchema(schema as never) as Record<string, unknown>)
      : undefined;
  const document = await describe(t, router, { toJsonSchema: fromValibot });
  const { schemas } = document.components ?? {};
  const bodyOf = (path: string) =>
    document.paths?.[path]?.post?.requestBody?.content?.['application/json']?.schema;
  const sentBy = (path: string) =>
    document.paths?.[path]?.post?.responses?.['200']?.content?.['application/json']?.schema;
  t.same(bodyOf('/strict'), { $ref: '#/components/schemas/Strict' });
  // Their users differ: what comes out always has a name.
  t.same(sentBy('/strict'), { $ref: '#/components/schemas/StrictOutput' });
  t.match(schemas?.Strict, {
    additionalProperties: false,
    properties: { user: { $ref: '#/components/schemas/User' } },
  });
  t.match(schemas?.StrictOutput, { properties: { user: { $ref: '#/components/schemas/UserOutput' } } });
  t.equal(schemas?.StrictOutput?.additionalProperties, undefined, 'what is sent may have more one day');
  t.same(
    [bodyOf('/same'), sentBy('/same')],
    [{ $ref: '#/components/schemas/Same' }, { $ref: '#/components/schemas/Other' }],
  );
  const [, treeName = ''] = /schemas\/(\w+)$/.exec(String(bodyOf('/tree')?.$ref)) ?? [];
  t.match(schemas?.[treeName]?.properties?.children, { items: { $ref: `#/components/schemas/${treeName}` } });
  t.match(sentBy('/tree'), { type: 'array', items: { $ref: /schemas\/\w+$/ } });
  t.match(schemas?.Val, { type: 'object', properties: { a: { type: 'string' } } });
  t.match(bodyOf('/ark'), { type: 'object', required: ['name'] });
  t.notMatch(JSON.stringify(document), /\$defs|\$schema|"#"(?!\})/);

  // The validator takes these for references.
  const odd = openapi(
    new Router().post('/', { body: Odd, response: z.string().meta({ title: 'Two words' }) }, no),
    { info },
  );
  t.match(odd.components?.schemas?.Odd, {
    properties: { $ref: { type: 'string' }, id: {} },
    default: { $ref: '#' },
  });
  t.match(odd.paths['/']?.post?.responses, {
    200: { content: { 'application/json': { schema: { title: 'Two words' } } } },
  });

  const given = await describe(t, new Router().post('/', { body: z.object({ at: z.date() }) }, no), {
    toJsonSchema: (_schema, side) => ({ type: 'object', description: side }),
  });
  t.match(given.paths?.['/']?.post?.requestBody, {
    content: { 'application/json': { schema: { description: 'input' } } },
  });
});

t.test('a document that cannot be made says why, and stops the server from starting', async (t) => {
  const dates = new Router().post('/dates', { body: z.object({ at: z.date() }) }, no);
  const plain = new Router().get('/plain', { query: v.object({}) }, no);
  t.throws(() => openapi(dates, { info }), {
    code: 'ERR_OPENAPI_SCHEMA',
    message:
      /^The schema for the body of POST \/dates cannot be put .*: Date cannot be represented.*Give toJsonSchema/,
  });
  t.throws(() => openapi(plain, { info }), {
    code: 'ERR_OPENAPI_SCHEMA',
    message: /the query of GET \/plain .*: valibot does not tell it in JSON Schema/,
  });
  const app = client(t, new WsgiHandler([openapiRoutes(dates, { info }), dates]));
  await t.rejects(app.get('/openapi.json'), { code: 'ERR_OPENAPI_SCHEMA' });

  for (const [make, text] of [
    [() => openapi({} as never, { info }), /openapi\(\) takes a Router first/],
    [() => openapiRoutes((() => []) as never, { info }), /openapiRoutes\(\) takes a Router first/],
    [() => openapi(plain, {} as never), /"info" of openapi must have title and version/],
    [() => openapi(plain, { info: { title: 'x' } as never }), /must have title and version/],
    [() => openapi(plain, { info, tags: 'x' as never }), /"tags" of openapi must be an array of objects/],
    [() => openapi(plain, { info, components: { schemas: 1 as never } }), /"components" of openapi must be/],
    [
      () => openapi(plain, { info, toJsonSchema: {} as never }),
      /"toJsonSchema" of openapi must be a function/,
    ],
    [() => openapi(plain, { info, errors: true as never }), /"errors" of openapi must be/],
    [
      () => openapi(plain, { info, server: [] } as never),
      /openapi has no option "server" \(did you mean "servers"/,
    ],
    [() => openapiRoutes(plain, { info, docs: 'docs' }), /"docs" of openapiRoutes must be a path/],
    [() => openapiRoutes(plain, { info, path: '/:x' }), /"path" of openapiRoutes must be a path/],
  ] as const)
    t.throws(make, { name: 'TypeError', message: text }, String(text));
});

t.test('media types of routes are in the document', async (t) => {
  const router = new Router({ accepts: ['text/csv'] })
    .post('/import', no)
    .get('/export', { produces: ['text/csv', 'application/json'] }, no)
    .post(
      '/both',
      {
        accepts: ['application/json'],
        produces: ['application/problem+json', 'text/plain'],
        body: z.object({ a: z.string() }),
        bodyTypes: ['json', 'form'],
        response: z.object({ b: z.string() }),
      },
      () => ({ b: 'x' }),
    );
  const { paths } = await describe(t, router);
  const at = (path: string, method: string) => Reflect.get(Object(paths?.[path]), method) as Described;
  const types = (content: object | undefined) => Object.keys(content ?? {});
  const imports = at('/import', 'post');
  t.same(types(imports.requestBody?.content), ['text/csv']);
  t.ok(imports.responses[415] && !imports.responses[406]);
  const exports = at('/export', 'get');
  t.same(types(exports.responses[200]?.content), ['text/csv', 'application/json']);
  t.ok(exports.responses[406], 'a client may take none of them');
  const both = at('/both', 'post');
  t.same(types(both.requestBody?.content), ['application/json'], 'of the two that bodyTypes has');
  t.same(types(both.responses[200]?.content), ['application/problem+json'], 'a schema is of JSON');
});

interface Described {
  readonly requestBody?: { readonly content: object };
  readonly responses: Record<number, { readonly content?: object }>;
}

t.test('openapiRoutes serves the document with an ETag', async (t) => {
  const router = new Router().get('/first', no);
  const app = client(t, new WsgiHandler([openapiRoutes(router, { info }), router]));
  const first = await app.get('/openapi.json');
  const etag = first.header('etag') ?? '';
  t.match(etag, /^"[\w+/]{22}"$/);
  t.same([first.header('content-type'), first.header('cache-control')], ['application/json', 'no-cache']);
  const document = (await first.json()) as OpenApiDocument;
  t.same(Object.keys(document.paths), ['/first']);
  t.equal(document.servers, undefined);
  const again = await app.get('/openapi.json', { headers: { 'if-none-match': etag } });
  t.same([again.status, await again.text(), again.header('etag')], [304, '', etag]);
  t.equal((await app.head('/openapi.json')).header('etag'), etag);
  t.equal((await app.get('/openapi.json', { headers: { 'if-match': '"other"' } })).status, 412);
  t.equal((await app.post('/openapi.json')).status, 405);
});

t.test('the docs page links to what is there, wherever it is mounted', async (t) => {
  const router = new Router().get('/users', no);
  const options = {
    info: { title: '<Shop>', version: '1' },
    servers: [{ url: 'https://api.example/v1' }, { url: '/x' }],
  };
  const own = openapiRoutes(router, options);
  const deep = openapiRoutes(router, { info, path: '/api.json', docs: '/help/api' });
  const silent = openapiRoutes(router, { info, docs: false });
  const app = client(
    t,
    new WsgiHandler([
      secureHeaders(),
      own,
      mount('/m\u00e9', new WsgiHandler([deep, new Router().mount('/in/:any', deep)])),
      mount('/silent', silent),
    ]),
  );
  for (const [target, json] of [
    ['/docs', '/openapi.json'],
    ['/docs/', '/openapi.json'],
    ['/m%C3%A9/help/api', '/m%C3%A9/api.json'],
    ['/m%C3%A9/help/api/', '/m%C3%A9/api.json'],
    ['/m%C3%A9/in/x%22y/help/api', '/m%C3%A9/in/x%22y/api.json'],
  ] as const) {
    const page = await app.get(target);
    t.equal(page.header('content-type'), 'text/html; charset=utf-8');
    const text = await page.text();
    const links = [...text.matchAll(/(?:src|data-url|stylesheet" href)="([^"]+)"/g)].map(
      ([, link]) => link as string,
    );
    t.equal(links.length, 4);
    for (const link of links) {
      const { pathname } = new URL(link, `http://host${target}`);
      t.equal((await app.get(pathname)).status, 200, `${target} ${pathname}`);
    }
    t.equal(new URL(links.at(-1) as string, `http://host${target}`).pathname, json);
  }
  const page = await app.get('/docs');
  t.match(await page.text(), '<title>&lt;Shop&gt;</title>');
  const policy = page.header('content-security-policy') ?? '';
  t.match(policy, "script-src 'self';");
  t.match(policy, "connect-src 'self' https://api.example;");
  const script = await app.get('/docs/swagger-ui-bundle.js');
  t.match(script.header('content-type'), /^text\/javascript/);
  t.equal((await app.get('/docs/package.json')).status, 404, 'nothing else of the package');
  t.equal((await app.get('/silent/docs')).status, 404);
  const mounted = (await (await app.get('/m%C3%A9/api.json')).json()) as OpenApiDocument;
  t.same(mounted.servers, [{ url: '/m%C3%A9' }], 'where the application is mounted');
  const anywhere = client(t, new Router().mount('/:any', new WsgiHandler([deep])));
  for (const prefix of ['/a%3Fb%23c', '/%2Fevil.example', '/%25'])
    t.match(
      await (await anywhere.get(`${prefix}/api.json`)).json(),
      { servers: [{ url: prefix }] },
      'a path of this host, as it came',
    );
  t.same(((await (await app.get('/openapi.json')).json()) as OpenApiDocument).servers, options.servers);
});

t.test('without swagger-ui-dist there is no page, and everything else', async (t) => {
  const { Module } = createRequire(import.meta.url)('node:module') as {
    Module: { _resolveFilename: unknown };
  };
  const resolve = Module._resolveFilename as (name: string, ...rest: unknown[]) => string;
  t.teardown(() => {
    Module._resolveFilename = resolve;
  });
  Module._resolveFilename = (name: string, ...rest: unknown[]) => {
    if (name.startsWith('swagger-ui-dist')) throw new Error('not installed');
    return resolve(name, ...rest);
  };
  const router = new Router();
  t.throws(() => openapiRoutes(router, { info }), {
    code: 'ERR_OPENAPI_UI_MISSING',
    message: /npm install swagger-ui-dist; or .* docs: false/,
  });
  const app = client(t, openapiRoutes(router, { info, docs: false }));
  t.equal((await app.get('/openapi.json')).status, 200);
});

t.test('error pages of the application are what the document says', async (t) => {
  const problem = { type: 'object', properties: { title: { type: 'string' } } };
  const router = new Router().post('/', { body: User }, no);
  const docs = openapiRoutes(router, {
    info,
    errors: { contentType: 'application/problem+json', schema: problem },
  });
  const render = ({ reason }: { reason: string }) => ({ title: reason });
  const pages = { default: { 'application/problem+json': render } };
  const app = client(t, new WsgiHandler([docs, router], { responseMiddleware: [errorPage({ pages })] }));
  const { paths } = (await (await app.get('/openapi.json')).json()) as OpenApiDocument;
  const refused = await app.post('/', { json: 1 });
  const said = (paths['/']?.post as unknown as Plain)?.responses?.[String(refused.status)]?.content ?? {};
  t.same(Object.keys(said), [refused.header('content-type')]);
});
