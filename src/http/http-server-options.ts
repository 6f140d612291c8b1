import type { ServerOptions } from 'node:http';
import { describeValue, ImproperlyConfigured } from '../core/errors.js';

/** Options of `createServer`: those of node:http, and the gateway. */
export interface HttpServerOptions extends ServerOptions {
  /**
   * `uws` serves on uWebSockets.js, `node` on node:http itself, `auto` on uWebSockets.js unless the server has listeners of
   * 'upgrade', 'connect' or 'connection' when it begins to listen, or is to listen on a handle, or is not to keep the process up
   * (`unref`), or has an option such as `ServerResponse` or `uniqueHeaders`, which only node:http can do.
   * @defaultValue 'auto'
   */
  readonly gateway?: 'auto' | 'uws' | 'node' | undefined;
}

/**
 * @param name - where it was given
 * @throws {ImproperlyConfigured} for another gateway
 */
export function readGateway(
  given: unknown,
  name = 'Option "gateway" of createServer()',
): 'auto' | 'uws' | 'node' {
  if (given === undefined) return 'auto';
  if (given === 'auto' || given === 'uws' || given === 'node') return given;
  throw new ImproperlyConfigured(`${name} is "auto", "uws" or "node"; received ${describeValue(given)}`);
}

/** How applications that are no function are given as a listener, by a method that they have. */
const LISTENERS = [
  ['callback', 'app.callback() of Koa'],
  ['routing', 'fastify.routing after await fastify.ready()'],
  ['fetch', 'getRequestListener(app.fetch) of @hono/node-server'],
] as const;

/** @throws {ImproperlyConfigured} for an application in the place of options, of which node:http would see none */
export function refuseApplication(options: object): void {
  const found = LISTENERS.find(([method]) => typeof Reflect.get(options, method) === 'function');
  if (found !== undefined)
    throw new ImproperlyConfigured(
      `createServer() takes a listener, such as ${found[1]}; received ${describeValue(options)}`,
    );
}
