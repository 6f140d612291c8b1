/** Vela's applications as fetch handlers: called by hand, and mounted in Hono. */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { serve as serveHono } from '@hono/node-server';
import { Hono } from 'hono';
import t from 'tap';
import { fromFetch, toFetch } from '../../src/adapters/index.js';
import { type App, json, lint, requestOf, serve, WsgiHandler, WsgiResponse } from '../../src/index.js';
import { Router } from '../../src/router/index.js';
import { recorder } from '../support/ask.js';
import { eventually } from '../support/eventually.js';

const plain: [string, string][] = [['Content-Type', 'text/plain']];

t.test('requests and responses', async (t) => {
  const router = new Router();
  router.get('/users/:id', ({ params, environ }) =>
    json({
      id: params.id,
      query: environ.QUERY_STRING,
      host: environ.HTTP_HOST,
      scheme: environ['wsgi.url_scheme'],
      from: environ.REMOTE_ADDR,
    }),
  );
  router.post('/echo', async (request) => new WsgiResponse({ content: await request.text() }));
  router.get(
    '/cookies',
    () =>
      new WsgiResponse({
        status: 204,
        headers: [
          ['Set-Cookie', 'a=1'],
          ['Set-Cookie', 'b=2'],
        ],
      }),
  );
  const handler = toFetch(lint(new WsgiHandler([router])), {
    clientAddress: (_request: Request, info: { from: string }) => info.from,
  });
  t.teardown(() => handler.stop());
  const ask = (path: string, init?: RequestInit) =>
    handler(new Request(`https://a.example${path}`, init), { from: '192.0.2.1' });
  const user = await ask('/users/7%208?x=%20');
  t.equal(user.status, 200);
  t.strictSame(await user.json(), {
    id: '7 8',
    query: 'x=%20',
    host: 'a.example',
    scheme: 'https',
    from: '192.0.2.1',
  });
  t.equal(await (await ask('/echo', { method: 'POST', body: 'é' })).text(), 'é');
  const cookies = await ask('/cookies');
  t.strictSame([cookies.status, cookies.body, cookies.headers.getSetCookie()], [204, null, ['a=1', 'b=2']]);
  t.equal((await ask('/none')).status, 404);
  const head = await ask('/users/7', { method: 'HEAD' });
  t.equal(head.body, null);
  t.ok(Number(head.headers.get('content-length')) > 0);
});

t.test('streams both ways, held back, and stopped by whoever leaves', async (t) => {
  let made = 0;
  let closed = 0;
  const signals: AbortSignal[] = [];
  const app: App = async (environ, startResponse) => {
    signals.push(environ['vela.signal']);
    startResponse('200 OK', plain);
    if (environ.REQUEST_METHOD === 'POST') return environ['wsgi.input'];
    return (async function* () {
      try {
        for (;;) {
          made += 1;
          yield 'x'.repeat(10_000);
          await null;
        }
      } finally {
        closed += 1;
      }
    })();
  };
  const handler = toFetch(app);
  t.teardown(() => handler.stop());
  const chunks = ['a', 'b', 'c'].map((text) => new TextEncoder().encode(text));
  const body = new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setImmediate(resolve));
      const chunk = chunks.shift();
      if (chunk === undefined) controller.close();
      else controller.enqueue(chunk);
    },
  });
  const echo = await handler(new Request('http://a/', { method: 'POST', body, duplex: 'half' }));
  t.equal(await echo.text(), 'abc');
  const endless = await handler(new Request('http://a/'));
  const reader = endless.body?.getReader();
  await reader?.read();
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.ok(made < 50, `${made} chunks`);
  await reader?.cancel();
  await eventually('the generator is closed', () => closed === 1);
  const leaving = new AbortController();
  const cut = await handler(new Request('http://a/', { signal: leaving.signal }));
  leaving.abort();
  await t.rejects(cut.text());
  await eventually('the generator is closed', () => closed === 2);
  t.ok(signals.at(-1)?.aborted);
});

