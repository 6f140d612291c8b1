import type { Environ, MiddlewareFunction, MiddlewareResult, StartResponse } from '../core/contract.js';
import { isThenable, VelaError } from '../core/errors.js';
import { requestOf } from '../request/wsgi-request.js';
import { toResult } from './handler-result.js';
import type { AnyHandler, RouteRequest } from './route-request.js';

/** Calls a handler with its request. */
type Call = (environ: Environ, startResponse: StartResponse) => unknown;
type Conclude = (result: unknown, environ: Environ) => MiddlewareResult;

/**
 * A route's handler as a middleware: it gets the request, and what it returns becomes a response.
 * @param isNegotiated - whether the request says which media type the response has
 */
export function callHandler(
  handler: AnyHandler,
  where: () => string,
  isNegotiated: boolean,
): MiddlewareFunction {
  const call: Call = (environ, startResponse) =>
    handler(requestOf(environ) as RouteRequest<never, never, never>, startResponse);
  const conclude: Conclude = isNegotiated
    ? (result, environ) => toResult(result, where, environ['vela.response_type'])
    : (result) => toResult(result, where, undefined);
  if (handler.length > 1) return callStarter(call, conclude, where);
  if (isNegotiated) return callAndConclude(call, conclude);
  // Without a closure for each request that does not wait.
  const concludePlain = (result: unknown) => toResult(result, where, undefined);
  return (environ, startResponse) => {
    const result = call(environ, startResponse);
    return isThenable(result) ? result.then(concludePlain) : concludePlain(result);
  };
}

function callAndConclude(call: Call, conclude: Conclude): MiddlewareFunction {
  return (environ, startResponse) => {
    const result = call(environ, startResponse);
    return isThenable(result) ? result.then((value) => conclude(value, environ)) : conclude(result, environ);
  };
}

/** A handler that may start the response itself: what it returns then is the body, as in the contract. */
function callStarter(call: Call, conclude: Conclude, where: () => string): MiddlewareFunction {
  return (environ, startResponse) => {
    let isStarted = false;
    const start: StartResponse = (status, headers, excInfo) => {
      isStarted = true;
      return startResponse(status, headers, excInfo);
    };
    const finish = (value: unknown) => {
      if (!isStarted) return conclude(value, environ);
      if (value === undefined || value === null) throw noBodyError(where());
      return value as MiddlewareResult;
    };
    const result = call(environ, start);
    return isThenable(result) ? result.then(finish) : finish(result);
  };
}

/** Passed on, the request would be answered twice. */
function noBodyError(where: string): VelaError {
  return new VelaError(
    'ERR_ROUTE_RESULT',
    `The handler of ${where} began the response and returned nothing: return the body, a list of texts or bytes, [] for none`,
  );
}
