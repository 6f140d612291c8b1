import type { MiddlewareFunction } from '../core/contract.js';
import { resolveCallable } from '../core/parts.js';
import { callHandler } from './call-handler.js';
import type { Route } from './route.js';
import { type Choices, createMedia, type RouteMedia } from './route-media.js';

/** A route as requests meet it. */
export interface ReadyRoute extends Route {
  readonly media: RouteMedia | undefined;
  /** It takes whatever has its method and path. */
  readonly isUnconditional: boolean;
  /** The middleware, then the handler or application. */
  readonly calls: readonly MiddlewareFunction[];
}

/** Routes with all that can be known before there is a request. @throws {TypeError} for something that is no middleware */
export function readyRoutes(routes: readonly Route[]): ReadyRoute[] {
  const known = new Map<string, Choices>();
  return routes.map((route) => readyRoute(route, known));
}

function readyRoute(route: Route, known: Map<string, Choices>): ReadyRoute {
  const { middleware, target, site, converters, accepts, produces } = route;
  const calls = middleware.map((one, index) =>
    resolveCallable(one, `middleware ${index} of ${formatRoute(route)}`),
  );
  const last =
    'part' in target
      ? target.call
      : callHandler(target.handler, () => formatRoute(route), produces !== undefined);
  const media = createMedia(accepts, produces, known);
  const isUnconditional = site === undefined && media === undefined && converters.length === 0;
  return { ...route, media, isUnconditional, calls: [...calls, last] };
}

/** A route for people: `GET /users/:id`. */
export function formatRoute({ methods, pattern }: Pick<Route, 'methods' | 'pattern'>): string {
  return `${methods?.join(', ') ?? 'any method'} ${pattern.source}`;
}
