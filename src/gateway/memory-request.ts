import { Exchange } from '../core/exchange.js';
import { Incoming } from '../core/incoming.js';
import type { RequestHead } from '../core/request-fields.js';
import type { Service } from '../core/service.js';
import type { MemoryResponse } from './memory-transport.js';

/** A request in memory. */
export interface MemoryRequest {
  readonly method: string;
  /** Undecoded. */
  readonly path: string;
  readonly query: string | undefined;
  /** Names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** -1 when it is not known. */
  readonly bodyBytes: number;
  /** Aborting it is the client going away. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Hands a request to an application.
 * @param response - takes the answer
 * @returns a function by which the client goes away
 */
export function answerInMemory(
  service: Service<MemoryResponse>,
  response: MemoryResponse,
  { method, path, query, headers, bodyBytes, signal }: MemoryRequest,
): (reason: Error) => void {
  const head: RequestHead = {
    getQuery: () => query,
    getHeader: (name) => headers.find((pair) => pair[0] === name)?.[1] ?? '',
    forEach(callback) {
      for (const [name, value] of headers) callback(name, value);
    },
  };
  const length = head.getHeader('content-length');
  const incoming = new Incoming(service, response, method, path, head, undefined, length, bodyBytes, false);
  const exchange = new Exchange(service, response, incoming);
  const leave = (reason: Error) => {
    response.lose(reason);
    exchange.aborted();
  };
  const onAbort = () => leave(signal?.reason as Error);
  signal?.addEventListener('abort', onAbort, { once: true });
  exchange.run();
  if (signal?.aborted === true) onAbort();
  return leave;
}
