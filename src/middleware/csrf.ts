import { atOnce } from '../core/at-once.js';
import type { Environ, MiddlewareFunction } from '../core/contract.js';
import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import { PermissionDenied } from '../core/http-error.js';
import { own } from '../core/own.js';
import { isSameHost, requireOrigins } from '../request/origin.js';
import { type CsrfTokenOptions, type CsrfTokens, createCsrfTokens } from './csrf-tokens.js';

/** Options of {@link csrf}. */
export interface CsrfOptions {
  /** Origins of other sites that may send requests that change things: `https://app.example.com`. @defaultValue none */
  trustedOrigins?: readonly string[];
  /** Asks for a token as well. @defaultValue off: the browser's own word is enough for today's browsers */
  tokens?: CsrfTokenOptions;
  /** Requests that are not checked, such as those of an API that takes no cookies. @defaultValue none */
  skip?(environ: Environ): boolean;
}

/** RFC 9110 §9.2.1. */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
const KEY = 'vela.csrf';
/** The page may be ours: over http nothing but the Origin tells, and such a page hides it. */
const NULL_ORIGIN =
  'Origin is "null", as browsers send it over http from pages with Referrer-Policy: no-referrer. Serve with TLS, or give secureHeaders({ referrerPolicy: "same-origin" })';

/**
 * Refuses requests that another site has a browser send (cross-site request forgery), with 403 and the reason. GET, HEAD
 * and OPTIONS pass: they must change nothing. Others pass when the browser says that they come from this origin
 * (Sec-Fetch-Site; Origin in older browsers), and when they come from no browser, which sends neither.
 * @throws {TypeError} for a wrong option
 * @example new WsgiHandler([csrf({ trustedOrigins: ['https://app.example.com'] }), app])
 * @see {@link https://www.w3.org/TR/fetch-metadata/ | Fetch Metadata}
 */
export function csrf(options: CsrfOptions = {}): MiddlewareFunction {
  const { trustedOrigins = [], tokens: tokenOptions, skip, ...unknown } = requireOptions('csrf', options);
  refuseUnknown('csrf', unknown, ['trustedOrigins', 'tokens', 'skip']);
  const trusted = requireOrigins('trustedOrigins', trustedOrigins);
  if (skip !== undefined && typeof skip !== 'function')
    throw new TypeError(`Option "skip" must be a function; received ${describeValue(skip)}`);
  const tokens = tokenOptions === undefined ? undefined : createCsrfTokens(tokenOptions);

  const csrfMiddleware: MiddlewareFunction = (environ) => {
    if (tokens !== undefined) environ[KEY] = tokens;
    if (SAFE.has(environ.REQUEST_METHOD)) return undefined;
    if (skip !== undefined && atOnce('csrf', 'skip', skip(environ)) === true) return undefined;
    const reason = findReason(environ, trusted);
    if (reason !== undefined) throw new PermissionDenied(`A request of another site was refused: ${reason}`);
    return tokens?.check(environ);
  };
  // What a function of the user's reads is not known, so all headers are kept then.
  if (skip === undefined && tokenOptions?.readToken === undefined) {
    csrfMiddleware.headers = [
      'sec-fetch-site',
      'origin',
      'host',
      ...(tokens === undefined ? [] : ['cookie', tokens.headerName]),
    ];
  }
  csrfMiddleware.runsOn = 'request';
  return csrfMiddleware;
}

/**
 * A token for a form or script of this page, another one at each call. The request that changes something sends it back
 * in the header X-CSRF-Token, or where `readToken` looks.
 * @throws {TypeError} without `csrf({ tokens })` before
 */
export function csrfTokenOf(environ: Environ): Promise<string> {
  const tokens = environ[KEY] as CsrfTokens | undefined;
  if (tokens === undefined)
    return own(Promise.reject(new TypeError('There are no tokens: put csrf({ tokens: { keys } }) before')));
  return own(tokens.create(environ));
}

/** Why a request is refused; undefined when it is not. */
function findReason(environ: Environ, trusted: ReadonlySet<string>): string | undefined {
  const { HTTP_SEC_FETCH_SITE: site, HTTP_ORIGIN: origin } = environ;
  if (site === 'same-origin' || site === 'none') return undefined;
  if (origin !== undefined && trusted.has(origin)) return undefined;
  if (site !== undefined) return `Sec-Fetch-Site is "${clip(site)}", and its Origin is not trusted`;
  if (origin === undefined) return undefined;
  if (origin === 'null') return NULL_ORIGIN;
  return isSameHost(origin, environ.HTTP_HOST) ? undefined : `Origin is "${clip(origin)}", and not trusted`;
}

/** What a client sent, fit for a message. */
function clip(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 100);
}
