import type { Environ, HeaderPair } from '../core/contract.js';
import { HttpError, MethodNotAllowed, Unsupported } from '../core/http-error.js';
import { WsgiResponse } from '../core/wsgi-response.js';
import type { ReadyRoute } from './ready-route.js';
import { chooseType, takesContent } from './route-media.js';
import type { RouteTable } from './route-table.js';

/** A path that is there for other methods only. @throws {MethodNotAllowed} */
export function refuseMethod(table: RouteTable, environ: Environ): WsgiResponse | undefined {
  const allowed = table.allowed(environ);
  if (allowed.length === 0) return undefined;
  if (environ.REQUEST_METHOD !== 'OPTIONS') throw new MethodNotAllowed(allowed);
  const patches = table.findAll(environ, 'PATCH').flatMap(({ accepts }) => accepts ?? []);
  const headers: HeaderPair[] = [['Allow', allowed.join(', ')]];
  if (patches.length > 0) headers.push(['Accept-Patch', listTypes(patches)]);
  return new WsgiResponse({ status: 204, headers });
}

/**
 * A path and method whose routes take other types. Where a route takes the body, it is the answer's type that does not fit.
 * @param routes - all that match
 * @throws {Unsupported} 415 for the body's type
 * @throws {HttpError} 406 for the types that the client takes
 */
export function refuseMedia(routes: readonly ReadyRoute[], environ: Environ): void {
  const refused: string[] = [];
  const offered: string[] = [];
  for (const { media } of routes) {
    if (media === undefined) continue;
    if (!takesContent(media, environ)) refused.push(...(media.accepts ?? []));
    else if (media.produces !== undefined && chooseType(media, environ) === undefined)
      offered.push(...media.produces);
  }
  if (offered.length > 0) throw new HttpError(406, `There is no other type than ${listTypes(offered)}`);
  if (refused.length === 0) return;
  const types = listTypes(refused);
  const method = environ.REQUEST_METHOD;
  const headers: HeaderPair[] = [['Accept', types]];
  if (method === 'POST') headers.push(['Accept-Post', types]);
  if (method === 'PATCH') headers.push(['Accept-Patch', types]);
  throw new Unsupported(`A body must be of the type ${types}`, { headers });
}

function listTypes(types: readonly string[]): string {
  return [...new Set(types)].join(', ');
}
