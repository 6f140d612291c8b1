import type { AppFunction } from '../core/contract.js';
import { describeValue, ImproperlyConfigured } from '../core/errors.js';
import { NodeExchange, type NodeListener } from './node-exchange.js';
import type { LocalSide } from './request-socket.js';

const NOWHERE: LocalSide = { peer: (address) => address };

/**
 * Makes an application of a request listener of node:http: an Express, Connect or Restify application, `koa.callback()`,
 * `fastify.routing`, or a function of your own. It gets node:http's own `IncomingMessage` and `ServerResponse`.
 *
 * What it throws, or rejects with, becomes an error response. Below a prefix `request.url` is the rest of the path;
 * `request.originalUrl` is all of it and `request.baseUrl` the prefix, as in Express.
 * @param listener - `(request, response) => unknown`
 * @throws {ImproperlyConfigured} for what is no function
 */
export function fromNode(listener: NodeListener): AppFunction {
  if (typeof listener !== 'function')
    throw new ImproperlyConfigured(
      `fromNode() takes a request listener, such as an Express application, koa.callback(), fastify.routing after await fastify.ready(), or getRequestListener(app.fetch) of Hono; received ${describeValue(listener)}`,
    );
  return (environ, startResponse) => new NodeExchange(environ, startResponse, NOWHERE).run(listener);
}
