import { describeValue, isThenable, VelaError } from '../core/errors.js';

/** What a fetch handler has given is no response. */
export function responseError(received: unknown): VelaError {
  return new VelaError(
    'ERR_FETCH_RESPONSE',
    `A fetch handler must return a Response, or a promise of one; received ${describeValue(received)}${remedy(received)}`,
  );
}

function remedy(received: unknown): string {
  if (received === undefined) return ': return one on every path';
  if (typeof received === 'string' || received instanceof Uint8Array) return ': return new Response(body)';
  return isThenable(received) ? ': await it' : '';
}

/** `Response.error()`. */
export function networkError(): VelaError {
  return new VelaError(
    'ERR_FETCH_RESPONSE',
    'A fetch handler returned Response.error(), which says that no response was had: return one with a status, such as 502',
  );
}

/** A response was returned whose body is gone. */
export function bodyUsedError(): VelaError {
  return new VelaError(
    'ERR_FETCH_BODY_USED',
    'A fetch handler returned a Response whose body was read, sent or locked before: make a new one for each request, or return response.clone()',
  );
}

/** An application has a status that a Response cannot have. */
export function statusError(status: string): VelaError {
  return new VelaError(
    'ERR_FETCH_STATUS',
    `A Response cannot have the status ${status}, so toFetch() answers 500: give one from 200 to 599`,
  );
}
