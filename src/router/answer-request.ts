import type { Environ, MiddlewareFunction, MiddlewareResult, StartResponse } from '../core/contract.js';
import { isThenable } from '../core/errors.js';
import { BadRequest } from '../core/http-error.js';
import type { PathMatch } from './path-tree.js';
import type { ReadyRoute } from './ready-route.js';
import { refuseMedia, refuseMethod } from './refuse-request.js';
import { hasRequestSchemas } from './route-contract.js';
import { chooseType } from './route-media.js';
import type { RouteTable } from './route-table.js';
import { setRoute } from './set-route.js';
import { SkipRoute } from './skip-route.js';

/** What becomes of requests for a path that is there, and not for them. */
export interface Refusals {
  /** 405, and OPTIONS. */
  readonly methods: boolean;
  /** 415 and 406. */
  readonly types: boolean;
}

type Result = MiddlewareResult | PromiseLike<MiddlewareResult>;

/**
 * Lets the routes that match answer a request, one after the other.
 * @param after - the rank of the route that did not want it
 */
export function answerRequest(
  table: RouteTable,
  refusals: Refusals,
  environ: Environ,
  startResponse: StartResponse,
  after?: number,
): Result {
  let from = after;
  for (;;) {
    const match = findMatch(table, environ, from);
    if (match === undefined) return giveUp(table, refusals, environ, from !== undefined);
    const { value: route, params } = match;
    setRoute(environ, route, params);
    if (route.media?.produces !== undefined) environ['vela.response_type'] = chooseType(route.media, environ);
    let result: Result;
    try {
      result = runCalls(route.calls, 0, environ, startResponse);
    } catch (error) {
      if (!(error instanceof SkipRoute)) throw error;
    }
    if (Array.isArray(result)) return result as MiddlewareResult;
    if (isThenable(result)) {
      // In a function of its own: with a closure in this one, every request would pay for it.
      const goOn = passOn(table, refusals, environ, startResponse, match);
      return awaitResult(result as PromiseLike<MiddlewareResult>, goOn);
    }
    if (result !== undefined && result !== null) return result;
    leave(environ, route);
    from = match.lastRank;
  }
}

/** Leaves a request to the routes behind the one that did not want it. */
function passOn(
  table: RouteTable,
  refusals: Refusals,
  environ: Environ,
  startResponse: StartResponse,
  { value: route, lastRank }: PathMatch<ReadyRoute>,
): () => Result {
  return () => {
    leave(environ, route);
    return answerRequest(table, refusals, environ, startResponse, lastRank);
  };
}

function awaitResult(result: PromiseLike<MiddlewareResult>, goOn: () => Result): Result {
  return result.then(
    (value) => value ?? goOn(),
    (error) => {
      if (error instanceof SkipRoute) return goOn();
      throw error;
    },
  );
}

/** @throws {BadRequest} for a path whose parameters have bad escapes */
function findMatch(
  table: RouteTable,
  environ: Environ,
  after: number | undefined,
): PathMatch<ReadyRoute> | undefined {
  try {
    return table.find(environ, environ.REQUEST_METHOD, after);
  } catch (error) {
    throw toBadRequest(error);
  }
}

/** No route takes the request. @param isPassedOn - some did, and left it @throws {HttpError} */
function giveUp(
  table: RouteTable,
  refusals: Refusals,
  environ: Environ,
  isPassedOn: boolean,
): MiddlewareResult {
  if (isPassedOn) setRoute(environ, undefined, undefined);
  try {
    const known = table.hasMedia ? table.findAll(environ, environ.REQUEST_METHOD) : [];
    if (refusals.types) refuseMedia(known, environ);
    return isPassedOn || !refusals.methods || known.length > 0 ? undefined : refuseMethod(table, environ);
  } catch (error) {
    throw toBadRequest(error);
  }
}

function toBadRequest(error: unknown): unknown {
  return error instanceof URIError ? new BadRequest('The path has a malformed escape') : error;
}

/** What a route has left there is not for the next. */
function leave(environ: Environ, { media, contract }: ReadyRoute): void {
  if (media?.produces !== undefined) environ['vela.response_type'] = undefined;
  if (hasRequestSchemas(contract)) environ['vela.valid'] = undefined;
}

/** Calls one after the other until one answers. */
function runCalls(
  calls: readonly MiddlewareFunction[],
  from: number,
  environ: Environ,
  startResponse: StartResponse,
): Result {
  for (let i = from; i < calls.length; i++) {
    const result = (calls[i] as MiddlewareFunction)(environ, startResponse);
    if (result === undefined || result === null) continue;
    if (Array.isArray(result) || !isThenable(result)) return result;
    return result.then((value) => value ?? runCalls(calls, i + 1, environ, startResponse));
  }
  return undefined;
}
