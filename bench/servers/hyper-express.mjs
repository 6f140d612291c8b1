import { Readable } from 'node:stream';
import HyperExpress from 'hyper-express';
import { ACCEPT, chunks, FIXED_HEADERS, HELLO, LARGE, LIMIT_BYTES, nextRequestId, USER_AGENT } from '../lib/answers.mjs';
import { runRow } from '../lib/child.mjs';

const answerHello = (res) => res.header('Content-Type', 'text/plain').send(HELLO);

const middleware = [
  (req, res, next) => (req.method === 'TRACE' ? res.status(405).send() : next()),
  (req, res, next) => (req.path.startsWith('/admin') ? res.status(403).send() : next()),
  (req, res, next) => (req.headers.host === undefined ? res.status(400).send() : next()),
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
      if (req.headers['user-agent'] !== USER_AGENT || req.headers.accept !== ACCEPT) res.status(400).send();
      else answerHello(res);
    }),

  post: (server) =>
    server.post('/', async (req, res) => {
      const body = await req.buffer();
      res.header('Content-Type', 'application/octet-stream').send(body);
    }),

  headers: (server) =>
    server.get('/', (_req, res) => {
      for (const [name, value] of FIXED_HEADERS) res.header(name, value);
      res.header('X-Request-Id', nextRequestId()).send(HELLO);
    }),

  large: (server) =>
    server.get('/', (_req, res) => {
      res.header('Content-Type', 'application/octet-stream').send(LARGE);
    }),

  stream: (server) =>
    server.get('/', async (_req, res) => {
      await res.header('Content-Type', 'application/octet-stream').stream(Readable.from(chunks()));
    }),
};

async function listen(app) {
  const server = new HyperExpress.Server({ fast_buffers: true, max_body_length: LIMIT_BYTES });
  app(server);
  await server.listen(0, '127.0.0.1');
  return server.port;
}

await runRow(apps, listen);
