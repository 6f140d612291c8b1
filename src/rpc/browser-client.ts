import { connectBrowserSocket } from './browser-client-socket.js';
import type { JsonRpcClientOptions } from './client-options.js';
import type { MethodsOf } from './client-types.js';
import { createClient, type JsonRpcClient } from './json-rpc-client.js';

/** There in a page and its workers. */
declare const location: { readonly href: string } | undefined;

/**
 * The client of `vela/rpc` for browsers, and whatever else has the global `fetch` and `WebSocket`: it needs nothing of Node.
 * @param url - of http, https, ws or wss; in a page it may be relative to that: `/rpc`
 * @typeParam H - the type of the server's {@link JsonRpcHandler}; without it every method takes and gives anything
 * @throws {TypeError} for another URL, and for a wrong option
 * @example const client = createJsonRpcClient<typeof rpc>('/rpc')
 */
export function createJsonRpcClient<H = unknown>(
  url: string | URL,
  options: JsonRpcClientOptions<keyof MethodsOf<H> & string> = {},
): JsonRpcClient<H> {
  const base = typeof location === 'undefined' ? undefined : location.href;
  const client = createClient<H>(url, options, connectBrowserSocket, base);
  if (options.headers !== undefined && /^wss?:/i.test(String(url)))
    throw new TypeError(
      'createJsonRpcClient() of vela/rpc/client sends no "headers" with a WebSocket, as browsers cannot: put what the server asks for into the URL, or a cookie',
    );
  return client;
}
