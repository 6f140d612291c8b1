import { createHmac, createSecretKey, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Environ } from '../core/contract.js';
import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import { PermissionDenied } from '../core/http-error.js';
import { formatSetCookie } from '../core/set-cookie.js';
import { requireSecrets, type Secret } from '../request/secret-keys.js';
import { requestOf } from '../request/wsgi-request.js';
import { makePrivate } from './make-private.js';
import { addToList } from './put-header.js';
import { findSession } from './session.js';

/** Options of `csrf({ tokens })`. */
export interface CsrfTokenOptions {
  /** Secrets of 32 bytes or more: the first signs, all verify. */
  keys: readonly Secret[];
  /** Where the token of a request stands, when not in the header: in a form, say. */
  readToken?(environ: Environ): string | undefined | PromiseLike<string | undefined>;
  /** @defaultValue `X-CSRF-Token` */
  headerName?: string;
  /** The cookie that ties tokens to a client that has no session. @defaultValue `csrf` */
  cookieName?: string;
}

/** Makes tokens, and checks them. */
export interface CsrfTokens {
  readonly headerName: string;
  create(environ: Environ): Promise<string>;
  /** @throws {PermissionDenied} for a token that is missing, or that is another client's */
  check(environ: Environ): Promise<void>;
}

const TOKEN = /^([\w-]{22})([\w-]{43})$/;
const ANCHOR = /^[\w-]{43}$/;
const TOKEN_NAME = /^[!#$%&'*+.^_`|~\w-]+$/;
/** The random value of the cookie, for a request that came without one. */
const NEW_ANCHOR = 'vela.csrf_anchor';
/** The response will say that it hangs on the cookie. */
const IS_TOLD = 'vela.csrf_vary';

/**
 * Tokens that are signed and tied to the session, or to a cookie where there is none (OWASP's signed double-submit
 * cookie). Each begins with another random number, so that compression tells nothing of it (BREACH).
 */
export function createCsrfTokens(options: CsrfTokenOptions): CsrfTokens {
  const {
    keys,
    readToken,
    headerName = 'X-CSRF-Token',
    cookieName = 'csrf',
    ...unknown
  } = requireOptions('csrf tokens', options);
  refuseUnknown('csrf tokens', unknown, ['keys', 'readToken', 'headerName', 'cookieName']);
  if (readToken !== undefined && typeof readToken !== 'function')
    throw new TypeError(`Option "readToken" must be a function; received ${describeValue(readToken)}`);
  if (typeof headerName !== 'string' || !TOKEN_NAME.test(headerName))
    throw new TypeError(`Option "headerName" must be a header's name; received ${describeValue(headerName)}`);
  const isPrefixed = /^__(?:Host|Secure)-/.test(cookieName);
  formatSetCookie(cookieName, 'x', { secure: isPrefixed });
  const secrets = requireSecrets('keys', keys).map((key) => createSecretKey(key));
  const places =
    readToken === undefined
      ? `in ${headerName}: a form without script needs csrf({ tokens: { readToken } })`
      : `in ${headerName}, nor where readToken of csrf({ tokens }) looks`;
  const header = `HTTP_${headerName.toUpperCase().replaceAll('-', '_')}` as const;

  /** What the tokens of a client are tied to; undefined for one that has nothing. */
  async function findAnchor(environ: Environ): Promise<string | undefined> {
    const session = await findSession(environ);
    if (session !== undefined) return `session:${session.id}`;
    const cookie = requestOf(environ).cookies[cookieName];
    return cookie !== undefined && ANCHOR.test(cookie) ? `cookie:${cookie}` : undefined;
  }

  function setAnchor(environ: Environ): string {
    const known = environ[NEW_ANCHOR];
    if (typeof known === 'string') return known;
    const value = randomBytes(32).toString('base64url');
    const secure = isPrefixed || environ['wsgi.url_scheme'] === 'https';
    environ['vela.response'].onStart(({ headers }) => {
      headers.push(['Set-Cookie', formatSetCookie(cookieName, value, { secure })]);
      // Whoever has the cookie of another client can be made to send tokens that fit.
      makePrivate(headers);
    });
    environ[NEW_ANCHOR] = `cookie:${value}`;
    return `cookie:${value}`;
  }

  /** A token is of one client, so is what it stands in. */
  function tellVary(environ: Environ): void {
    if (environ[IS_TOLD] === true) return;
    environ[IS_TOLD] = true;
    environ['vela.response'].onStart(({ headers }) => addToList(headers, 'Vary', 'Cookie'));
  }

  return {
    headerName: headerName.toLowerCase(),
    async create(environ) {
      tellVary(environ);
      const anchor = (await findAnchor(environ)) ?? setAnchor(environ);
      const nonce = randomBytes(16).toString('base64url');
      return nonce + sign(secrets[0] as KeyObject, nonce, anchor).toString('base64url');
    },
    async check(environ) {
      const token = environ[header] ?? (await readToken?.(environ));
      if (token === undefined) throw new PermissionDenied(`The request has no CSRF token ${places}`);
      const [, nonce = '', signature = ''] = TOKEN.exec(String(token)) ?? [];
      const anchor = await findAnchor(environ);
      const given = Buffer.from(signature, 'base64url');
      const isRight =
        anchor !== undefined &&
        nonce !== '' &&
        secrets.some((key) => timingSafeEqual(sign(key, nonce, anchor), given));
      if (!isRight) throw new PermissionDenied('The CSRF token is not of this client: load the page again');
    },
  };
}

function sign(key: KeyObject, nonce: string, anchor: string): Buffer {
  return createHmac('sha256', key).update(`vela.csrf:${nonce}:${anchor}`).digest();
}
