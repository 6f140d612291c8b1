import type { Environ, Middleware, MiddlewareFunction } from '../core/contract.js';
import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import { OwnKeys } from '../core/own-keys.js';
import { resolveCallable } from '../core/parts.js';
import { type Converter, type ConverterOption, resolveConverter } from './converters.js';
import type { Params } from './params.js';
import { joinPatterns, type PathPattern, type PathPolicy, patternNames } from './path-pattern.js';

/** Converters of a route's parameters, by name. */
export type ParamOptions = Readonly<Record<string, ConverterOption>>;

/** Options of a route. */
export interface RouteOptions<P extends ParamOptions = ParamOptions> {
  /** For `url()`; a name is there once. */
  name?: string;
  /** Makes values of parameters; a converter that gives undefined for a text makes the route not match. */
  params?: P;
  /** Runs before the handler, in order. */
  middleware?: readonly Middleware[];
}

/** A route as it stands in the table: with what it has from the routers around it. */
export interface Route {
  /** In upper case; undefined for all methods. */
  readonly methods: readonly string[] | undefined;
  readonly pattern: PathPattern;
  readonly policy: PathPolicy;
  readonly name: string | undefined;
  readonly converters: readonly (readonly [name: string, converter: Converter])[];
  /** Of the routers around it, its own, then the handler. */
  readonly parts: readonly Middleware[];
  readonly calls: readonly MiddlewareFunction[];
}

/** @throws {TypeError} for options that a route with this pattern cannot have */
export function createRoute(
  methods: readonly string[] | undefined,
  pattern: PathPattern,
  policy: PathPolicy,
  options: RouteOptions,
  handler: MiddlewareFunction,
): Route {
  const { name, params = {}, middleware = [], ...unknown } = requireOptions('a route', options);
  refuseUnknown('a route', unknown, ['name', 'params', 'middleware']);
  if (name !== undefined && (typeof name !== 'string' || name === ''))
    throw new TypeError(`The name of a route must be text; received ${describeValue(name)}`);
  const known = patternNames(pattern.tokens);
  const converters = Object.entries(requireOptions('params', params)).map(([param, option]) => {
    if (!known.includes(param))
      throw new TypeError(
        `The path '${pattern.source}' has no parameter "${param}"; it has ${known.map((one) => `"${one}"`).join(', ') || 'none'}`,
      );
    return [param, resolveConverter(option, param)] as const;
  });
  const parts = [...requireMiddleware(middleware), handler];
  return { methods, pattern, policy, name, converters, parts, calls: resolveCalls(parts) };
}

/** A route as its router has it: behind the router's middleware, and below the prefix of a router that is mounted. */
export function mountRoute(
  route: Route,
  prefix: PathPattern | undefined,
  middleware: readonly Middleware[],
): Route {
  const parts = [...middleware, ...route.parts];
  const pattern = prefix === undefined ? route.pattern : joinPatterns(prefix, route.pattern);
  return { ...route, pattern, parts, calls: resolveCalls(parts) };
}

/** Puts what converters make in place of the texts. @returns false when one of them makes nothing */
export function convertParams({ converters }: Route, params: Params): boolean {
  for (const [name, convert] of converters) {
    const text = params[name];
    if (text === undefined) continue;
    const value = Array.isArray(text) ? convertList(text, convert) : convert(String(text));
    if (value === undefined) return false;
    params[name] = value;
  }
  return true;
}

/** @throws {TypeError} unless it is a list of middleware */
export function requireMiddleware(middleware: unknown): readonly Middleware[] {
  if (!Array.isArray(middleware))
    throw new TypeError(`Option "middleware" must be an array; received ${describeValue(middleware)}`);
  return [...(middleware as Middleware[])];
}

function resolveCalls(parts: readonly Middleware[]): MiddlewareFunction[] {
  return parts.map((one, index) => resolveCallable(one, `middleware ${index} of a route`));
}

function convertList(texts: readonly unknown[], convert: Converter): unknown[] | undefined {
  const values = texts.map((text) => convert(String(text)));
  return values.includes(undefined) ? undefined : values;
}

/** Where a route's parameters are for whatever has the environ. */
export function setRoute(environ: Environ, route: Route | undefined, params: Params | undefined): void {
  new RouteKeys(environ, route?.pattern.source, params);
}

class RouteKeys extends OwnKeys {
  'vela.route': string | undefined;
  'vela.params': Params | undefined;

  constructor(environ: Environ, route: string | undefined, params: Params | undefined) {
    super(environ);
    this['vela.route'] = route;
    this['vela.params'] = params;
  }
}
