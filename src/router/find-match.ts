import type { Environ } from '../core/contract.js';
import { BadRequest, MethodNotAllowed } from '../core/http-error.js';
import { WsgiResponse } from '../core/wsgi-response.js';
import type { PathMatch } from './path-tree.js';
import type { Route } from './route.js';
import type { RouteTable } from './route-table.js';

/**
 * The route of a request.
 * @param after - the rank of the route that did not want it
 * @throws {BadRequest} for a path whose parameters have bad escapes
 */
export function findMatch(
  table: RouteTable,
  environ: Environ,
  after: number | undefined,
): PathMatch<Route> | undefined {
  try {
    return table.find(environ.REQUEST_METHOD, environ['vela.raw_path'], after);
  } catch (error) {
    if (error instanceof URIError) throw new BadRequest('The path has a malformed escape');
    throw error;
  }
}

/** A path that other methods are for. @throws {MethodNotAllowed} */
export function refuseMethod(table: RouteTable, environ: Environ): WsgiResponse | undefined {
  const allowed = table.allowed(environ['vela.raw_path']);
  if (allowed.length === 0) return undefined;
  if (environ.REQUEST_METHOD !== 'OPTIONS') throw new MethodNotAllowed(allowed);
  return new WsgiResponse({ status: 204, headers: [['Allow', allowed.join(', ')]] });
}
