import type { Middleware } from '../core/contract.js';
import { joinPatterns, type PathPattern } from './path-pattern.js';
import { paramNames, type Route } from './route.js';
import { joinSites, type RouteSite } from './route-site.js';

/** What a router gives its routes. */
export interface Surroundings {
  /** Of a router that is mounted. */
  readonly prefix: PathPattern | undefined;
  readonly middleware: readonly Middleware[];
  readonly site: RouteSite | undefined;
  /** For routes that do not say it themselves. */
  readonly accepts: readonly string[] | undefined;
  readonly produces: readonly string[] | undefined;
}

/**
 * A route as its router has it: behind the router's middleware, below the prefix of a router that is mounted, and with what
 * it does not say itself.
 * @throws {TypeError} for parameters of the same name, and hosts or schemes of which no request has both
 */
export function nestRoute(route: Route, around: Surroundings): Route {
  const { prefix, middleware, accepts, produces } = around;
  const pattern = prefix === undefined ? route.pattern : joinPatterns(prefix, route.pattern);
  const site = joinSites(around.site, route.site, pattern.source);
  if (site !== undefined) paramNames(pattern, site);
  // An application that is mounted decides itself what it takes and gives.
  const isPart = 'part' in route.target;
  return {
    ...route,
    pattern,
    site,
    middleware: [...middleware, ...route.middleware],
    accepts: isPart ? undefined : (route.accepts ?? accepts),
    produces: isPart ? undefined : (route.produces ?? produces),
  };
}
