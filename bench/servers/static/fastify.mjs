import fastifyStatic from '@fastify/static';
import fastify from 'fastify';
import { runApp } from '../../lib/child.mjs';

const root = process.argv[3];

await runApp(async () => {
  const server = fastify({ logger: false });
  server.register(fastifyStatic, { root });
  await server.listen({ host: '127.0.0.1', port: 0 });
  return server.server.address().port;
});
