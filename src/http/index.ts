/** `vela/http`: node:http's createServer, on uWebSockets.js. */

export type { HttpServerOptions } from './http-server-options.js';
export { serveNode } from './serve-node.js';
export { createServer, Server } from './server.js';
