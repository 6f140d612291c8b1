import type { Router } from 'vela';

/** What httpbin.org takes where it takes everything; HEAD and OPTIONS come of themselves. */
export const ANY_METHOD = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE'] as const;

/** What is shown of a route on the home page. */
export interface ShownRoute {
  /** As in a request line. */
  readonly method: string;
  /** The pattern, below the prefix of its group. */
  readonly path: string;
  /** What it does, in a few words. */
  readonly text: string;
  /** Path and query of a request that works, where the pattern itself is none. */
  readonly example?: string;
  /** Of that request. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Routes that belong together: a router, and what is said of it. */
export interface RouteGroup {
  readonly title: string;
  /** Where the router is mounted. */
  readonly prefix: string;
  readonly router: Router;
  readonly routes: readonly ShownRoute[];
}

/** A path below its group's prefix, as a client has to write it. */
export function joinPath({ prefix }: RouteGroup, path: string): string {
  return prefix === '/' ? path : prefix + path;
}

/** The method that a route is tried with: the first that it names. */
export function tryMethod({ method }: ShownRoute): string {
  const [first = 'GET'] = method.split(', ');
  return first === 'ANY' ? 'GET' : first;
}
