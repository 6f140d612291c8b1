/** Fetch handlers as applications, over sockets of both gateways. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { Hono } from 'hono';
import { etag as honoEtag } from 'hono/etag';
import { streamSSE } from 'hono/streaming';
import t, { type Test } from 'tap';
import { type FetchHandler, type FromFetchOptions, fromFetch } from '../../src/adapters/index.js';
import { createExecutor, middlewareInExecutor } from '../../src/executor/index.js';
import {
  type App,
  lint,
  type Middleware,
  type ResponseMiddleware,
  type Server,
  type ServerOptions,
  serve,
  WsgiHandler,
} from '../../src/index.js';
import { mount } from '../../src/middleware/index.js';
import { recorder } from '../support/ask.js';
import { compile } from '../support/compile.js';
import { eventually } from '../support/eventually.js';
import { headerValue, Wire } from '../support/wire.js';

const GATEWAYS = ['uws', 'node'] as const;
/** Before anything replaces it. */
const PlatformResponse = globalThis.Response;
const PlatformRequest = globalThis.Request;
const encoder = new TextEncoder();

t.setTimeout(120_000);

async function listen(t: Test, app: App, options: ServerOptions): Promise<Server> {
  const server = await serve(app, { bind: '127.0.0.1:0', logLevel: 'silent', ...options });
  t.teardown(() => server.close({ timeoutMs: 0 }));
  return server;
}

