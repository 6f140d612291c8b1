import type { Middleware } from '../core/contract.js';
import { askNearest, describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import type { ResponseTypeOf } from './add-route.js';
import type { ParamOptions } from './converters.js';
import type { HandlerResult } from './handler-result.js';
import { type RouteOptions, requireMiddleware } from './route.js';
import type { AnyHandler, ConvertedParams, HostedPath, RouteHandler } from './route-request.js';

/**
 * The methods of a class that answer, in the order of their routes: GET's would take the requests of HEAD's. `all` is for every
 * method of HTTP that has none of its own.
 */
const VERBS = ['head', 'get', 'post', 'put', 'patch', 'delete', 'options', 'all'] as const;
type Verb = (typeof VERBS)[number];

/**
 * What a class may declare, as static fields, for its methods; subclasses and children have it where they say nothing else. In
 * a subclass undefined takes it back.
 */
export interface ResourceParameters {
  /** For `url()`. It is the class's own: children do not have it. */
  readonly routeName?: string | undefined;
  readonly params?: ParamOptions | undefined;
  /** That of a child runs after that of its parent. */
  readonly middleware?: readonly Middleware[] | undefined;
  readonly host?: string | undefined;
  readonly scheme?: 'http' | 'https' | undefined;
  readonly accepts?: readonly string[] | undefined;
  readonly produces?: readonly string[] | undefined;
  /** Classes below this one, by the path that leads to them. They are made with the same arguments. */
  readonly children?: Readonly<Record<string, ResourceClass>> | undefined;
}

/** A class whose methods are named by verbs. */
export type ResourceClass = (new (...args: never[]) => object) & ResourceParameters;

/** What a class must be to stand at a path: its verbs take the request of this path, and it has no other methods. */
export type ResourceAt<C extends ResourceClass, Path extends string, Host extends string> = new (
  ...args: never[]
) => {
  [Key in keyof InstanceType<C>]: Key extends Verb
    ? RouteHandler<
        ConvertedParams<HostedPath<Path, Host, HostOf<C>>, ParamsOf<C>>,
        object,
        HandlerResult,
        ResponseTypeOf<TypesOf<C>>
      >
    : InstanceType<C>[Key] extends (...args: never[]) => unknown
      ? Key extends `_${string}`
        ? unknown
        : never
      : unknown;
};

type HostOf<C> = C extends { host: infer Host extends string } ? Host : '';
type ParamsOf<C> = C extends { params: infer P } ? P : object;
type TypesOf<C> = C extends { produces: readonly (infer Type extends string)[] } ? Type : never;

/** A route of a class. */
export interface ResourceRoute {
  readonly methods: readonly string[] | undefined;
  readonly path: string;
  readonly options: RouteOptions;
  readonly handler: AnyHandler;
}

/** What children have of their parents. */
type Inherited = Omit<RouteOptions<ParamOptions>, 'name' | 'passesOn'>;

const PARAMETERS = [
  ...(['routeName', 'params', 'middleware', 'host'] as const),
  ...(['scheme', 'accepts', 'produces', 'children'] as const),
];

/**
 * The routes of a class and its children. Nothing of the class is left when requests come.
 * @throws {TypeError} for methods that are no verbs, and static fields that are no parameters
 */
export function resolveResource(
  path: string,
  resource: ResourceClass,
  args: readonly unknown[],
  inherited: Inherited = {},
  parents: readonly ResourceClass[] = [],
): ResourceRoute[] {
  const { routeName, children, ...own } = readParameters(resource);
  if (parents.includes(resource))
    throw new TypeError(
      `The class ${resource.name} is among its own children. A subclass has those of the class that it extends: take them back with static children = undefined`,
    );
  const shared = inherit(inherited, own);
  const instance = new resource(...(args as never[])) as Record<string, unknown>;
  const verbs = findVerbs(resource.name, instance);
  const routes = verbs.map((verb, index) => {
    const options = { ...shared, ...(index === 0 && routeName !== undefined ? { name: routeName } : {}) };
    const methods = verb === 'all' ? undefined : [verb.toUpperCase()];
    return { methods, path, options, handler: bind(resource.name, instance, verb) };
  });
  const below = Object.entries(children ?? {}).flatMap(([rest, child]) =>
    resolveResource(joinPath(resource, path, rest), child, args, shared, [...parents, resource]),
  );
  if (routes.length + below.length > 0) return [...routes, ...below];
  throw new TypeError(`The class ${resource.name} has no method named by a verb: ${VERBS.join(', ')}`);
}

/** @throws {TypeError} for a path that does not begin with a slash: it would be part of the last segment */
function joinPath(resource: ResourceClass, path: string, rest: string): string {
  if (/^\{*\//.test(rest)) return path.replace(/\/$/, '') + rest;
  throw new TypeError(
    `The paths of the children of the class ${resource.name} begin with a slash, { '/posts': Posts }; received ${describeValue(rest)}`,
  );
}

/** The static fields of a class and of those that it extends. */
function readParameters(resource: ResourceClass): ResourceParameters {
  if (typeof resource !== 'function' || typeof resource.prototype !== 'object')
    throw new TypeError(
      `Router.resource() takes a class whose methods are named by verbs; received ${describeValue(resource)}`,
    );
  const fields: Record<string, unknown> = {};
  for (let one: unknown = resource; isClassOrParent(one); one = Object.getPrototypeOf(one))
    for (const [name, value] of Object.entries(one as object))
      if (!name.startsWith('_') && !Object.hasOwn(fields, name)) fields[name] = value;
  const { children } = fields;
  const unknown = Object.entries(fields).filter(([name]) => !PARAMETERS.some((known) => known === name));
  refuseUnknown(`The class ${resource.name}`, Object.fromEntries(unknown), PARAMETERS);
  if (
    children !== undefined &&
    (typeof children !== 'object' || children === null || Array.isArray(children))
  )
    throw new TypeError(
      `The children of the class ${resource.name} must be classes by path, { '/posts': Posts }; received ${describeValue(children)}`,
    );
  return fields;
}

/** In another realm `Function.prototype` is another one. */
function isClassOrParent(one: unknown): one is ResourceClass {
  return typeof one === 'function' && 'prototype' in one;
}

function inherit(outer: Inherited, own: Omit<ResourceParameters, 'routeName' | 'children'>): Inherited {
  const middleware = [...(outer.middleware ?? []), ...requireMiddleware(own.middleware ?? [])];
  const params = { ...outer.params, ...requireOptions('params', own.params ?? {}) };
  const set = Object.entries(own).filter(([, value]) => value !== undefined);
  return { ...outer, ...(Object.fromEntries(set) as Inherited), middleware, params };
}

/** @throws {TypeError} for a method that is no verb */
function findVerbs(owner: string, instance: Record<string, unknown>): Verb[] {
  // The last is Object.prototype, of whichever realm.
  for (let one = parentOf(instance); one !== null && parentOf(one) !== null; one = parentOf(one)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(one))) {
      const isOther = name !== 'constructor' && !name.startsWith('_') && !VERBS.some((verb) => verb === name);
      if (isOther && typeof value === 'function')
        throw new TypeError(
          `The class ${owner} has a method "${name}", which is no verb${askNearest(name, VERBS)}: verbs are ${VERBS.join(', ')}. A helper is private, #${name}, or begins with _`,
        );
    }
  }
  const verbs = VERBS.filter((verb) => instance[verb] !== undefined);
  const wrong = verbs.find((verb) => typeof instance[verb] !== 'function');
  if (wrong === undefined) return verbs;
  throw new TypeError(
    `"${wrong}" of the class ${owner} must be a method; received ${describeValue(instance[wrong])}`,
  );
}

function parentOf(one: object): object | null {
  return Object.getPrototypeOf(one) as object | null;
}

function bind(owner: string, instance: Record<string, unknown>, verb: Verb): AnyHandler {
  const bound = (instance[verb] as AnyHandler).bind(instance);
  return Object.defineProperty(bound, 'name', { value: `${owner}.${verb}` });
}
