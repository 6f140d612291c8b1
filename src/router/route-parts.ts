import type { Part } from '../core/contract.js';
import { mergeDeclaredHeaders } from '../core/parts.js';
import type { Route } from './route.js';

/** What the router itself reads of a request's head, for routes that ask for it. */
const SITE_HEADERS = ['host'];
const MEDIA_HEADERS = ['accept', 'content-type', 'transfer-encoding'];

/** The middleware and applications of some routes, and the handlers that are started as well, each once. */
export function listParts(routes: readonly Route[]): Part[] {
  const parts = routes.flatMap(({ middleware, target }): readonly Part[] => {
    const last: Part = 'part' in target ? target.part : (target.handler as Part);
    const isPart = 'part' in target || last.start !== undefined || last.stop !== undefined;
    return isPart ? [...middleware, last] : middleware;
  });
  return [...new Set(parts)];
}

/** The headers that routes read, when all of their parts declare theirs; handlers do not, and nobody knows of routes to come. */
export function declareHeaders(routes: readonly Route[]): readonly string[] | undefined {
  if (routes.length === 0 || routes.some(({ target }) => 'handler' in target)) return undefined;
  const headers = mergeDeclaredHeaders(listParts(routes));
  if (headers === undefined) return undefined;
  const own = [
    ...(routes.some(({ site }) => site !== undefined) ? SITE_HEADERS : []),
    ...(routes.some(({ accepts, produces }) => accepts ?? produces) ? MEDIA_HEADERS : []),
  ];
  return [...new Set([...headers, ...own])];
}
