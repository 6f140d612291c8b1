import type { StandardSchemaV1 } from '../request/standard-schema.js';
import type { ParamOptions } from './converters.js';
import type { RouteOptions } from './route.js';
import type { ConvertedParams, HostedPath, RouteHandler } from './route-request.js';
import type { CheckedResult, ResponseOption, SchemaOptions, Valid } from './schema-options.js';

/** Adds a route: a path, perhaps options, and its handler. `Self` is what it gives: the router. */
export interface AddRoute<Self, Host extends string = ''> {
  <const Path extends string>(
    path: Path,
    handler: RouteHandler<ConvertedParams<HostedPath<Path, Host>, object>>,
  ): Self;
  <
    const Path extends string,
    const P extends ParamOptions | StandardSchemaV1 = Record<never, never>,
    const Own extends string = '',
    const Type extends string = never,
    Q extends StandardSchemaV1 | undefined = undefined,
    H extends StandardSchemaV1 | undefined = undefined,
    B extends StandardSchemaV1 | undefined = undefined,
    R extends ResponseOption | undefined = undefined,
  >(
    path: Path,
    options: RouteOptions<P, Own, Type> & SchemaOptions<B, Q, H, R> & ParamsContext,
    handler: RouteHandler<
      ConvertedParams<HostedPath<Path, Host, Own>, P>,
      Valid<P, Q, H, B>,
      CheckedResult<R>,
      ResponseTypeOf<Type>
    >,
  ): Self;
}

/** Tells the compiler that a function among converters takes a text, while what they all are is still to be inferred. */
interface ParamsContext {
  params?: ParamOptions | StandardSchemaV1;
}

/** What a handler knows of the media type to answer with. */
export type ResponseTypeOf<Type extends string> = [Type] extends [never] ? string | undefined : Type;
