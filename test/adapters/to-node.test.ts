/** Vela's applications in servers of node:http, Express, Connect and Fastify. */

import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import compression from 'compression';
import connect from 'connect';
import express from 'express';
// @ts-expect-error there are no types of it
import express4 from 'express4';
import t, { type Test } from 'tap';
import { type NodeApp, toNode } from '../../src/adapters/index.js';
import {
  type App,
  HttpError,
  lint,
  type Middleware,
  requestOf,
  WsgiHandler,
  WsgiResponse,
} from '../../src/index.js';
import { Router } from '../../src/router/index.js';
import { recorder } from '../support/ask.js';
import { eventually } from '../support/eventually.js';
import { Wire } from '../support/wire.js';

async function listen(t: Test, listener: RequestListener, ...apps: NodeApp[]) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(async () => {
    server.closeAllConnections();
    server.close();
    await Promise.all(apps.map((app) => app.stop()));
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, address: { host: '127.0.0.1', port } };
}

const paths: App = (environ) =>
  new WsgiResponse({
    content: JSON.stringify([
      environ.SCRIPT_NAME,
      environ.PATH_INFO,
      environ['vela.raw_path'],
      environ.RAW_URI,
      requestOf(environ).url.replace(/^http:..[^/]*/, ''),
    ]),
  });

t.test('in http.createServer', async (t) => {
  let aborted = 0;
  const router = new Router();
  router.get('/hello', () => 'hello');
  router.post(
    '/echo',
    ({ environ }) =>
      new WsgiResponse({
        content: environ['wsgi.input'] as AsyncIterable<Uint8Array>,
        contentType: 'text/plain',
      }),
  );
  router.get('/error', () => {
    throw new HttpError(418, 'teapot');
  });
  router.get('/wait', ({ environ }) => {
    environ['vela.signal'].addEventListener('abort', () => {
      aborted += 1;
    });
    return new Promise<never>(() => {});
  });
  const app = toNode(lint(new WsgiHandler([router])), { logger: recorder() });
  const { url, address } = await listen(t, app, app);
  t.equal(await (await fetch(`${url}/hello`)).text(), 'hello');
  t.equal((await fetch(`${url}/none`)).status, 404);
  const teapot = await fetch(`${url}/error`);
  t.strictSame([teapot.status, await teapot.text()], [418, 'teapot\n']);
  const big = 'x'.repeat(2_000_000);
  t.equal((await (await fetch(`${url}/echo`, { method: 'POST', body: big })).text()).length, big.length);
  const wire = await Wire.open(address);
  wire.write('GET /wait HTTP/1.1\r\nHost: a\r\n\r\n');
  await new Promise((resolve) => setTimeout(resolve, 50));
  wire.destroy();
  await eventually('it is aborted', () => aborted === 1);
  const strict = await Wire.open(address);
  strict.write('GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n');
  t.equal((await strict.response()).status, 400, 'the rules of the node gateway hold');
  strict.destroy();
});

