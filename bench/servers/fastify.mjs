import { Readable } from 'node:stream';
import fastify from 'fastify';
import { ACCEPT, chunks, FIXED_HEADERS, HELLO, LARGE, LIMIT_BYTES, nextRequestId, USER_AGENT } from '../lib/answers.mjs';
import { runRow } from '../lib/child.mjs';
import { countBytes } from '../lib/count-bytes.mjs';

const answerHello = (reply) => reply.header('Content-Type', 'text/plain').send(HELLO);

const middleware = [
  (req, reply, next) => (req.method === 'TRACE' ? reply.code(405).send() : next()),
  (req, reply, next) => (req.url.startsWith('/admin') ? reply.code(403).send() : next()),
  (req, reply, next) => (req.headers.host === undefined ? reply.code(400).send() : next()),
];

const apps = {
  hello(server) {
    server.get('/', (_req, reply) => {
      answerHello(reply);
    });
  },

  middleware(server) {
    for (const pass of middleware) server.addHook('onRequest', pass);
    apps.hello(server);
  },

  async(server) {
    server.get('/', async (req, reply) => {
      await null;
      if (req.headers['user-agent'] !== USER_AGENT || req.headers.accept !== ACCEPT) return reply.code(400).send();
      return answerHello(reply);
    });
  },

  post(server) {
    const parse = (_req, body, done) => done(null, body);
    server.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, parse);
    server.post('/', (req, reply) => {
      reply.header('Content-Type', 'application/octet-stream').send(req.body);
    });
  },

  headers(server) {
    server.get('/', (_req, reply) => {
      for (const [name, value] of FIXED_HEADERS) reply.header(name, value);
      reply.header('X-Request-Id', nextRequestId()).send(HELLO);
    });
  },

  large(server) {
    server.get('/', (_req, reply) => {
      reply.header('Content-Type', 'application/octet-stream').send(LARGE);
    });
  },

  stream(server) {
    server.get('/', (_req, reply) => {
      reply.header('Content-Type', 'application/octet-stream').send(Readable.from(chunks()));
    });
  },

  upload(server) {
    const count = (_req, body, done) => countBytes(body, (size) => done(null, size));
    server.addContentTypeParser('application/octet-stream', count);
    server.post('/', (req, reply) => {
      reply.header('Content-Type', 'text/plain').send(String(req.body));
    });
  },
};

async function listen(app) {
  const server = fastify({ logger: false, bodyLimit: LIMIT_BYTES });
  app(server);
  await server.listen({ host: '127.0.0.1', port: 0 });
  return server.server.address().port;
}

await runRow(apps, listen);
