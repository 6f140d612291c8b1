import type { JsonRpcClientOptions } from './client-options.js';
import type { MethodsOf } from './client-types.js';
import { createClient, type JsonRpcClient } from './json-rpc-client.js';
import { connectNodeSocket } from './node-client-socket.js';

/**
 * A client of a JSON-RPC 2.0 server: over HTTP for `http:` and `https:`, over one WebSocket for `ws:` and `wss:`, which is opened when
 * it is first needed, and again after it was lost. For browsers there is the same in `vela/rpc/client`.
 *
 * A call that was not sent, as nobody listens, is tried again; one that may have been made only if it is said to be idempotent.
 * @typeParam H - the type of the server's {@link JsonRpcHandler}; without it every method takes and gives anything
 * @throws {TypeError} for another URL, and for a wrong option
 * @example const client = createJsonRpcClient<typeof rpc>('http://127.0.0.1:8060/rpc')
 */
export function createJsonRpcClient<H = unknown>(
  url: string | URL,
  options: JsonRpcClientOptions<keyof MethodsOf<H> & string> = {},
): JsonRpcClient<H> {
  return createClient<H>(url, options, connectNodeSocket);
}
