/** `vela/http`: node:http's createServer, on uWebSockets.js. */

export { serveNode } from './serve-node.js';
export { createServer, type HttpServerOptions, Server } from './server.js';
