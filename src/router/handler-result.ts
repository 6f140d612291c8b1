import { type Body, type MiddlewareResult, TAKEN } from '../core/contract.js';
import { describeValue, isPlainObject, VelaError } from '../core/errors.js';
import { WsgiResponse } from '../core/wsgi-response.js';
import { json } from '../response/json.js';
import { Reply, toResponse } from './reply.js';

/**
 * What a handler may return: a response, or a `reply()`; text, sent as text/plain; bytes; an iterable or stream of chunks; any other object
 * or array, sent as JSON; nothing, which passes the request on.
 */
export type HandlerResult = WsgiResponse | string | object | typeof TAKEN | undefined | null | void;

/** Said of an empty text too, which is an answer like others. */
const TEXT = 'text/plain; charset=utf-8';

/**
 * A handler's result as a response.
 * @param type - the media type that was chosen for the client; undefined where the route does not choose
 * @throws {VelaError} `ERR_ROUTE_RESULT` for a number, a boolean, a function, a symbol; for an object where the type is not JSON
 */
export function toResult(result: unknown, where: () => string, type: string | undefined): MiddlewareResult {
  // What most give comes first: the questions below take time.
  if (isPlainObject(result) && !isBody(result as object)) return toJson(result as object, where, type);
  if (result === undefined || result === null || result instanceof WsgiResponse || result === TAKEN)
    return result as MiddlewareResult;
  if (typeof result === 'string')
    return type === undefined
      ? new WsgiResponse({ content: result, contentType: TEXT })
      : new WsgiResponse({ content: result, contentType: withCharset(type) });
  if (typeof result === 'object' && !(result instanceof Error)) {
    if (result instanceof Reply) return toResponse(result);
    if (result instanceof ArrayBuffer) return toResult(new Uint8Array(result), where, type);
    if (!isBody(result)) return toJson(result, where, type);
    const response = new WsgiResponse({ content: ArrayBuffer.isView(result) ? toBytes(result) : result });
    if (response.getHeader('content-type') === undefined)
      response.headers.push(['Content-Type', type ?? 'application/octet-stream']);
    return response;
  }
  throw new VelaError(
    'ERR_ROUTE_RESULT',
    `The handler of ${where()} must return a response, text, bytes, an iterable, an object for JSON, or nothing; it returned ${describeValue(result)}`,
  );
}

function toBytes({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function toJson(value: object, where: () => string, type: string | undefined): WsgiResponse {
  if (type === undefined || type === 'application/json') return json(value);
  if (/^[^;]+[/+]json(?:;|$)/i.test(type)) return json(value, { headers: [['Content-Type', type]] });
  throw new VelaError(
    'ERR_ROUTE_RESULT',
    `The handler of ${where()} was to answer with ${type}, and returned ${describeValue(value)}, which can only become JSON: look at request.responseType, and return text, bytes or a response`,
  );
}

/** Text is sent as UTF-8; types other than text/* say so themselves, or have no charset. */
function withCharset(type: string): string {
  return /^text\//i.test(type) && !/; *charset=/i.test(type) ? `${type}; charset=utf-8` : type;
}

/** An array is JSON; what else can be iterated is a body. */
function isBody(value: object): value is Body {
  if (Array.isArray(value) || value instanceof Map || value instanceof Set) return false;
  return Symbol.iterator in value || Symbol.asyncIterator in value || ArrayBuffer.isView(value);
}
