import type { Environ } from '../core/contract.js';
import { convertParams } from './convert-params.js';
import { type PathMatch, PathTree } from './path-tree.js';
import type { ReadyRoute } from './ready-route.js';
import { fitsMedia } from './route-media.js';
import { findFixedHost, fitsSite, hostName, toHostKey } from './route-site.js';

/** The methods that a path answers by itself: HEAD as GET does. */
const STANDARD = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
/** Stands for every method that no route names. */
const OTHER = '*';

/** Of a method: one tree for each way to compare paths, and most tables have one way. */
interface MethodTrees {
  readonly anywhere: readonly PathTree<ReadyRoute>[];
  /** Of routes for one host alone: a thousand tenants with the same paths take no longer than one. */
  readonly byHost: ReadonlyMap<string, readonly PathTree<ReadyRoute>[]>;
}

/** Routes in the order of their declaration, by method and path. */
export class RouteTable {
  readonly routes: readonly ReadyRoute[];
  /** Some route asks for media types. */
  readonly hasMedia: boolean;
  readonly #trees = new Map<string, MethodTrees>();
  /** Of most requests. */
  readonly #getTrees: MethodTrees | undefined;
  /** Some route is for one host. */
  readonly #hasHosts: boolean;

  constructor(routes: readonly ReadyRoute[]) {
    this.routes = routes;
    this.hasMedia = routes.some(({ media }) => media !== undefined);
    this.#hasHosts = routes.some(({ site }) => findFixedHost(site) !== undefined);
    const methods = new Set([...STANDARD, OTHER, ...routes.flatMap((route) => route.methods ?? [])]);
    for (const method of methods) this.#trees.set(method, buildTrees(routes, method));
    this.#getTrees = this.#trees.get('GET');
  }

  /**
   * The first route that takes a request.
   * @param after - the rank of the one that did not want it
   * @param anyMedia - whatever types it sends and asks for
   * @throws {URIError} for a bad escape in a parameter
   */
  find(
    environ: Environ,
    method: string,
    after: number | undefined,
    anyMedia = false,
  ): PathMatch<ReadyRoute> | undefined {
    const trees = method === 'GET' ? this.#getTrees : (this.#trees.get(method) ?? this.#trees.get(OTHER));
    if (trees === undefined) return undefined;
    const first = findFirst(trees.anywhere, environ, after, anyMedia);
    if (!this.#hasHosts) return first;
    const here = trees.byHost.get(toHostKey(hostName(environ)));
    const other = here && findFirst(here, environ, after, anyMedia);
    return first === undefined || (other !== undefined && other.rank < first.rank) ? other : first;
  }

  /** All routes that take a request, whatever types it sends and asks for. */
  findAll(environ: Environ, method: string): ReadyRoute[] {
    const found: ReadyRoute[] = [];
    let match = this.find(environ, method, undefined, true);
    while (match !== undefined) {
      found.push(match.value);
      match = this.find(environ, method, match.lastRank, true);
    }
    return found;
  }

  /** The methods that a path answers, for Allow (RFC 9110 §10.2.1); none when there is no such path. */
  allowed(environ: Environ): string[] {
    const allowed = [...this.#trees.keys()].filter(
      (method) => method !== OTHER && this.find(environ, method, undefined, true) !== undefined,
    );
    return allowed.length === 0 || allowed.includes('OPTIONS') ? allowed : [...allowed, 'OPTIONS'];
  }
}

function findFirst(
  trees: readonly PathTree<ReadyRoute>[],
  environ: Environ,
  after: number | undefined,
  anyMedia: boolean,
): PathMatch<ReadyRoute> | undefined {
  // An application that is mounted at /x sees no path at /x: that is its root.
  const path = environ['vela.raw_path'] || '/';
  let first: PathMatch<ReadyRoute> | undefined;
  for (let i = 0; i < trees.length; i++) {
    const match = findFitting(trees[i] as PathTree<ReadyRoute>, path, environ, after, anyMedia);
    if (match !== undefined && (first === undefined || match.rank < first.rank)) first = match;
  }
  return first;
}

/** The first that is for this request. */
function findFitting(
  tree: PathTree<ReadyRoute>,
  path: string,
  environ: Environ,
  after: number | undefined,
  anyMedia: boolean,
): PathMatch<ReadyRoute> | undefined {
  let match = tree.find(path, after);
  while (match !== undefined && !fits(match, environ, anyMedia)) match = tree.find(path, match.rank);
  return match;
}

function fits({ value: route, params }: PathMatch<ReadyRoute>, environ: Environ, anyMedia: boolean): boolean {
  const { site, media } = route;
  if (route.isUnconditional) return true;
  if (site !== undefined && !fitsSite(site, environ, params)) return false;
  if (!convertParams(route, params)) return false;
  return media === undefined || anyMedia || fitsMedia(media, environ);
}

/** Whether a route is for a method: that of GET is for HEAD too. */
export function takesMethod({ methods }: Pick<ReadyRoute, 'methods'>, method: string): boolean {
  if (methods === undefined) return true;
  return methods.includes(method) || (method === 'HEAD' && methods.includes('GET'));
}

function buildTrees(routes: readonly ReadyRoute[], method: string): MethodTrees {
  const hosts = new Map<string | undefined, Map<string, PathTree<ReadyRoute>>>();
  for (const [order, route] of routes.entries()) {
    if (!takesMethod(route, method)) continue;
    const host = findFixedHost(route.site);
    const trees = hosts.get(host) ?? new Map<string, PathTree<ReadyRoute>>();
    hosts.set(host, trees);
    const key = `${route.policy.sensitive} ${route.policy.trailing}`;
    const tree = trees.get(key) ?? new PathTree<ReadyRoute>(route.policy);
    trees.set(key, tree);
    tree.add(route.pattern, route, order);
  }
  const byHost = new Map<string, PathTree<ReadyRoute>[]>();
  for (const [host, trees] of hosts) if (host !== undefined) byHost.set(host, [...trees.values()]);
  return { anywhere: [...(hosts.get(undefined)?.values() ?? [])], byHost };
}
