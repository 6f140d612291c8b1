import { pipeline } from 'node:stream';
import { ACCEPT, chunks, FIXED_HEADERS, HELLO, LARGE, LIMIT_BYTES, nextRequestId, USER_AGENT } from './answers.mjs';
import { countBytes } from './count-bytes.mjs';

const answerHello = (res) => res.set('Content-Type', 'text/plain').send(HELLO);

const middleware = [
  (req, res, next) => (req.method === 'TRACE' ? res.status(405).end() : next()),
  (req, res, next) => (req.path.startsWith('/admin') ? res.status(403).end() : next()),
  (req, res, next) => (req.headers.host === undefined ? res.status(400).end() : next()),
];

/** The rows of core, by the interface of Express: each puts its routes into an application. */
export const apps = {
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

  /** @param raw the framework's own reader of bodies */
  post: (server, raw) =>
    server.post('/', raw({ limit: LIMIT_BYTES }), (req, res) => {
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

  upload: (server) =>
    server.post('/', (req, res) => {
      countBytes(req, (size) => res.set('Content-Type', 'text/plain').send(String(size)));
    }),
};

