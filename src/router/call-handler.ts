import type { MiddlewareFunction, MiddlewareResult, StartResponse } from '../core/contract.js';
import { isThenable } from '../core/errors.js';
import { requestOf } from '../request/wsgi-request.js';
import { toResult } from './handler-result.js';
import type { RouteHandler, RouteRequest } from './route-request.js';

/** A route's handler as a middleware: it gets the request, and what it returns becomes a response. */
export function callHandler(handler: RouteHandler<never>, where: () => string): MiddlewareFunction {
  const conclude = (result: unknown) => toResult(result, where);
  if (handler.length > 1) return callStarter(handler, conclude);
  return (environ, startResponse) => {
    const result: unknown = handler(requestOf(environ) as RouteRequest<never>, startResponse);
    return isThenable(result) ? (result as PromiseLike<unknown>).then(conclude) : conclude(result);
  };
}

/** A handler that may start the response itself: what it returns then is the body, as in the contract. */
function callStarter(
  handler: RouteHandler<never>,
  conclude: (result: unknown) => MiddlewareResult,
): MiddlewareFunction {
  return (environ, startResponse) => {
    let isStarted = false;
    const start: StartResponse = (status, headers, excInfo) => {
      isStarted = true;
      return startResponse(status, headers, excInfo);
    };
    const finish = (value: unknown) => (isStarted ? (value as MiddlewareResult) : conclude(value));
    const result: unknown = handler(requestOf(environ) as RouteRequest<never>, start);
    return isThenable(result) ? (result as PromiseLike<unknown>).then(finish) : finish(result);
  };
}
