import type { MiddlewareFunction } from '../core/contract.js';
import { refuseUnknown, requireOptions } from '../core/errors.js';
import { redirect } from '../response/redirect.js';
import { encodePath } from './encode-path.js';
import { optionError } from './option-error.js';

/** Options of {@link cleanPath}. */
export interface CleanPathOptions {
  /** 307 and 308 keep the method and the body; 301 and 308 are remembered (RFC 9110 §15.4). @defaultValue 308 */
  status?: 301 | 302 | 307 | 308;
}

const OWNER = 'cleanPath';
const STATUSES: readonly unknown[] = [301, 302, 307, 308];

/**
 * Redirects a path with empty segments, `/a//b`, to the one without, `/a/b`; the query is kept. The target is always on
 * this site: `//evil.com` becomes `/evil.com`. An encoded slash, `%2F`, is no separator and stays.
 * @example new WsgiHandler([cleanPath(), app])
 */
export function cleanPath(options: CleanPathOptions = {}): MiddlewareFunction {
  const { status = 308, ...unknown } = requireOptions(OWNER, options);
  refuseUnknown(OWNER, unknown, ['status']);
  if (!STATUSES.includes(status)) throw optionError(OWNER, 'status', '301, 302, 307 or 308', status);

  const cleanPathMiddleware: MiddlewareFunction = (environ) => {
    const path = environ['vela.raw_path'];
    if (!path.includes('//')) return undefined;
    const { SCRIPT_NAME, QUERY_STRING } = environ;
    // Browsers take a backslash for a slash, and a "#" for the end of the path.
    const clean = path
      .replaceAll('\\', '%5C')
      .replaceAll('#', '%23')
      .replace(/\/{2,}/g, '/');
    const query = QUERY_STRING === '' ? '' : `?${QUERY_STRING.replaceAll('#', '%23')}`;
    return redirect(`${encodePath(SCRIPT_NAME)}${clean}${query}`, { status });
  };
  cleanPathMiddleware.headers = [];
  cleanPathMiddleware.runsOn = 'request';
  return cleanPathMiddleware;
}
