/** `vela/http`: node:http's createServer, on uWebSockets.js. */

export { createServer } from './create-server.js';
export type { HttpServerOptions } from './http-server-options.js';
export { serveNode } from './serve-node.js';
export { Server } from './server.js';
