import { CoverTree, endsOpen } from './cover-tree.js';
import { findConverter } from './declared-routes.js';
import { matchHost } from './host-pattern.js';
import { isInRange } from './media-types.js';
import { expandPattern, type FlatToken } from './path-pattern.js';
import type { Route } from './route.js';
import { takesMethod } from './route-table.js';

/**
 * Routes that no request reaches, each with a route before it that takes its requests. What is found is certain as long as
 * those handlers answer; a route that passes requests on by design hides nothing, nor does an application that is mounted.
 */
export function findUnreachable(routes: readonly Route[]): Map<Route, Route> {
  const unreachable = new Map<Route, Route>();
  const sensitive = new CoverTree(true);
  const insensitive = new CoverTree(false);
  for (const route of routes) {
    const ways = expandPattern(route.pattern.tokens);
    // What tells upper and lower case apart covers nothing that does not.
    const trees = route.policy.sensitive ? [sensitive, insensitive] : [insensitive];
    const cover = findCover(route, ways, trees);
    if (cover !== undefined) unreachable.set(route, cover);
    if (route.passesOn || 'part' in route.target) continue;
    const tree = route.policy.sensitive ? sensitive : insensitive;
    for (const tokens of ways) tree.add(route, tokens);
  }
  return unreachable;
}

/** A route that takes requests of another; undefined unless every way and method of it is taken by some. */
function findCover(
  route: Route,
  ways: readonly (readonly FlatToken[])[],
  trees: readonly CoverTree[],
): Route | undefined {
  let first: Route | undefined;
  for (const tokens of ways) {
    for (const isLonger of endsOpen(route, tokens) ? [false, true] : [false]) {
      const covers = trees
        .flatMap((tree) => tree.find(route, tokens, isLonger))
        .filter((cover) => isNarrower(route, cover));
      for (const method of methodsOf(route)) {
        const cover = covers.find((one) =>
          method === undefined ? one.methods === undefined : takesMethod(one, method),
        );
        if (cover === undefined) return undefined;
        first ??= cover;
      }
    }
  }
  return first;
}

/** All methods that a route takes; undefined stands for those that no list has. */
function methodsOf({ methods }: Route): readonly (string | undefined)[] {
  if (methods === undefined) return [undefined];
  return methods.includes('GET') ? [...methods, 'HEAD'] : methods;
}

/** Whether what a route asks for beside path and method is all that another asks for. */
function isNarrower(route: Route, { site, accepts, produces, params }: Route): boolean {
  const own = route.site;
  if (site !== undefined) {
    if (site.scheme !== undefined && site.scheme !== own?.scheme) return false;
    for (const host of site.hosts) {
      if (host.names.some((name) => findConverter(params, name) !== undefined)) return false;
      const isTaken = own?.hosts.some(
        ({ source, regexp }) =>
          source === host.source || (regexp === undefined && matchHost(host, source, {})),
      );
      if (isTaken !== true) return false;
    }
  }
  if (
    accepts !== undefined &&
    route.accepts?.every((one) => accepts.some((range) => isInRange(one, range))) !== true
  )
    return false;
  return produces === undefined || route.produces?.every((one) => produces.includes(one)) === true;
}
