import type { HeaderPair } from '../core/contract.js';
import { describeValue } from '../core/errors.js';
import { WsgiResponse } from '../core/wsgi-response.js';

/** What a helper's response may have beside its content. */
export interface ResponseOptions {
  /** @defaultValue 200 */
  status?: number;
  headers?: Iterable<HeaderPair>;
}

/**
 * A response in JSON.
 * @throws {TypeError} for what JSON has no form for: undefined, a function, a cycle, a BigInt
 * @example return json({ id: 5 }, { status: 201 })
 */
export function json(value: unknown, options: ResponseOptions = {}): WsgiResponse {
  const content = JSON.stringify(value);
  if (content === undefined)
    throw new TypeError(
      `json() needs a value that JSON can state, such as null; received ${describeValue(value)}`,
    );
  return new WsgiResponse({ ...options, content, contentType: 'application/json' });
}
