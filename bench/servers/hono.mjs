import { serve } from '@hono/node-server';
import { runRow } from '../lib/child.mjs';
import { createApp, rows } from '../lib/hono-apps.mjs';

function listen(row) {
  return new Promise((resolve) => {
    serve({ fetch: createApp(row).fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => resolve(port));
  });
}

await runRow(rows, listen);
