/** `vela/http`: node:http's createServer, on uWebSockets.js. */
export { createServer, type HttpServerOptions, Server } from './server.js';
export { serveNode } from './serve-node.js';
