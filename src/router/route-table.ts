import { type PathMatch, PathTree } from './path-tree.js';
import { convertParams, type Route } from './route.js';

/** The methods that a path answers by itself: HEAD as GET does. */
const STANDARD = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
/** Stands for every method that no route names. */
const OTHER = '*';

/** Routes in the order of their declaration, by method and path. */
export class RouteTable {
  readonly routes: readonly Route[];
  readonly #trees = new Map<string, PathTree<Route>[]>();

  constructor(routes: readonly Route[]) {
    this.routes = routes;
    const methods = new Set([...STANDARD, OTHER, ...routes.flatMap((route) => route.methods ?? [])]);
    for (const method of methods) this.#trees.set(method, buildTrees(routes, method));
  }

  /** The first route that takes a method and a path. @param after - the rank of the one that did not want it */
  find(method: string, path: string, after?: number): PathMatch<Route> | undefined {
    const trees = this.#trees.get(method) ?? this.#trees.get(OTHER);
    if (trees === undefined) return undefined;
    let first: PathMatch<Route> | undefined;
    for (let i = 0; i < trees.length; i++) {
      const match = findConverted(trees[i] as PathTree<Route>, path, after);
      if (match !== undefined && (first === undefined || match.rank < first.rank)) first = match;
    }
    return first;
  }

  /** The methods that a path answers, for Allow (RFC 9110 §10.2.1); none when there is no such path. */
  allowed(path: string): string[] {
    const allowed = [...this.#trees.keys()].filter(
      (method) => method !== OTHER && this.find(method, path) !== undefined,
    );
    return allowed.length === 0 || allowed.includes('OPTIONS') ? allowed : [...allowed, 'OPTIONS'];
  }
}

/** The first whose converters take the parameters. */
function findConverted(
  tree: PathTree<Route>,
  path: string,
  after: number | undefined,
): PathMatch<Route> | undefined {
  let match = tree.find(path, after);
  while (match !== undefined && !convertParams(match.value, match.params))
    match = tree.find(path, match.rank);
  return match;
}

function takes({ methods }: Route, method: string): boolean {
  if (methods === undefined) return true;
  return methods.includes(method) || (method === 'HEAD' && methods.includes('GET'));
}

/** One for each way to compare paths: most tables have one way. */
function buildTrees(routes: readonly Route[], method: string): PathTree<Route>[] {
  const trees = new Map<string, PathTree<Route>>();
  for (const [order, route] of routes.entries()) {
    if (!takes(route, method)) continue;
    const key = `${route.policy.sensitive} ${route.policy.trailing}`;
    const tree = trees.get(key) ?? new PathTree<Route>(route.policy);
    trees.set(key, tree);
    tree.add(route.pattern, route, order);
  }
  return [...trees.values()];
}
