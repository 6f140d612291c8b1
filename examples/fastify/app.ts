/** A Fastify application as many are: it knows nothing of Vela. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import cookie from '@fastify/cookie';
import multipart from '@fastify/multipart';
import serveStatic from '@fastify/static';
import fastify, { type FastifyInstance, type FastifyPluginAsync, type FastifyServerOptions } from 'fastify';

const folder = fileURLToPath(new URL('public/', import.meta.url));

const orderSchema = {
  body: {
    type: 'object',
    required: ['item', 'count'],
    properties: { item: { type: 'string', minLength: 1 }, count: { type: 'integer', minimum: 1 } },
  },
  response: {
    201: {
      type: 'object',
      properties: { id: { type: 'integer' }, item: { type: 'string' }, count: { type: 'integer' } },
    },
  },
} as const;

/** @param options - of Fastify; `serverFactory` among them says what serves */
export async function createApp(options: FastifyServerOptions = {}): Promise<FastifyInstance> {
  const app: FastifyInstance = fastify({ logger: true, bodyLimit: 100_000, ...options });
  await app.register(cookie, { secret: 'not a secret' });
  await app.register(multipart, { limits: { files: 3, fileSize: 1_048_576 } });
  await app.register(serveStatic, { root: folder });
  app.addHook('onRequest', async (request, reply) => {
    reply.header('X-Request-Id', request.headers['x-request-id'] ?? 'none');
  });
  app.addHook('onSend', async (_request, reply, payload) => {
    reply.header('X-Content-Type-Options', 'nosniff');
    return payload;
  });
  await app.register(orders, { prefix: '/orders' });
  await app.register(streams);
  app.get('/visits', (request, reply) => {
    const last = request.unsignCookie(request.cookies.visits ?? '');
    const visits = (last.valid ? Number(last.value) : 0) + 1;
    return reply
      .setCookie('visits', String(visits), { path: '/', signed: true, httpOnly: true })
      .send({ visits });
  });
  app.post('/uploads', async (request, reply) => {
    const files = [];
    for await (const part of request.files()) {
      const bytes = await part.toBuffer();
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      files.push({ name: part.filename, type: part.mimetype, bytes: bytes.length, sha256 });
    }
    return reply.code(201).send({ files });
  });
  app.get('/boom', async () => {
    throw new Error('it went wrong');
  });
  return app;
}

const orders: FastifyPluginAsync = async (app) => {
  let id = 0;
  app.post('/', { schema: orderSchema }, async (request, reply) => {
    const { item, count } = request.body as { item: string; count: number };
    return reply.code(201).header('Location', `/orders/${++id}`).send({ id, item, count, hidden: true });
  });
  app.get<{ Params: { id: string } }>('/:id', async (request, reply) =>
    Number(request.params.id) <= id ? { id: Number(request.params.id) } : reply.callNotFound(),
  );
  app.delete('/:id', async (_request, reply) => reply.code(204).send());
};

const streams: FastifyPluginAsync = async (app) => {
  app.get<{ Params: { mib: string } }>('/large/:mib', (request, reply) => {
    const mib = Math.min(1000, Number(request.params.mib) || 1);
    return reply
      .type('application/octet-stream')
      .send(Readable.from(pieces(mib * 16), { objectMode: false }));
  });
  // As plugins for server-sent events do it: past Fastify, to the response of node:http.
  app.get('/events', async (_request, reply) => {
    reply.hijack();
    reply.raw.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
    for (let id = 1; id <= 3 && !reply.raw.destroyed; id++) {
      reply.raw.write(`id: ${id}\ndata: ${id * id}\n\n`);
      await sleep(20);
    }
    reply.raw.end();
  });
};

function* pieces(count: number): Generator<Buffer> {
  for (let n = 0; n < count; n++) yield Buffer.alloc(65_536, n);
}
