/**
 * A Hono application on Vela: routes, CORS, ETags, Basic authentication, signed cookies, uploads, streams.
 * The same application on node:http: `npm run example -- hono/node`.
 */
import { getRequestListener } from '@hono/node-server';
import { WsgiServer } from 'vela';
import { fromNode } from 'vela/adapters';
import { createApp } from './app.js';

await new WsgiServer(fromNode(getRequestListener(createApp().fetch))).start();
