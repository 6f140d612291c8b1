import type { StartResponse } from '../core/contract.js';
import { describeValue } from '../core/errors.js';
import type { StandardSchemaV1 } from '../request/standard-schema.js';
import type { WsgiRequest } from '../request/wsgi-request.js';
import type { Converted } from './converters.js';
import type { HandlerResult } from './handler-result.js';
import { isClass } from './is-class.js';
import type { PathParams } from './path-params.js';

/** The parameters of a path, some of them converted; a schema for all of them leaves them as they are. */
export type ConvertedParams<Path extends string, P> = P extends StandardSchemaV1
  ? PathParams<Path>
  : ConvertedBy<Path, P>;

type ConvertedBy<Path extends string, P> = {
  readonly [Name in keyof PathParams<Path>]: Name extends keyof P
    ? NonNullable<PathParams<Path>[Name]> extends readonly unknown[]
      ? Converted<P[Name]>[] | Extract<PathParams<Path>[Name], undefined>
      : Converted<P[Name]> | Extract<PathParams<Path>[Name], undefined>
    : PathParams<Path>[Name];
};

/** A path with the hosts before it, as far as parameters go. */
export type HostedPath<Path extends string, Host extends string, More extends string = ''> = string extends
  | Path
  | Host
  | More
  ? string
  : `${Host}` | `${More}` extends ''
    ? Path
    : `${Host}/${More}/${Path}`;

/**
 * The request that a route's handler gets: with the parameters of its path, what the route's schemas have made, and the media
 * type to answer with.
 */
export type RouteRequest<
  P extends object = object,
  V extends object = object,
  Type extends string | undefined = string | undefined,
> = WsgiRequest & { readonly params: P; readonly valid: V; readonly responseType: Type };

/** Answers the requests of a route. */
export type RouteHandler<
  P extends object = object,
  V extends object = object,
  R = HandlerResult,
  Type extends string | undefined = string | undefined,
> = (request: RouteRequest<P, V, Type>, startResponse: StartResponse) => R | PromiseLike<R>;

/** A handler, whatever its types. */
export type AnyHandler = RouteHandler<never, never, HandlerResult, never>;

/** @throws {TypeError} for what cannot be called */
export function requireHandler(path: string, handler: unknown): asserts handler is AnyHandler {
  if (isClass(handler))
    throw new TypeError(`The handler of '${path}' is a class: Router.resource() puts one at a path`);
  if (typeof handler !== 'function')
    throw new TypeError(
      `The route '${path}' needs a handler, a function (request) => response; received ${describeValue(handler)}`,
    );
}
