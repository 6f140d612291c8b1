import { fromNode } from '../adapters/from-node.js';
import type { NodeListener } from '../adapters/node-exchange.js';
import { type ServeOptions, serve } from '../server/serve.js';
import type { Server } from '../server/start-server.js';

/**
 * Serves a request listener of node:http in this process, with Vela's settings, limits and logs: `serve(fromNode(listener))`.
 * @param listener - an Express application, `koa.callback()`, `fastify.routing`, or a function of your own
 * @throws {ImproperlyConfigured} for wrong options, and for what is no function; errors of listening with their `code`
 * @example const server = await serveNode(express(), { bind: '127.0.0.1:8060' })
 */
export async function serveNode(listener: NodeListener, options: ServeOptions = {}): Promise<Server> {
  return serve(fromNode(listener), options);
}
