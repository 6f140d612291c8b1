import type * as uWS from 'uWebSockets.js';
import { createRequire } from 'node:module';
import { VelaError } from '../core/errors.js';

export type {
  HttpRequest,
  HttpResponse,
  TemplatedApp,
  us_listen_socket,
  us_socket_context_t,
  WebSocket,
  WebSocketBehavior,
} from 'uWebSockets.js';

/** The module as it is exported: `_cfg` is in no published type. */
type Binding = typeof uWS & { _cfg(option: 'silent'): void };

/** Read by the native module once, when it is loaded: the largest request head in bytes. */
const HEAD_LIMIT_VARIABLE = 'UWS_HTTP_MAX_HEADERS_SIZE';

let loaded: { binding: Binding; maxHeadBytes: number } | undefined;

/**
 * Loads uWebSockets.js. The limit of a request's head is one for the process: it is fixed by the first server.
 * @throws {VelaError} `ERR_UWS_UNAVAILABLE` where there is no build for this platform, `ERR_UWS_HEAD_LIMIT` for
 * another limit than that of the first server
 */
export function loadUws(maxHeadBytes: number): Binding {
  if (loaded === undefined) {
    process.env[HEAD_LIMIT_VARIABLE] = String(maxHeadBytes);
    loaded = { binding: requireBinding(), maxHeadBytes };
    loaded.binding._cfg('silent');
  }
  if (loaded.maxHeadBytes !== maxHeadBytes) {
    throw new VelaError(
      'ERR_UWS_HEAD_LIMIT',
      `uWebSockets.js has one limit for request heads in a process, and it is ${loaded.maxHeadBytes} bytes already; give "maxHeadBytes" the same value, or use the node gateway`,
    );
  }
  return loaded.binding;
}

function requireBinding(): Binding {
  try {
    return createRequire(import.meta.url)('uWebSockets.js') as Binding;
  } catch (cause) {
    throw new VelaError(
      'ERR_UWS_UNAVAILABLE',
      `uWebSockets.js has no build for Node ${process.versions.node} on ${process.platform}-${process.arch}, or it is not installed; use the node gateway (--gateway node), or see docs/compatibility.md`,
      { cause },
    );
  }
}
