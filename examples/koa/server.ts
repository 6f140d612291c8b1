/**
 * A Koa application on Vela: a router, bodies, sessions in a cookie, static files, compression, streams.
 * The same application on node:http: `npm run example -- koa/node`.
 */
import { WsgiServer } from 'vela';
import { fromNode } from 'vela/adapters';
import { createApp } from './app.js';

await new WsgiServer(fromNode(createApp().callback())).start();
