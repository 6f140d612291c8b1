import HyperExpress from 'hyper-express';
import { runRow } from '../../lib/child.mjs';
import { ROUTES, STATIC_ANSWER } from '../../lib/router-answers.mjs';

const middleware = [
  (req, res, next) => (req.method === 'TRACE' ? res.status(405).send() : next()),
  (req, res, next) => (req.path.startsWith('/admin') ? res.status(403).send() : next()),
  (req, res, next) => (req.headers.host === undefined ? res.status(400).send() : next()),
];

const apps = {
  routes(server) {
    server.get('/', (_req, res) => res.json(STATIC_ANSWER));
    for (const path of ROUTES) server.get(path, (req, res) => res.json({ id: req.path_parameters.id }));
  },

  stack(server) {
    for (const pass of middleware) server.use(pass);
    apps.routes(server);
  },
};

async function listen(app) {
  const server = new HyperExpress.Server({ fast_buffers: true });
  app(server);
  await server.listen(0, '127.0.0.1');
  return server.port;
}

await runRow(apps, listen);
