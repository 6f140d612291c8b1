import { fileURLToPath } from 'node:url';
import express from 'express';
import { Piscina } from 'piscina';
import { runRow } from '../../lib/child.mjs';
import { HASH_THREADS } from '../../lib/executor-answers.mjs';

function listen(makeApp) {
  return new Promise((resolve, reject) => {
    const server = makeApp().listen(0, '127.0.0.1', (error) => (error ? reject(error) : resolve(server.address().port)));
  });
}

const apps = {
  hash() {
    const filename = fileURLToPath(new URL('./piscina-work.mjs', import.meta.url));
    const pool = new Piscina({ filename, minThreads: HASH_THREADS, maxThreads: HASH_THREADS });
    const app = express();
    app.get('/hash', async (_request, response) => response.json(await pool.run()));
    return app;
  },
};

await runRow(apps, listen);