for (const gateway of GATEWAYS) {
  const serving = async (t: Test, handler: FetchHandler, options?: FromFetchOptions): Promise<Server> =>
    listen(t, lint(fromFetch(handler, options)), { gateway });
  const ask = (server: Server, path: string, init?: RequestInit) => fetch(new URL(path, server.url), init);

  t.test(`Hono: ${gateway}`, async (t) => {
    const hono = new Hono<{ Bindings: { environ: { REQUEST_METHOD: string } } }>();
    hono.get('/', (c) => c.text('hello'));
    hono.get('/json/:id', (c) => c.json({ id: c.req.param('id'), q: c.req.query('q') }));
    hono.get('/env', (c) => c.text(c.env.environ.REQUEST_METHOD));
    hono.get('/cookies', (c) => {
      c.header('set-cookie', 'a=1', { append: true });
      c.header('set-cookie', 'b=2', { append: true });
      return c.body(null, 204);
    });
    hono.get('/away', (c) => c.redirect('/json/1', 307));
    hono.get('/throws', () => {
      throw new Error('no');
    });
    hono.post('/upload', async (c) => c.json(Object.entries(await c.req.parseBody())));
    hono.use('/tagged', honoEtag());
    hono.get('/tagged', (c) => c.text('tagged'));
    hono.get('/events', (c) =>
      streamSSE(c, async (stream) => {
        for (let i = 0; i < 3; i++) await stream.writeSSE({ data: String(i) });
      }),
    );
    hono.onError((_error, c) => c.text('caught', 500));
    const server = await serving(t, hono as never);
    const home = await ask(server, '/');
    t.equal(await home.text(), 'hello');
    t.equal(home.headers.get('content-length'), '5');
    t.match(home.headers.get('content-type'), /^text\/plain/);
    t.strictSame(await (await ask(server, '/json/7%2F8?q=%20a')).json(), { id: '7/8', q: ' a' });
    t.equal(await (await ask(server, '/env')).text(), 'GET');
    const cookies = await ask(server, '/cookies');
    t.equal(cookies.status, 204);
    t.strictSame(cookies.headers.getSetCookie(), ['a=1', 'b=2']);
    t.match(await ask(server, '/away', { redirect: 'manual' }), { status: 307 });
    t.equal(await (await ask(server, '/throws')).text(), 'caught');
    t.equal((await ask(server, '/none')).status, 404);
    const form = new FormData();
    form.set('name', 'Ada');
    t.strictSame(await (await ask(server, '/upload', { method: 'POST', body: form })).json(), [
      ['name', 'Ada'],
    ]);
    const tagged = await ask(server, '/tagged');
    const tag = tagged.headers.get('etag') ?? '';
    t.equal(await tagged.text(), 'tagged');
    t.equal((await ask(server, '/tagged', { headers: { 'if-none-match': tag } })).status, 304);
    t.equal(await (await ask(server, '/events')).text(), 'data: 0\n\ndata: 1\n\ndata: 2\n\n');
  });

  t.test(`HEAD and statuses without a body: ${gateway}`, async (t) => {
    let cancels = 0;
    const server = await serving(t, (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === '/text') return new Response('twelve bytes');
      if (pathname === '/none') return new Response(null);
      if (pathname === '/stream') return new Response(new ReadableStream({ cancel: () => void cancels++ }));
      if (pathname === '/stated') return new Response(null, { headers: { 'content-length': '77' } });
      return new Response(null, { status: Number(pathname.slice(1)) });
    });
    const wire = await Wire.open(server.address);
    t.teardown(() => wire.socket.destroy());
    const length = async (method: string, path: string) => {
      wire.socket.write(`${method} ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      const response = await wire.response({ method });
      return [response.status, headerValue(response, 'content-length')];
    };
    t.strictSame(await length('HEAD', '/text'), [200, '12']);
    t.strictSame(await length('HEAD', '/none'), [200, undefined], 'of no body the length is not known');
    t.strictSame(await length('HEAD', '/stated'), [200, '77']);
    t.strictSame(
      await length('HEAD', '/stream'),
      [200, undefined],
      'a body that never begins is not waited for',
    );
    t.equal(cancels, 1);
    t.strictSame(await length('GET', '/none'), [200, '0']);
    t.strictSame(await length('GET', '/204'), [204, undefined]);
    t.strictSame(await length('GET', '/205'), [205, '0']);
    t.strictSame(await length('GET', '/304'), [304, undefined]);
  });

  t.test(`the request is as a real one: ${gateway}`, async (t) => {
    const seen: Record<string, unknown>[] = [];
    const server = await serving(t, async (request) => {
      const clone = request.clone();
      const copy = new PlatformRequest(clone.clone(), { headers: { 'x-new': 'y' } });
      const own = new PlatformRequest(request.clone());
      seen.push({
        ownCopy: await own.text(),
        isRequest: request instanceof Request && request instanceof PlatformRequest,
        name: request.constructor.name,
        method: request.method,
        url: request.url,
        agent: request.headers.get('User-Agent'),
        has: [request.headers.has('x-a'), request.headers.has('X-B')],
        joined: request.headers.get('x-a'),
        listed: [...request.headers].filter(([name]) => name.startsWith('x-')),
        copied: new Headers(request.headers).get('x-a'),
        isHeaders: request.headers instanceof Headers,
        copyNew: copy.headers.get('x-new'),
        mode: request.mode,
        duplex: request.duplex,
        used: [request.bodyUsed, clone.bodyUsed],
        text: await clone.text(),
        ownText: await request.text(),
        usedThen: request.bodyUsed,
      });
      return new Response('');
    });
    const wire = await Wire.open(server.address);
    t.teardown(() => wire.socket.destroy());
    wire.socket.write(
      'PUT /a?b HTTP/1.1\r\nHost: Example.ORG:80\r\nUser-Agent: me\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 3\r\n\r\nabc',
    );
    t.equal((await wire.response()).status, 200);
    t.match(seen[0], {
      ownCopy: 'abc',
      isRequest: true,
      name: 'Request',
      method: 'PUT',
      url: 'http://example.org/a?b',
      agent: 'me',
      has: [true, false],
      joined: '1, 2',
      listed: [['x-a', '1, 2']],
      copied: '1, 2',
      isHeaders: true,
      copyNew: 'y',
      mode: 'cors',
      duplex: 'half',
      used: [false, false],
      text: 'abc',
      ownText: 'abc',
      usedThen: true,
    });
  });

  t.test(`bodies are read as what they are asked for: ${gateway}`, async (t) => {
    const server = await serving(t, async (request) => {
      const kind = new URL(request.url).pathname.slice(1) as
        | 'text'
        | 'json'
        | 'arrayBuffer'
        | 'blob'
        | 'formData';
      if (kind === ('none' as never)) return new Response('not read');
      if (kind === ('twice' as never)) {
        await request.text();
        const again = await request.json().catch((error: Error) => error.name);
        const copied = (() => {
          try {
            return new PlatformRequest(request).method;
          } catch (error) {
            return (error as Error).name;
          }
        })();
        return Response.json([again, copied, request.bodyUsed]);
      }
      if (kind === ('stream' as never)) return new Response(request.body);
      const value = await request[kind]();
      if (value instanceof Blob) return Response.json([value.type, await value.text()]);
      if (value instanceof ArrayBuffer) return new Response(value);
      if (value instanceof FormData) return Response.json([...value]);
      return Response.json(value);
    });
    const post = (path: string, body: RequestInit['body'], headers: Record<string, string> = {}) =>
      ask(server, path, { method: 'POST', body: body as never, headers, duplex: 'half' } as RequestInit);
    t.equal(await (await post('/text', '\ufeffé')).json(), 'é', 'without the mark of the order of bytes');
    t.strictSame(await (await post('/json', '{"a":1}')).json(), { a: 1 });
    t.equal(await (await post('/arrayBuffer', 'x'.repeat(100_000))).text(), 'x'.repeat(100_000));
    t.strictSame(await (await post('/blob', 'b', { 'content-type': 'a/b' })).json(), ['a/b', 'b']);
    t.strictSame(await (await post('/formData', new URLSearchParams({ a: '1' }))).json(), [['a', '1']]);
    t.strictSame(await (await post('/twice', '1')).json(), ['TypeError', 'TypeError', true]);
    const big = 'y'.repeat(3_000_000);
    t.equal((await (await post('/stream', big)).text()).length, big.length);
    t.equal(await (await post('/none', big)).text(), 'not read');
    t.equal(await (await post('/text', '')).json(), '');
    t.equal(await (await ask(server, '/text')).json(), '', 'GET has none');
  });

  t.test(`URLs: ${gateway}`, async (t) => {
    const handler = fromFetch((request) => new Response(request.url));
    const server = await listen(
      t,
      lint(new WsgiHandler([mount('/below here', handler) as Middleware, handler])),
      { gateway },
    );
    const wire = await Wire.open(server.address);
    t.teardown(() => wire.socket.destroy());
    const url = async (target: string, host: string) => {
      wire.socket.write(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      const { status, body } = await wire.response();
      return status === 200 ? body.toString() : status;
    };
    t.equal(await url('/', 'a'), 'http://a/');
    t.equal(await url('/a//b/?x=/y', '127.0.0.1:8060'), 'http://127.0.0.1:8060/a//b/?x=/y');
    t.equal(await url('//evil/x', 'a'), 'http://a//evil/x', 'two slashes name no host');
    t.equal(await url('/a/../b/./c', 'a'), 'http://a/b/c');
    t.equal(await url('/%2e%2e/b', 'a'), 'http://a/b');
    t.equal(await url('/%C3%A4%2F?q=%3F', 'A.Example:80'), 'http://a.example/%C3%A4%2F?q=%3F');
    t.equal(await url("/a|b?c='d'", 'a'), 'http://a/a|b?c=%27d%27');
    t.equal(await url('/x', '[::1]:81'), 'http://[::1]:81/x');
    t.equal(await url('/below%20here/x?y', 'a'), 'http://a/below%20here/x?y', 'below a prefix the whole URL');
    wire.socket.write('GET / HTTP/1.1\r\nHost: a b\r\n\r\n');
    t.equal((await wire.response()).status, 400);
  });

  t.test(`responses: ${gateway}`, async (t) => {
    const fixed = new Response('once');
    const handlers: Record<string, () => unknown> = {
      bytes: () => new Response(new Uint8Array([1, 2, 3])),
      buffer: () => new Response(new Uint8Array([1, 2, 3]).buffer),
      params: () => new Response(new URLSearchParams({ a: 'b c' })),
      blob: () => new Response(new Blob(['blob'], { type: 'a/b' })),
      json: () => Response.json({ a: 1 }, { status: 201 }),
      pairs: () =>
        new Response('x', {
          headers: [
            ['Set-Cookie', 'a'],
            ['set-cookie', 'b'],
            ['X-A', '1'],
            ['x-a', '2'],
          ],
        }),
      number: () => new Response('x', { headers: { 'x-count': 5 as never } }),
      hop: () =>
        new Response('x', {
          headers: { Connection: 'close', 'transfer-encoding': 'chunked', 'x-kept': '1' },
        }),
      changed() {
        const response = new Response('x', { headers: { 'x-a': '1' } });
        response.headers.set('x-b', '2');
        response.headers.delete('content-type');
        return response;
      },
      copied: () =>
        new Response(new Response('inner').body, new Response('x', { status: 202, headers: { 'x-a': '1' } })),
      cloned: async () => {
        const response = new Response('cloned');
        return new Response(`${await response.clone().text()} ${await response.text()}`);
      },
      redirect: () => Response.redirect('http://a/b', 303),
      platform: () => new PlatformResponse('platform', { headers: { 'x-a': '1' } }),
      error: () => Response.error(),
      once: () => fixed,
      nothing: () => undefined,
      text: () => 'text',
      throws() {
        throw Object.assign(new Error('no'), { status: 418 });
      },
      locked() {
        const body = new ReadableStream();
        body.getReader();
        return Object.defineProperty(new PlatformResponse(new ReadableStream()), 'body', { value: body });
      },
      async used() {
        const response = new Response('used');
        await response.text();
        return response;
      },
      fails: () =>
        new Response(new ReadableStream({ start: (controller) => controller.error(new Error('broken')) })),
    };
    const logger = recorder();
    const app = fromFetch((request) => handlers[new URL(request.url).pathname.slice(1)]?.() as Response);
    const logging: Middleware = (environ) => {
      environ['vela.logger'] = logger;
    };
    // Not linted: lint wants a Content-Type.
    const server = await listen(t, new WsgiHandler([logging, app]), { gateway });
    const get = async (path: string) => {
      const response = await ask(server, path, { redirect: 'manual' });
      return { status: response.status, headers: response.headers, text: await response.text() };
    };
    t.match(await get('/bytes'), { text: '\x01\x02\x03' });
    t.equal((await get('/bytes')).headers.get('content-type'), null);
    t.match(await get('/buffer'), { text: '\x01\x02\x03' });
    const params = await get('/params');
    t.equal(params.text, 'a=b+c');
    t.match(params.headers.get('content-type'), /^application\/x-www-form-urlencoded/);
    t.equal(params.headers.get('content-length'), '5', 'a body that is there goes with its length');
    t.equal((await get('/blob')).headers.get('content-type'), 'a/b');
    const json = await get('/json');
    t.match(json, { status: 201, text: '{"a":1}' });
    t.equal(json.headers.get('content-type'), 'application/json');
    const pairs = (await get('/pairs')).headers;
    t.strictSame(pairs.getSetCookie(), ['a', 'b']);
    t.equal(pairs.get('x-a'), '1, 2');
    t.equal((await get('/number')).headers.get('x-count'), '5');
    const hop = (await get('/hop')).headers;
    t.equal(hop.get('x-kept'), '1');
    t.not(hop.get('connection'), 'close');
    t.equal(hop.get('content-length'), '1');
    const changed = (await get('/changed')).headers;
    t.strictSame([changed.get('x-a'), changed.get('x-b'), changed.get('content-type')], ['1', '2', null]);
    const copied = await get('/copied');
    t.match(copied, { status: 202, text: 'inner' });
    t.equal(copied.headers.get('x-a'), '1');
    t.equal((await get('/cloned')).text, 'cloned cloned');
    const redirect = await get('/redirect');
    t.equal(redirect.status, 303);
    t.equal(redirect.headers.get('location'), 'http://a/b');
    const platform = await get('/platform');
    t.equal(platform.text, 'platform');
    t.equal(platform.headers.get('content-length'), '8');
    t.equal((await get('/once')).text, 'once');
    t.equal((await get('/throws')).status, 418);
    const codeOf = async (path: string) => {
      logger.lines.length = 0;
      t.equal((await get(path)).status, 500, path);
      return (logger.lines[0]?.details.err as { code?: string })?.code;
    };
    t.equal(await codeOf('/once'), 'ERR_FETCH_BODY_USED');
    t.equal(await codeOf('/used'), 'ERR_FETCH_BODY_USED');
    t.equal(await codeOf('/locked'), 'ERR_FETCH_BODY_USED');
    t.equal(await codeOf('/error'), 'ERR_FETCH_RESPONSE');
    t.equal(await codeOf('/nothing'), 'ERR_FETCH_RESPONSE');
    t.equal(await codeOf('/text'), 'ERR_FETCH_RESPONSE');
    t.equal((await get('/fails')).status, 500, 'a stream that fails at once');
  });

  t.test(`streams are held back, and cancelled when the client leaves: ${gateway}`, async (t) => {
    let pulled = 0;
    let cancelled = 0;
    let aborted = 0;
    const server = await serving(t, (request) => {
      request.signal.addEventListener('abort', () => {
        aborted += 1;
      });
      return new Response(
        new ReadableStream({
          pull(controller) {
            pulled += 1;
            controller.enqueue(new Uint8Array(65_536));
          },
          cancel() {
            cancelled += 1;
          },
        }),
      );
    });
    const wire = await Wire.open(server.address);
    wire.socket.pause();
    wire.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually('it stands still', async () => {
      const before = pulled;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return pulled > 0 && pulled === before;
    });
    t.ok(pulled < 1000, `${pulled} chunks`);
    wire.socket.destroy();
    await eventually('it is cancelled', () => cancelled === 1 && aborted === 1);
  });

  t.test(`a handler that waits hears that the client leaves: ${gateway}`, async (t) => {
    let signal: AbortSignal | undefined;
    const server = await serving(t, (request) => {
      signal = request.signal;
      return new Promise<never>(() => {});
    });
    const leaving = new AbortController();
    const answer = ask(server, '/', { signal: leaving.signal }).catch(() => 'left');
    await eventually('it waits', () => signal?.aborted === false);
    leaving.abort();
    t.equal(await answer, 'left');
    await eventually('the signal is aborted', () => signal?.aborted);
  });

  t.test(`it stands behind middleware, and response middleware sees its responses: ${gateway}`, async (t) => {
    const rename: Middleware = (environ) => {
      environ.HTTP_X_USER = 'Ada';
    };
    const stamp: ResponseMiddleware = (_environ, response) => {
      response.setHeader('X-Stamp', String(response.content).length.toString());
    };
    const app = fromFetch(
      (request) =>
        new Response(
          `Hello ${request.headers.get('x-user')}, ${[...request.headers.keys()].includes('x-user')}`,
        ),
    );
    const server = await listen(t, lint(new WsgiHandler([rename, app], { responseMiddleware: [stamp] })), {
      gateway,
    });
    const response = await ask(server, '/');
    t.equal(await response.text(), 'Hello Ada, true');
    t.equal(response.headers.get('x-stamp'), '15');
  });

  t.test(
    `a Response without a body that is sent to many gathers no headers of theirs: ${gateway}`,
    async (t) => {
      const shared = {
        empty: new Response(null, { status: 204 }),
        found: new Response(null, { status: 302 }),
      };
      const app = fromFetch(({ url }) => (url.endsWith('/empty') ? shared.empty : shared.found));
      let visitors = 0;
      const sign: ResponseMiddleware = (_environ, response) => {
        response.addHeader('Set-Cookie', `session=${++visitors}`);
      };
      const handler = new WsgiHandler([app], { responseMiddleware: [sign] });
      const server = await listen(t, handler, { gateway });
      for (const path of ['/empty', '/found', '/empty', '/found']) {
        const response = await ask(server, path, { redirect: 'manual' });
        t.same(response.headers.getSetCookie(), [`session=${visitors}`]);
      }
    },
  );

  t.test(`what fetch() gave can be passed on: ${gateway}`, async (t) => {
    const origin = createServer((request, response) => {
      if (request.url === '/zip') response.setHeader('Content-Encoding', 'gzip');
      response.setHeader('Connection', 'close');
      response.end(
        request.url === '/zip' ? gzipSync('zipped') : `plain ${request.method} ${request.headers['x-a']}`,
      );
    }).listen(0, '127.0.0.1');
    await once(origin, 'listening');
    t.teardown(() => origin.close());
    const { port } = origin.address() as AddressInfo;
    const server = await serving(t, (request) => {
      const url = new URL(request.url);
      url.port = String(port);
      return fetch(new PlatformRequest(url, request));
    });
    const zip = await ask(server, '/zip');
    t.equal(await zip.text(), 'zipped');
    t.equal(zip.headers.get('content-encoding'), null, 'fetch() has undone it');
    const post = await ask(server, '/x', { method: 'POST', body: 'b', headers: { 'x-a': '1' } });
    t.equal(await post.text(), 'plain POST 1');
  });

  t.test(`in a thread of an executor: ${gateway}`, async (t) => {
    const executor = createExecutor({ maxThreads: 1 });
    t.teardown(() => executor.close({ timeoutMs: 0 }));
    const thread = middlewareInExecutor(compile('fetch-apps'), { executor });
    const server = await listen(t, new WsgiHandler([mount('/thread', thread as Middleware)]), { gateway });
    t.equal(await (await ask(server, '/thread/hello?name=Ada')).text(), 'Hello Ada at /thread/hello');
    const echo = await ask(server, '/thread/echo', {
      method: 'POST',
      body: 'x'.repeat(200_000),
      headers: { 'content-type': 'a/b' },
    });
    t.equal(echo.status, 201);
    t.equal(echo.headers.get('x-type'), 'a/b');
    t.equal((await echo.text()).length, 200_000);
    t.equal((await (await ask(server, '/thread/stream')).text()).split('\n').length, 2001);
    const cookies = await ask(server, '/thread/cookies');
    t.strictSame([cookies.status, cookies.headers.getSetCookie()], [204, ['a=1', 'b=2']]);
  });
}

t.test('on the node gateway the head of a stream leaves before its first chunk', async (t) => {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const handler = () =>
    new Response(
      new ReadableStream({
        async pull(controller) {
          await gate;
          controller.enqueue(encoder.encode('late'));
          controller.close();
        },
      }),
    );
  const server = await listen(t, fromFetch(handler), { gateway: 'node' });
  const response = await fetch(server.url);
  t.equal(response.status, 200);
  open();
  t.equal(await response.text(), 'late');
});

t.test('the Response that takes the place of the platform', async (t) => {
  fromFetch(() => new Response(''));
  t.not(globalThis.Response, PlatformResponse);
  const light = new Response('é', { status: 201, statusText: 'Made' });
  t.ok(light instanceof Response && light instanceof PlatformResponse);
  t.ok(new PlatformResponse() instanceof Response);
  t.notOk({} instanceof Response);
  class Extended extends Response {}
  t.ok(new Extended('x') instanceof Extended && new Extended('x') instanceof Response);
  t.notOk(light instanceof Extended, 'what extends it has its own');
  t.match(light, { status: 201, ok: true, statusText: 'Made', type: 'default', url: '', bodyUsed: false });
  t.equal(light.headers.get('content-type'), 'text/plain;charset=UTF-8');
  t.equal(await light.clone().text(), 'é');
  t.strictSame(Buffer.from(await light.arrayBuffer()), Buffer.from('é'));
  t.equal(light.bodyUsed, true);
  await t.rejects(light.text(), TypeError);
  t.strictSame(await new Response(encoder.encode('{}')).json(), {});
  t.equal(await (await new Response('b').blob()).text(), 'b');
  t.equal(new Response().body, null);
  t.equal(new Response('x', { headers: { 'Content-Type': 'a/b' } }).headers.get('content-type'), 'a/b');
  const server = await listen(
    t,
    fromFetch(({ url }) => {
      const given = { 'X-A': ' a b\t\r\n', 'X-B': '' };
      return new Response('x', { headers: url.endsWith('/pairs') ? Object.entries(given) : given });
    }),
    {},
  );
  for (const path of ['/', '/pairs']) {
    const { status, headers } = await fetch(new URL(path, server.url));
    t.same(
      [status, headers.get('x-a'), headers.get('x-b')],
      [200, 'a b', ''],
      'values have no white space around them',
    );
  }
  t.throws(() => new Response('x', { status: 204 }), TypeError);
  t.throws(() => new Response('x', { status: 99 }), RangeError);
  t.throws(() => Response.json(undefined), TypeError);
  t.throws(() => Response.json('x', { status: 204 }), TypeError);
  t.equal(Response.error().type, 'error');
  t.equal(Response.redirect('http://a/', 302).headers.get('location'), 'http://a/');
});

t.test('what is no handler is refused', async (t) => {
  t.throws(() => fromFetch({} as never), {
    code: 'ERR_CONFIG_INVALID',
    message: /an object with one named fetch/,
  });
  t.throws(() => fromFetch(() => new Response(''), { replace: true } as never), TypeError);
  t.throws(() => fromFetch(() => new Response(''), { replaceResponse: 1 } as never), {
    code: 'ERR_CONFIG_INVALID',
  });
  const named = {
    name: 'Ada',
    fetch() {
      return new Response(this.name);
    },
  };
  const server = await listen(t, fromFetch(named), {});
  t.equal(await (await fetch(server.url)).text(), 'Ada', 'fetch is called as a method');
});
