import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { runRow } from '../../lib/child.mjs';
import { ROUTES, STATIC_ANSWER } from '../../lib/router-answers.mjs';

const middleware = [
  (c, next) => (c.req.method === 'TRACE' ? c.body(null, 405) : next()),
  (c, next) => (c.req.path.startsWith('/admin') ? c.body(null, 403) : next()),
  (c, next) => (c.req.header('host') === undefined ? c.body(null, 400) : next()),
];

const apps = {
  routes(server) {
    server.get('/', (c) => c.json(STATIC_ANSWER));
    for (const path of ROUTES) server.get(path, (c) => c.json({ id: c.req.param('id') }));
  },

  stack(server) {
    for (const pass of middleware) server.use(pass);
    apps.routes(server);
  },
};

function listen(app) {
  const server = new Hono();
  app(server);
  return new Promise((resolve) => {
    serve({ fetch: server.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => resolve(port));
  });
}

await runRow(apps, listen);
