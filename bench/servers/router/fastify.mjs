import fastify from 'fastify';
import { runRow } from '../../lib/child.mjs';
import { ROUTES, STATIC_ANSWER } from '../../lib/router-answers.mjs';

const middleware = [
  (req, reply, next) => (req.method === 'TRACE' ? reply.code(405).send() : next()),
  (req, reply, next) => (req.url.startsWith('/admin') ? reply.code(403).send() : next()),
  (req, reply, next) => (req.headers.host === undefined ? reply.code(400).send() : next()),
];

const apps = {
  routes(server) {
    server.get('/', (_req, reply) => {
      reply.send(STATIC_ANSWER);
    });
    for (const path of ROUTES) {
      server.get(path, (req, reply) => {
        reply.send({ id: req.params.id });
      });
    }
  },

  stack(server) {
    for (const pass of middleware) server.addHook('onRequest', pass);
    apps.routes(server);
  },
};

async function listen(app) {
  const server = fastify({ logger: false });
  app(server);
  await server.listen({ host: '127.0.0.1', port: 0 });
  return server.server.address().port;
}

await runRow(apps, listen);
