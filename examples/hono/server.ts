/**
 * A Hono application on Vela: routes, CORS, ETags, Basic authentication, signed cookies, uploads, streams.
 * The same application on node:http: `npm run example -- hono/node`.
 */
import { WsgiServer } from 'vela';
import { fromFetch } from 'vela/adapters';
import { createApp } from './app.js';

await new WsgiServer(fromFetch(createApp())).start();
