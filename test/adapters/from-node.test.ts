/** Listeners of node:http as applications: below a prefix, held against Express in Express. */

import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import t from 'tap';
import { fromNode } from '../../src/adapters/index.js';
import { serve, WsgiHandler } from '../../src/index.js';
import { mount } from '../../src/middleware/index.js';
import { Router } from '../../src/router/index.js';

const ask = async (url: string) => {
  const response = await fetch(url, { redirect: 'manual' });
  const location = response.headers.get('location');
  return { status: response.status, ...(location === null ? { body: await response.text() } : { location }) };
};

t.test('below a prefix a listener is told of it as Express tells', async (t) => {
  const folder = t.testdir({});
  await mkdir(`${folder}/sub`);
  await writeFile(`${folder}/sub/index.html`, 'page');
  const site = express();
  site.use('/static', express.static(folder));
  const users = express.Router();
  users.get('/:id', ({ url, baseUrl, originalUrl }, response) => {
    response.json({ url, baseUrl, originalUrl });
  });
  users.get('/:id/edit', (request, response) => response.redirect(`${request.baseUrl}/${request.params.id}`));
  site.use('/users', users);
  site.use(({ url, baseUrl, originalUrl }, response) => {
    response.json({ url, baseUrl, originalUrl });
  });

  const other = createServer(express().use('/old%20one', site).use('/a/b', site)).listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.teardown(() => other.close());
  const { port } = other.address() as AddressInfo;
  const app = fromNode(site);
  const server = await serve(
    new WsgiHandler([mount('/old one', app), new Router().mount('/a', new Router().mount('/b', app))]),
    { bind: '127.0.0.1:0' },
  );
  t.teardown(() => server.close());
  for (const path of [
    '/static/sub?v=1',
    '/static/sub/',
    '/users/7?x=1',
    '/users/7/edit',
    '/users/%C3%A4',
    '/',
    '',
    '?q',
  ])
    for (const prefix of ['/old%20one', '/a/b'])
      t.strictSame(
        await ask(`${server.url}${prefix}${path}`),
        await ask(`http://127.0.0.1:${port}${prefix}${path}`),
        `${prefix}${path}`,
      );
});

t.test('without a prefix a listener finds no trace of one', async (t) => {
  const listener: RequestListener = (request, response) => {
    const { originalUrl, baseUrl } = request as IncomingMessage & { originalUrl?: string; baseUrl?: string };
    response.end(JSON.stringify([request.url, originalUrl ?? null, baseUrl ?? null]));
  };
  const server = await serve(fromNode(listener), { bind: '127.0.0.1:0' });
  t.teardown(() => server.close());
  t.strictSame(await ask(`${server.url}/x?y`), { status: 200, body: '["/x?y",null,null]' });
});