t.test('parts start with the first request, and stop', async (t) => {
  const calls: string[] = [];
  const app: App = () => new WsgiResponse({ content: calls.join() });
  app.start = async () => {
    calls.push('start');
  };
  app.stop = () => {
    calls.push('stop');
  };
  const handler = toFetch(app);
  const ask = () => handler(new Request('http://a/'));
  const [first, second] = await Promise.all([ask(), ask()]);
  t.strictSame([await first?.text(), await second?.text()], ['start', 'start']);
  await Promise.all([handler.stop(), handler.stop()]);
  t.strictSame(calls, ['start', 'stop']);
  t.equal((await ask()).status, 503);
});

t.test('what is stopped starts no more, and what starts is stopped', async (t) => {
  const calls: string[] = [];
  const app: App = () => new WsgiResponse({ content: 'x' });
  app.start = async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    calls.push('start');
  };
  app.stop = () => {
    calls.push('stop');
  };
  const unused = toFetch(app);
  await unused.stop();
  t.equal((await unused(new Request('http://a/'))).status, 503);
  t.strictSame(calls, []);
  const starting = toFetch(app);
  const asked = starting(new Request('http://a/'));
  await starting.stop();
  t.strictSame(calls, ['start', 'stop']);
  t.equal((await asked).status, 503);
});

t.test('errors', async (t) => {
  const logger = recorder();
  const throws = toFetch(
    () => {
      throw new Error('no');
    },
    { logger },
  );
  t.equal((await throws(new Request('http://a/'))).status, 500);
  t.equal(logger.lines[0]?.message, 'no');
  const slow = toFetch(() => new Promise<never>(() => {}), { requestTimeoutMs: 50, logger });
  t.equal((await slow(new Request('http://a/'))).status, 504);
  const large = toFetch(async (environ) => new WsgiResponse({ content: await requestOf(environ).text() }), {
    maxBodyBytes: 10,
  });
  t.equal((await large(new Request('http://a/', { method: 'POST', body: 'x'.repeat(11) }))).status, 413);
  t.throws(() => toFetch(1 as never), TypeError);
  t.throws(() => toFetch(() => new WsgiResponse(), { port: 1 } as never), TypeError);
  t.throws(() => toFetch(() => new WsgiResponse(), { clientAddress: 'x' } as never), {
    code: 'ERR_CONFIG_INVALID',
  });
  await Promise.all([throws, slow, large].map((one) => one.stop()));
});

t.test('in Hono, on its own server and on Vela', async (t) => {
  const app: App = async (environ) =>
    new WsgiResponse({ content: `${environ.PATH_INFO} ${(await environ['wsgi.input'].read()).length}` });
  const handler = toFetch(app);
  const hono = new Hono();
  hono.mount('/vela', handler as never);
  const own = serveHono({ fetch: hono.fetch, port: 0, hostname: '127.0.0.1' });
  await once(own, 'listening');
  const server = await serve(fromFetch(hono as never), { bind: '127.0.0.1:0', logLevel: 'silent' });
  t.teardown(async () => {
    own.close();
    await server.close({ timeoutMs: 0 });
    await handler.stop();
  });
  for (const url of [`http://127.0.0.1:${(own.address() as AddressInfo).port}`, server.url]) {
    const response = await fetch(`${url}/vela/x`, { method: 'POST', body: 'x'.repeat(300_000) });
    t.equal(await response.text(), '/x 300000');
  }
});

t.test('a status that no Response can have is 500', async (t) => {
  const logger = recorder();
  const handler = toFetch(
    (environ, startResponse) => {
      startResponse(`${environ.PATH_INFO.slice(1)} Odd`, [['x-a', 'b']]);
      return ['odd'];
    },
    { logger },
  );
  t.teardown(() => handler.stop());
  const facts: unknown[] = [];
  for (const path of ['599', '600', '999']) {
    const response = await handler(new Request(`http://a.example/${path}`));
    facts.push([response.status, response.headers.get('x-a'), await response.text()]);
  }
  t.same(facts, [
    [599, 'b', 'odd'],
    [500, 'b', 'odd'],
    [500, 'b', 'odd'],
  ]);
  const warnings = logger.lines.map(({ level, details }) => [level, (details.err as { code: string }).code]);
  t.same(warnings, [
    ['warn', 'ERR_FETCH_STATUS'],
    ['warn', 'ERR_FETCH_STATUS'],
  ]);
});
