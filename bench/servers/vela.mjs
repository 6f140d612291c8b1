import { serve } from '../../dist/index.js';
import { runRow } from '../lib/child.mjs';
import { apps } from '../lib/vela-apps.mjs';

async function listen(app) {
  const server = await serve(app, { bind: '127.0.0.1:0', gateway: 'uws' });
  return server.address.port;
}

await runRow(apps, listen);