for (const [name, make] of [
  ['Express 5', express],
  ['Express 4', express4],
] as const)
  t.test(`in ${name}`, async (t) => {
    const app = toNode(lint(paths));
    const late: Middleware = async (environ) => {
      await null;
      return environ.PATH_INFO === '/late' ? undefined : new WsgiResponse({ content: 'here' });
    };
    const router = new Router();
    router.get('/vela', () => 'vela');
    router.post('/body', async (request) => JSON.stringify(await request.json()));
    const routes = toNode(router);
    const lateApp = toNode(late);
    const parsed = toNode(new WsgiHandler([router]), { logger: recorder() });
    const site = (make as typeof express)();
    site.use((_request, response, next) => {
      response.setHeader('X-Before', '1');
      next();
    });
    site.use('/at', app);
    site.use(routes);
    site.use('/later', lateApp);
    site.get('/express', (_request, response) => {
      response.send('express');
    });
    site.use(
      '/kept',
      express.json({ verify: (request, _response, bytes) => Object.assign(request, { rawBody: bytes }) }),
      parsed,
    );
    site.use('/lost', express.json(), parsed);
    site.use((request, response) => {
      response.status(404).send(`express has no ${request.url}`);
    });
    site.use(((error: Error & { code: string }, _request, response, _next) => {
      response.status(500).send(error.code);
    }) as express.ErrorRequestHandler);
    const { url } = await listen(t, site as RequestListener, app, routes, lateApp, parsed);
    const at = await fetch(`${url}/at/a%20b/c?d`);
    t.strictSame(await at.json(), ['/at', '/a b/c', '/a%20b/c', '/at/a%20b/c?d', '/at/a%20b/c?d']);
    t.equal(at.headers.get('x-before'), '1', 'headers that were set before are kept');
    t.strictSame(await (await fetch(`${url}/at?d`)).json(), ['/at', '', '', '/at?d', '/at?d']);
    t.strictSame(await (await fetch(`${url}/at/`)).json(), ['/at', '/', '/', '/at/', '/at/']);
    t.equal(await (await fetch(`${url}/vela`)).text(), 'vela');
    t.equal(await (await fetch(`${url}/express`)).text(), 'express', 'what no route has is passed on');
    t.equal(await (await fetch(`${url}/later/x`)).text(), 'here');
    t.equal(await (await fetch(`${url}/later/late`)).text(), 'express has no /later/late');
    const post = (path: string) =>
      fetch(url + path, { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json' } });
    t.equal(await (await post('/later/late')).text(), 'ERR_NODE_BODY_TAKEN');
    t.strictSame(await (await post('/body')).json(), { a: 1 });
    t.strictSame(await (await post('/kept/body')).json(), { a: 1 });
    t.equal((await post('/lost/body')).status, 500);
  });

t.test('in Connect', async (t) => {
  const app = toNode(paths);
  const site = connect();
  site.use('/at', app as never);
  const { url } = await listen(t, site, app);
  t.strictSame(await (await fetch(`${url}/at/b?c`)).json(), ['/at', '/b', '/b', '/at/b?c', '/at/b?c']);
  t.strictSame(await (await fetch(`${url}/at?c`)).json(), ['/at', '', '', '/at?c', '/at?c']);
});

t.test('a body that was parsed before says so', async (t) => {
  const logger = recorder();
  const app = toNode(async (environ) => new WsgiResponse({ content: await environ['wsgi.input'].read() }), {
    logger,
  });
  const site = express();
  site.use(express.json(), app);
  const { url } = await listen(t, site, app);
  const response = await fetch(url, {
    method: 'POST',
    body: '{}',
    headers: { 'content-type': 'application/json' },
  });
  t.equal(response.status, 500);
  t.match(logger.lines[0]?.details, { err: { code: 'ERR_NODE_BODY_READ' } });
});

t.test('parts start with the first request, and stop', async (t) => {
  const calls: string[] = [];
  const part: App = () => new WsgiResponse({ content: calls.join() });
  part.start = () => {
    calls.push('start');
  };
  part.stop = () => {
    calls.push('stop');
  };
  const app = toNode(part);
  const { url } = await listen(t, app);
  t.equal(await (await fetch(url)).text(), 'start');
  await app.stop();
  t.strictSame(calls, ['start', 'stop']);
  t.equal((await fetch(url)).status, 503);
  const failing = toNode(
    Object.assign((() => new WsgiResponse()) as App, { start: () => Promise.reject(new Error('no')) }),
    {
      logger: recorder(),
    },
  );
  const other = await listen(t, failing);
  t.equal((await fetch(other.url)).status, 500);
});

t.test('a request that comes while the parts start, and they are stopped', async (t) => {
  let begin = () => {};
  const calls: string[] = [];
  const part: App = () => new WsgiResponse({ content: 'served' });
  part.start = () =>
    new Promise<void>((resolve) => {
      begin = resolve;
    }).then(() => {
      calls.push('start');
    });
  part.stop = () => {
    calls.push('stop');
  };
  const app = toNode(part);
  const { url } = await listen(t, app);
  const asked = fetch(url);
  const started = app.start();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const stopped = app.stop();
  begin();
  await started;
  t.equal((await asked).status, 503);
  await stopped;
  t.strictSame(calls, ['start', 'stop']);
});

t.test('behind compression(), as a whole and in pieces', async (t) => {
  const app = toNode(
    lint((environ, startResponse) => {
      startResponse('200 OK', [['Content-Type', 'text/plain']]);
      if (environ.PATH_INFO === '/whole') return ['x'.repeat(5000)];
      return (async function* () {
        for (let i = 0; i < 200; i++) {
          yield `${i}`.repeat(5000);
          await null;
        }
      })();
    }),
  );
  const site = express();
  site.use(compression(), app);
  const { url } = await listen(t, site, app);
  const whole = await fetch(`${url}/whole`);
  t.equal(whole.headers.get('content-encoding'), 'gzip');
  t.equal((await whole.text()).length, 5000);
  const stream = await fetch(`${url}/stream`);
  t.equal(stream.headers.get('content-encoding'), 'gzip');
  t.equal((await stream.text()).length, 5000 * (10 + 90 * 2 + 100 * 3));
});

t.test('a response that was begun', async (t) => {
  const app = toNode(paths);
  const { url } = await listen(t, (request, response) => {
    response.writeHead(200);
    try {
      app(request, response);
    } catch (error) {
      response.end((error as { code: string }).code);
    }
  });
  t.equal(await (await fetch(url)).text(), 'ERR_NODE_RESPONSE_STARTED');
});
