import { formatRoute } from './ready-route.js';
import type { Route } from './route.js';
import { formatSite } from './route-site.js';

/** @throws {TypeError} for a name that stands for two paths */
export function refuseSameNames(routes: readonly Route[]): void {
  const known = new Map<string, string>();
  for (const { name, pattern, site } of routes) {
    if (name === undefined) continue;
    const place = `${formatSite(site)}${pattern.source}`;
    const other = known.get(name) ?? place;
    if (other !== place)
      throw new TypeError(
        `Two routes have the name "${name}", which stands for one path: '${other}' and '${place}'`,
      );
    known.set(name, place);
  }
}

/** What to do about a route that no request reaches. @param cover - the one that takes its requests */
export function explainUnreachable(route: Route, cover: Route): string {
  return `No request reaches ${formatRoute(route)}: ${formatRoute(cover)}, declared before it, takes them all. Declare it first; or, if that one leaves requests to the next, say so among its options: passesOn: true`;
}

/** What to do about a route that is declared twice in a router. */
export function explainSame(route: Route): string {
  return `${formatRoute(route)} is declared twice, and the first takes all requests. If it leaves some to the next, say so among its options: passesOn: true`;
}
