import { serve, WsgiHandler } from '../../../dist/index.js';
import { MediaRouter } from '../../../dist/static/index.js';
import { runApp } from '../../lib/child.mjs';

const [, , , gateway, root] = process.argv;

await runApp(async () => {
  const app = new WsgiHandler([new MediaRouter({ root, cacheControl: 'public, max-age=0' })]);
  const server = await serve(app, { bind: '127.0.0.1:0', gateway });
  return server.address.port;
});
