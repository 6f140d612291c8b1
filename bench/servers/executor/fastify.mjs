import { fileURLToPath } from 'node:url';
import Fastify from 'fastify';
import piscina from 'fastify-piscina';
import { runRow } from '../../lib/child.mjs';
import { HASH_THREADS } from '../../lib/executor-answers.mjs';

async function listen(makeApp) {
  const app = await makeApp();
  await app.listen({ port: 0, host: '127.0.0.1' });
  return app.server.address().port;
}

const apps = {
  async hash() {
    const filename = fileURLToPath(new URL('./piscina-work.mjs', import.meta.url));
    const app = Fastify();
    await app.register(piscina, { filename, minThreads: HASH_THREADS, maxThreads: HASH_THREADS });
    app.get('/hash', () => app.runTask());
    return app;
  },
};

await runRow(apps, listen);
