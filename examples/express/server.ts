/**
 * An Express application on Vela: sessions, uploads, compression, a proxy, and a part that blocks, in threads beside a native route.
 * The same application on node:http: `npm run example -- express/node`.
 */
import { middlewareInExecutor, Router, WsgiHandler, WsgiServer } from 'vela';
import { fromNode } from 'vela/adapters';
import { mount } from 'vela/middleware';
import { createApp } from './app.js';
import { startUpstream } from './upstream.js';

const native = new Router().get('/ping', () => 'pong\n');
const reports = middlewareInExecutor(new URL('./reports.ts', import.meta.url), { name: 'app' });
const express = fromNode(createApp({ upstream: await startUpstream() }));

await new WsgiServer(new WsgiHandler([native, mount('/reports', reports), express])).start();
