import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import fastifyMultipart from '@fastify/multipart';
import fastify from 'fastify';
import { runApp } from '../../lib/child.mjs';

const LARGEST_BYTES = 2 ** 31;
const [, , row, folder] = process.argv;

async function readAway(request) {
  const hash = request.url === '/checked' ? createHash('sha256') : undefined;
  let bytes = 0;
  for await (const part of request.parts()) {
    for await (const chunk of part.file) {
      bytes += chunk.length;
      hash?.update(chunk);
    }
  }
  return { bytes, sha256: hash?.digest('hex') };
}

async function save(request) {
  let bytes = 0;
  for await (const part of request.parts()) {
    const file = createWriteStream(join(folder, randomUUID()), { flags: 'wx', mode: 0o600 });
    await pipeline(part.file, file);
    bytes += file.bytesWritten;
  }
  return { bytes };
}

await runApp(async () => {
  const server = fastify({ logger: false, bodyLimit: LARGEST_BYTES });
  server.register(fastifyMultipart, { limits: { fileSize: LARGEST_BYTES } });
  server.post('*', row.startsWith('saved') ? save : readAway);
  await server.listen({ host: '127.0.0.1', port: 0 });
  return server.server.address().port;
});
