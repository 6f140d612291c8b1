import type { Environ, MiddlewareFunction } from '../core/contract.js';
import { describeValue, isThenable, refuseUnknown, requireOptions } from '../core/errors.js';
import { Http401, HttpError } from '../core/http-error.js';
import { parseAuthorization } from '../request/authorization.js';
import { createDigestGate, type DigestOptions } from './digest-gate.js';

/** What `verify` gives: whoever it is, true for "as named"; anything falsy, `''`, `0` and `NaN` too, refuses. */
export type Verified = unknown;

interface CommonOptions {
  /** What is protected, told to the client: printable ASCII. @defaultValue `restricted` */
  realm?: string;
}

/** Options of {@link authenticate} for Basic. */
export interface BasicOptions extends CommonOptions {
  scheme: 'basic';
  /** Says who this is: a value, kept as `environ['vela.user']`; true for the name itself; anything falsy refuses. */
  verify(username: string, password: string, environ: Environ): Verified | PromiseLike<Verified>;
}

/** Options of {@link authenticate} for Bearer. */
export interface BearerOptions extends CommonOptions {
  scheme: 'bearer';
  /** Says whose token this is: a value, kept as `environ['vela.user']`; anything falsy refuses. */
  verify(token: string, environ: Environ): Verified | PromiseLike<Verified>;
  /** The scopes that are needed, separated by spaces, told to the client. */
  scope?: string;
  /** Whether the scopes are there: false answers 403. @defaultValue they are */
  hasScope?(user: unknown, environ: Environ): boolean | PromiseLike<boolean>;
}

/** Options of {@link authenticate}. */
export type AuthenticateOptions = BasicOptions | BearerOptions | (DigestOptions & { scheme: 'digest' });

const USER = 'vela.user';
const SCHEMES = ['basic', 'bearer', 'digest'];
const KNOWN = {
  basic: ['scheme', 'realm', 'verify'],
  bearer: ['scheme', 'realm', 'verify', 'scope', 'hasScope'],
};
const DEFAULT_REALM = 'restricted';

/**
 * Lets only those pass whom `verify` knows, and keeps what it says of them as `environ['vela.user']`. The others get 401
 * with `WWW-Authenticate`. What `verify` throws becomes the response, as anywhere.
 * @throws {TypeError} for a wrong option
 * @example authenticate({ scheme: 'basic', verify: (name, password) => name === 'ann' && equalText(password, secret) })
 * @see RFC 7617 (Basic), RFC 7616 (Digest), RFC 6750 (Bearer)
 */
export function authenticate(options: AuthenticateOptions): MiddlewareFunction {
  const given = requireOptions('authenticate', options);
  if (!SCHEMES.includes(given.scheme)) {
    throw new TypeError(
      `Option "scheme" must be one of ${SCHEMES.join(', ')}; received ${describeValue(given.scheme)}`,
    );
  }
  if (typeof given.verify !== 'function')
    throw new TypeError(`Option "verify" must be a function; received ${describeValue(given.verify)}`);
  const realm = requirePrintable('realm', given.realm ?? DEFAULT_REALM);
  const gate =
    given.scheme === 'digest'
      ? createDigestGate({ ...given, realm })
      : given.scheme === 'basic'
        ? createBasicGate(given, realm)
        : createBearerGate(given, realm);

  const authenticateMiddleware: MiddlewareFunction = (environ) => {
    const user = gate(environ);
    if (!isThenable(user)) {
      environ[USER] = user;
      return undefined;
    }
    return user.then((value) => {
      environ[USER] = value;
    });
  };
  // No declared headers: what `verify` reads is not known, so all are kept.
  authenticateMiddleware.runsOn = 'request';
  return authenticateMiddleware;
}

/** Gives the user, or throws the refusal. */
type Gate = (environ: Environ) => unknown;

function createBasicGate(options: BasicOptions, realm: string): Gate {
  refuseOthers(options, KNOWN.basic);
  const challenge = `Basic realm=${realm}, charset="UTF-8"`;
  return (environ) => {
    const credentials = parseAuthorization(environ.HTTP_AUTHORIZATION);
    if (credentials?.scheme !== 'basic') throw refusal('Say who you are', challenge);
    const { username, password } = credentials;
    return settle(options.verify(username, password, environ), (user) =>
      user ? (user === true ? username : user) : refuse('Wrong name or password', challenge),
    );
  };
}

/** Error codes of RFC 6750 §3.1; a request without a token is told none. */
function createBearerGate(options: BearerOptions, realm: string): Gate {
  refuseOthers(options, KNOWN.bearer);
  const { scope, hasScope } = options;
  if (hasScope !== undefined && typeof hasScope !== 'function')
    throw new TypeError(`Option "hasScope" must be a function; received ${describeValue(hasScope)}`);
  const base = `Bearer realm=${realm}${scope === undefined ? '' : `, scope=${requirePrintable('scope', scope)}`}`;
  return (environ) => {
    const header = environ.HTTP_AUTHORIZATION;
    const credentials = parseAuthorization(header);
    if (credentials?.scheme !== 'bearer') {
      if (header !== undefined && /^bearer(?: |$)/i.test(header)) {
        const headers = challengeHeader(`${base}, error="invalid_request"`);
        throw new HttpError(400, 'The token cannot be read', { headers });
      }
      throw refusal('Say who you are', base);
    }
    const { token } = credentials;
    return settle(options.verify(token, environ), (user) => {
      if (!user) return refuse('The token is not valid', `${base}, error="invalid_token"`);
      if (hasScope === undefined) return user;
      return settle(hasScope(user, environ), (isThere) => {
        if (isThere === true) return user;
        const headers = challengeHeader(`${base}, error="insufficient_scope"`);
        throw new HttpError(403, 'The token does not reach so far', { headers });
      });
    });
  };
}

function settle(verified: Verified | PromiseLike<Verified>, next: (user: unknown) => unknown): unknown {
  return isThenable(verified) ? verified.then(next) : next(verified);
}

function refuse(message: string, challenge: string): never {
  throw refusal(message, challenge);
}

function refusal(message: string, challenge: string): Http401 {
  return new Http401(message, { headers: challengeHeader(challenge) });
}

function challengeHeader(challenge: string): [string, string][] {
  return [['WWW-Authenticate', challenge]];
}

/** A quoted-string of what may stand in one. */
function requirePrintable(option: string, text: unknown): string {
  if (typeof text !== 'string' || !/^[\x20-\x7e]*$/.test(text))
    throw new TypeError(`Option "${option}" must be printable ASCII; received ${describeValue(text)}`);
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}

function refuseOthers(options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).filter((key) => !known.includes(key));
  refuseUnknown('authenticate', Object.fromEntries(unknown.map((key) => [key, true])), known);
}
