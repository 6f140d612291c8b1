import type { StartResponse } from '../core/contract.js';
import type { WsgiRequest } from '../request/wsgi-request.js';
import type { Converted } from './converters.js';
import type { HandlerResult } from './handler-result.js';
import type { PathParams } from './path-params.js';

/** The parameters of a path, some of them converted. */
export type ConvertedParams<Path extends string, P> = {
  readonly [Name in keyof PathParams<Path>]: Name extends keyof P
    ? NonNullable<PathParams<Path>[Name]> extends readonly unknown[]
      ? Converted<P[Name]>[] | Extract<PathParams<Path>[Name], undefined>
      : Converted<P[Name]> | Extract<PathParams<Path>[Name], undefined>
    : PathParams<Path>[Name];
};

/** The request that a route's handler gets: with the parameters of its path. */
export type RouteRequest<P extends object = object> = WsgiRequest & { readonly params: P };

/** Answers the requests of a route. */
export type RouteHandler<P extends object = object> = (
  request: RouteRequest<P>,
  startResponse: StartResponse,
) => HandlerResult | PromiseLike<HandlerResult>;
