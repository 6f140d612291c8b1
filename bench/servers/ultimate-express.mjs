import express from 'ultimate-express';
import { runRow } from '../lib/child.mjs';
import { apps } from '../lib/express-apps.mjs';

function listen(app) {
  const server = express({ threads: 0 });
  server.disable('etag');
  server.disable('x-powered-by');
  // Constant handlers would be compiled into native answers that run no handler, which is not what the table compares.
  server.disable('declarative responses');
  app(server, express.raw);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server.port));
  });
}

await runRow(apps, listen);
