import type { HeaderPair } from '../core/contract.js';
import { describeValue, isPlainObject, isThenable, requireKnown, requireOptions } from '../core/errors.js';
import { own } from '../core/own.js';
import { plainResponse, WsgiResponse } from '../core/wsgi-response.js';

/** What a helper's response may have beside its content. */
export interface ResponseOptions {
  /** @defaultValue 200 */
  status?: number;
  headers?: Iterable<HeaderPair>;
}

const JSON_TYPE = 'application/json';
const OPTIONS = ['status', 'headers'] as const;

/**
 * A response in JSON.
 * @throws {TypeError} for what JSON has no form for: undefined, a function, a cycle, a BigInt; for a promise
 * @example return json({ id: 5 }, { status: 201 })
 */
export function json(value: unknown, options?: ResponseOptions): WsgiResponse {
  if (options !== undefined) requireKnown('json', requireOptions('json', options), OPTIONS);
  const content = stringifyJson(value, 'json()');
  return options === undefined
    ? plainResponse(content, JSON_TYPE)
    : new WsgiResponse({ ...options, content, contentType: JSON_TYPE });
}

/**
 * A value as JSON.
 * @param owner - named in errors: `json()`
 * @throws {TypeError} as {@link json} does
 */
export function stringifyJson(value: unknown, owner: string): string {
  const remedy = findRemedy(value);
  if (remedy !== undefined)
    throw new TypeError(
      `${owner} takes a value that JSON can state; received ${describeValue(value)}: ${remedy}`,
    );
  const content = JSON.stringify(value);
  if (content === undefined)
    throw new TypeError(
      `${owner} needs a value that JSON can state, such as null; received ${describeValue(value)}`,
    );
  return content;
}

/** What to do about an object that JSON states as `{}`, whatever it holds. */
function findRemedy(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || 'toJSON' in value)
    return undefined;
  if (isThenable(value)) {
    void own(Promise.resolve(value));
    return 'await it, and give what it gives';
  }
  if (isPlainObject(value)) return undefined;
  if (value instanceof Map) return 'give Object.fromEntries(map)';
  if (value instanceof Set) return 'give [...set]';
  if (value instanceof Response) return 'a Response of fetch is no response here: give json() its value';
  if (value instanceof Blob) return 'give blob.stream() as the content of a WsgiResponse';
  return undefined;
}
