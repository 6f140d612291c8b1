import { type Body, type MiddlewareResult, TAKEN } from '../core/contract.js';
import { describeValue, VelaError } from '../core/errors.js';
import { WsgiResponse } from '../core/wsgi-response.js';
import { json } from '../response/json.js';
import { Reply, toResponse } from './reply.js';

/**
 * What a handler may return: a response, or a `reply()`; text, sent as text/plain; bytes; an iterable or stream of chunks; any other object
 * or array, sent as JSON; nothing, which passes the request on.
 */
export type HandlerResult = WsgiResponse | string | object | typeof TAKEN | undefined | null | void;

/** A handler's result as a response. @throws {VelaError} `ERR_ROUTE_RESULT` for a number, a boolean, a function, a symbol */
export function toResult(result: unknown, where: () => string): MiddlewareResult {
  if (result === undefined || result === null || result instanceof WsgiResponse || result === TAKEN)
    return result as MiddlewareResult;
  if (typeof result === 'string') return new WsgiResponse({ content: result });
  if (typeof result === 'object' && !(result instanceof Error)) {
    if (result instanceof Reply) return toResponse(result);
    if (!isBody(result)) return json(result);
    const response = new WsgiResponse({ content: result });
    if (response.getHeader('content-type') === undefined)
      response.headers.push(['Content-Type', 'application/octet-stream']);
    return response;
  }
  throw new VelaError(
    'ERR_ROUTE_RESULT',
    `The handler of ${where()} must return a response, text, bytes, an iterable, an object for JSON, or nothing; it returned ${describeValue(result)}`,
  );
}

/** An array is JSON; what else can be iterated is a body. */
function isBody(value: object): value is Body {
  if (Array.isArray(value) || value instanceof Map || value instanceof Set) return false;
  return Symbol.iterator in value || Symbol.asyncIterator in value;
}
