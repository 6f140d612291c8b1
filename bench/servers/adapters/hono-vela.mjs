import { fromFetch } from '../../../dist/adapters/index.js';
import { serve } from '../../../dist/index.js';
import { runRow } from '../../lib/child.mjs';
import { createApp, rows } from '../../lib/hono-apps.mjs';

async function listen(row) {
  const [gateway = 'uws'] = process.argv.slice(3);
  const server = await serve(fromFetch(createApp(row)), { bind: '127.0.0.1:0', gateway });
  return server.address.port;
}

await runRow(rows, listen);
