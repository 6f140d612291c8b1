import express from 'express';
import { runRow } from '../lib/child.mjs';
import { apps } from '../lib/express-apps.mjs';

function listen(app) {
  const site = express();
  site.disable('etag');
  site.disable('x-powered-by');
  app(site, express.raw);
  return new Promise((resolve) => {
    const server = site.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });
}

await runRow(apps, listen);
