import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import { BadRequest } from '../core/http-error.js';
import { WsgiResponse } from '../core/wsgi-response.js';

/** Options of {@link redirect}. */
export interface RedirectOptions {
  /** 303 turns a POST into a GET; 307 and 308 keep the method (RFC 9110 §15.4). @defaultValue 302 */
  status?: 301 | 302 | 303 | 307 | 308;
  /** Allows another site as the target: for addresses that are yours, never for what a client sent. @defaultValue false */
  allowExternal?: boolean;
}

const STATUSES: ReadonlySet<unknown> = new Set([301, 302, 303, 307, 308]);
/** A base that no target names. */
const BASE = 'http://redirect.invalid';

/**
 * Sends the client elsewhere.
 * @param location - a path of this site, `/login?next=%2F`, or with `allowExternal` any http or https URL
 * @throws {BadRequest} for a target on another site: it mostly comes from the request, as in `?next=https://evil`
 * @throws {TypeError} for a wrong option
 */
export function redirect(location: string, options: RedirectOptions = {}): WsgiResponse {
  const { status = 302, allowExternal = false, ...unknown } = requireOptions('redirect', options);
  refuseUnknown('redirect', unknown, ['status', 'allowExternal']);
  if (!STATUSES.has(status))
    throw new TypeError(
      `redirect() takes the status 301, 302, 303, 307 or 308; received ${describeValue(status)}`,
    );
  if (typeof location !== 'string')
    throw new TypeError(`redirect() needs a location; received ${describeValue(location)}`);
  return new WsgiResponse({ status, headers: [['Location', checkTarget(location, allowExternal)]] });
}

/** Gives the target as a URL parser reads it: as browsers do, it drops tabs and line ends and takes `\\` for `/`. */
function checkTarget(location: string, allowExternal: boolean): string {
  const url = URL.canParse(location, BASE) ? new URL(location, BASE) : undefined;
  if (url === undefined || url.username !== '' || url.password !== '')
    throw new BadRequest('The target of the redirect is no URL');
  // `/..//evil` is normalised to `//evil`, another site.
  if (url.origin === BASE && !url.pathname.startsWith('//')) {
    if (!location.startsWith('/')) throw new BadRequest('The target of the redirect must begin with "/"');
    return `${url.pathname}${url.search}${url.hash}`;
  }
  if (!allowExternal || !/^https?:$/.test(url.protocol))
    throw new BadRequest('The target of the redirect is on another site');
  return url.href;
}
