import type { Middleware, MiddlewareFunction, Part } from '../core/contract.js';
import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import { resolveCallable } from '../core/parts.js';
import type { StandardSchemaV1 } from '../request/standard-schema.js';
import { type Converter, type ParamOptions, resolveConverter } from './converters.js';
import { isClass } from './is-class.js';
import { resolveAccepts, resolveProduces } from './media-types.js';
import { type PathPattern, type PathPolicy, patternNames } from './path-pattern.js';
import { CONTRACT_OPTIONS, type RouteContract } from './route-contract.js';
import type { AnyHandler } from './route-request.js';
import { joinSites, type RouteSite, resolveSite } from './route-site.js';

/** Options of a route. */
export interface RouteOptions<
  P extends ParamOptions | StandardSchemaV1 = ParamOptions | StandardSchemaV1,
  Host extends string = string,
  Type extends string = string,
> {
  /** For `url()`; a name is there once. */
  name?: string;
  /**
   * Makes values of parameters: converters by name, where one that gives undefined for a text makes the route not match;
   * or a schema for the object of all texts, where what it does not let through is 422 and what it makes is
   * `request.valid.params`.
   */
  params?: P;
  /** Runs before the handler, in order. */
  middleware?: readonly Middleware[];
  /** The host that it is for, without a port; it may have parameters: `:tenant.example.com`. */
  host?: Host;
  /** The scheme that it is for. */
  scheme?: 'http' | 'https';
  /** Media types of the bodies that it takes, or ranges of them: `image/*`. Others are 415. */
  accepts?: readonly string[];
  /** Media types that it answers with, the best first. A client that takes none of them gets 406. */
  produces?: readonly Type[];
  /**
   * Its handler leaves requests to the routes behind it by design, so these are not reported as never reached.
   * @defaultValue false
   */
  passesOn?: boolean;
}

const OPTIONS = [
  'name',
  'params',
  'middleware',
  'host',
  'scheme',
  'accepts',
  'produces',
  'passesOn',
] as const;

/** What is done about a route that no request reaches. */
export type UnreachablePolicy = 'warn' | 'refuse' | 'ignore';

/** What answers the requests of a route. */
export type RouteTarget =
  | { readonly handler: AnyHandler }
  /** An application below a prefix, and the call that lets it see the rest of the path. */
  | { readonly part: Part & { readonly name?: unknown }; readonly call: MiddlewareFunction };

/** What a router says of the routes that are declared in it. */
export interface RouteHome {
  readonly policy: PathPolicy;
  readonly unreachable: UnreachablePolicy;
  readonly site: RouteSite | undefined;
}

/** A route as it is declared; once it stands in a table, with what it has from the routers around it. */
export interface Route {
  /** In upper case; undefined for all methods. */
  readonly methods: readonly string[] | undefined;
  readonly pattern: PathPattern;
  readonly policy: PathPolicy;
  readonly name: string | undefined;
  /** What the converters were made of. */
  readonly params: ParamOptions;
  readonly converters: readonly (readonly [name: string, converter: Converter])[];
  /** What it says of its requests and responses. */
  readonly contract: RouteContract;
  /** Of the routers around it, then its own. */
  readonly middleware: readonly Middleware[];
  readonly target: RouteTarget;
  readonly site: RouteSite | undefined;
  readonly accepts: readonly string[] | undefined;
  readonly produces: readonly string[] | undefined;
  readonly passesOn: boolean;
  readonly unreachable: UnreachablePolicy;
}

/** @throws {TypeError} for options that a route with this pattern cannot have */
export function createRoute(
  methods: readonly string[] | undefined,
  pattern: PathPattern,
  home: RouteHome,
  options: RouteOptions<ParamOptions>,
  contract: RouteContract,
  target: RouteTarget,
): Route {
  const owner = 'a route';
  const { name, params = {}, middleware = [], host, scheme, ...rest } = requireOptions(owner, options);
  const { accepts, produces, passesOn = false, ...unknown } = rest;
  refuseUnknown(owner, unknown, [...OPTIONS, ...CONTRACT_OPTIONS]);
  if (name !== undefined && (typeof name !== 'string' || name === ''))
    throw new TypeError(`The name of a route must be text; received ${describeValue(name)}`);
  if (typeof passesOn !== 'boolean')
    throw new TypeError(
      `Option "passesOn" of ${owner} must be true or false; received ${describeValue(passesOn)}`,
    );
  const site = joinSites(home.site, resolveSite(owner, host, scheme), pattern.source);
  return {
    methods,
    pattern,
    policy: home.policy,
    name,
    params: requireOptions('params', params),
    converters: resolveConverters(params, paramNames(pattern, site), pattern.source),
    contract,
    middleware: requireMiddleware(middleware),
    target,
    site,
    accepts: resolveAccepts(owner, accepts),
    produces: resolveProduces(owner, produces),
    passesOn,
    unreachable: home.unreachable,
  };
}

/** The parameters of a path and of its host. @throws {TypeError} for a name that both have */
export function paramNames(pattern: PathPattern, site: RouteSite | undefined): string[] {
  const names = patternNames(pattern.tokens);
  if (site === undefined) return names;
  const known = [...names];
  for (const host of site.hosts) {
    const more = new Set(host.names);
    const twice = known.find((name) => more.has(name));
    if (twice !== undefined)
      throw new TypeError(
        `The path '${pattern.source}' and the host '${host.source}' both have a parameter "${twice}"`,
      );
    known.push(...more);
  }
  return known;
}

/** @throws {TypeError} unless it is a list of middleware */
export function requireMiddleware(middleware: unknown): readonly Middleware[] {
  if (!Array.isArray(middleware))
    throw new TypeError(`Option "middleware" must be an array; received ${describeValue(middleware)}`);
  for (const [index, one] of middleware.entries()) {
    resolveCallable(one as Middleware, `Element ${index} of the option "middleware"`);
    if (isClass(one))
      throw new TypeError(
        `Element ${index} of the option "middleware" is the class ${(one as { name: string }).name}: give what new makes of it`,
      );
  }
  return [...(middleware as Middleware[])];
}

function resolveConverters(
  params: ParamOptions,
  known: readonly string[],
  path: string,
): Route['converters'] {
  return Object.entries(params).map(([param, option]) => {
    if (!known.includes(param))
      throw new TypeError(
        `The path '${path}' has no parameter "${param}"; it has ${known.map((one) => `"${one}"`).join(', ') || 'none'}`,
      );
    return [param, resolveConverter(option, param)] as const;
  });
}
