import { pipeline } from 'node:stream';
import express from 'ultimate-express';
import { ACCEPT, chunks, FIXED_HEADERS, HELLO, LARGE, LIMIT_BYTES, nextRequestId, USER_AGENT } from '../lib/answers.mjs';
import { runRow } from '../lib/child.mjs';

const answerHello = (res) => res.set('Content-Type', 'text/plain').send(HELLO);

const middleware = [
  (req, res, next) => (req.method === 'TRACE' ? res.status(405).end() : next()),
  (req, res, next) => (req.path.startsWith('/admin') ? res.status(403).end() : next()),
  (req, res, next) => (req.headers.host === undefined ? res.status(400).end() : next()),
];

const apps = {
  hello: (server) => server.get('/', (_req, res) => answerHello(res)),

  middleware(server) {
    for (const pass of middleware) server.use(pass);
    server.get('/', (_req, res) => answerHello(res));
  },

  async: (server) =>
    server.get('/', async (req, res) => {
      await null;
      if (req.headers['user-agent'] !== USER_AGENT || req.headers.accept !== ACCEPT) res.status(400).end();
      else answerHello(res);
    }),

  post: (server) =>
    server.post('/', express.raw({ limit: LIMIT_BYTES }), (req, res) => {
      res.set('Content-Type', 'application/octet-stream').send(req.body);
    }),

  headers: (server) =>
    server.get('/', (_req, res) => {
      for (const [name, value] of FIXED_HEADERS) res.set(name, value);
      res.set('X-Request-Id', nextRequestId()).send(HELLO);
    }),

  large: (server) =>
    server.get('/', (_req, res) => {
      res.set('Content-Type', 'application/octet-stream').send(LARGE);
    }),

  stream: (server) =>
    server.get('/', (_req, res) => {
      res.set('Content-Type', 'application/octet-stream');
      pipeline(chunks(), res, () => {});
    }),
};

function listen(app) {
  const server = express({ threads: 0 });
  server.disable('etag');
  server.disable('x-powered-by');
  // Constant handlers would be compiled into native answers that run no handler, which is not what the table compares.
  server.disable('declarative responses');
  app(server);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server.port));
  });
}

await runRow(apps, listen);
