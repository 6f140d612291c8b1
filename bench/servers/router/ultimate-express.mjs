import express from 'ultimate-express';
import { runRow } from '../../lib/child.mjs';
import { ROUTES, STATIC_ANSWER } from '../../lib/router-answers.mjs';

const middleware = [
  (req, res, next) => (req.method === 'TRACE' ? res.status(405).end() : next()),
  (req, res, next) => (req.path.startsWith('/admin') ? res.status(403).end() : next()),
  (req, res, next) => (req.headers.host === undefined ? res.status(400).end() : next()),
];

const apps = {
  routes(server) {
    server.get('/', (_req, res) => res.json(STATIC_ANSWER));
    for (const path of ROUTES) server.get(path, (req, res) => res.json({ id: req.params.id }));
  },

  stack(server) {
    for (const pass of middleware) server.use(pass);
    apps.routes(server);
  },
};

function listen(app) {
  const server = express({ threads: 0 });
  server.disable('etag');
  server.disable('x-powered-by');
  // Simple handlers would be compiled into native answers that run no handler, which is not what the table compares.
  server.disable('declarative responses');
  app(server);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server.port));
  });
}

await runRow(apps, listen);
