/** The same application on node:http. With `--import vela/http/register` this file too is served by uWebSockets.js. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { createApp } from './app.js';
import { createReports } from './reports.js';
import { startUpstream } from './upstream.js';

const app = createApp({ upstream: await startUpstream() });
const server = createServer(express().use('/reports', createReports()).use(app));
server.listen(Number(process.env.PORT ?? 8060), '127.0.0.1', () => {
  console.log(`ready on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
