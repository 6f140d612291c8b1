/**
 * A Fastify application on Vela: schemas, plugins, hooks, signed cookies, uploads, static files, streams, its own logger.
 * The same application on node:http: `npm run example -- fastify/node`.
 */
import { WsgiServer } from 'vela';
import { fromNode } from 'vela/adapters';
import { createApp } from './app.js';

const app = await createApp();
await app.ready();

await new WsgiServer(fromNode(app.routing)).start();
