import type { ParamOptions, RouteOptions } from './route.js';
import type { ConvertedParams, HostedPath, RouteHandler } from './route-request.js';

/** Adds a route: a path, perhaps options, and its handler. `Self` is what it gives: the router. */
export interface AddRoute<Self, Host extends string = ''> {
  <const Path extends string>(
    path: Path,
    handler: RouteHandler<ConvertedParams<HostedPath<Path, Host>, object>>,
  ): Self;
  <
    const Path extends string,
    const P extends ParamOptions = Record<never, never>,
    const Own extends string = '',
    const Type extends string = never,
  >(
    path: Path,
    options: RouteOptions<P, Own, Type>,
    handler: RouteHandler<ConvertedParams<HostedPath<Path, Host, Own>, P>, ResponseTypeOf<Type>>,
  ): Self;
}

/** What a handler knows of the media type to answer with. */
export type ResponseTypeOf<Type extends string> = [Type] extends [never] ? string | undefined : Type;
