import type { RequestListener } from 'node:http';
import type { HttpServerOptions } from './http-server-options.js';
import { Server } from './server.js';

/**
 * In place of node:http's: `createServer(app).listen(3000)`.
 * @param options - those of node:http, and `gateway`
 * @param listener - called for each request
 * @throws {ImproperlyConfigured} for another gateway
 */
export function createServer(listener?: RequestListener): Server;
export function createServer(options: HttpServerOptions, listener?: RequestListener): Server;
export function createServer(
  options?: HttpServerOptions | RequestListener,
  listener?: RequestListener,
): Server {
  return new Server(options, listener);
}
