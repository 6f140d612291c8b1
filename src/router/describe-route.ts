import type { Middleware, PartDescription } from '../core/contract.js';
import { describeParts } from '../core/parts.js';
import type { Route } from './route.js';
import type { RouteContract } from './route-contract.js';

/** What `routes()` says of a route. */
export interface RouteDescription {
  /** Undefined for all methods. */
  readonly methods: readonly string[] | undefined;
  readonly path: string;
  readonly name: string | undefined;
  /** Of the route and the routers around it; several must all fit. */
  readonly host: string | undefined;
  readonly scheme: 'http' | 'https' | undefined;
  readonly accepts: readonly string[] | undefined;
  readonly produces: readonly string[] | undefined;
  /** The name of the handler's function; undefined for one without, and where something is mounted. */
  readonly handler: string | undefined;
  /** The names of what runs before the handler, in order. */
  readonly middleware: readonly string[];
  /** What an application that is mounted here says of itself. */
  readonly mounted: PartDescription | undefined;
  /** The route before it that takes all its requests, so that none reaches it: `GET /users/:id`. */
  readonly unreachable: string | undefined;
}

/** A route with what it says of its requests and responses: what descriptions of an API are made of. */
export interface RouteOperation extends RouteDescription {
  readonly contract: RouteContract;
}

/** @param unreachable - the route that takes all its requests */
export function describeRoute(route: Route, unreachable: string | undefined): RouteDescription {
  const { methods, pattern, name, site, accepts, produces, middleware, target } = route;
  const hosts = site?.hosts.map(({ source }) => source) ?? [];
  return {
    methods,
    path: pattern.source,
    name,
    host: hosts.length === 0 ? undefined : hosts.join(', '),
    scheme: site?.scheme,
    accepts,
    produces,
    handler: 'handler' in target && target.handler.name !== '' ? target.handler.name : undefined,
    middleware: middleware.map(nameOf),
    mounted: 'part' in target ? describeParts([target.part])[0] : undefined,
    unreachable,
  };
}

function nameOf(middleware: Middleware): string {
  return describeParts([middleware])[0]?.name ?? 'anonymous';
}
