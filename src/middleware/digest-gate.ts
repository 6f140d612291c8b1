import { createHash, createSecretKey, randomBytes } from 'node:crypto';
import type { Environ, HeaderPair } from '../core/contract.js';
import { describeValue, isThenable, refuseUnknown } from '../core/errors.js';
import { BadRequest, Http401 } from '../core/http-error.js';
import { type DigestCredentials, parseAuthorization } from '../request/authorization.js';
import { equalText } from '../request/equal-text.js';
import { requireSecrets, type Secret } from '../request/secret-keys.js';
import { createDigestNonces } from './digest-nonces.js';

/** A hash that Digest may use. MD5 is broken: for clients that know no better, behind TLS. */
export type DigestAlgorithm = 'SHA-256' | 'MD5';

/** What is known of a user of Digest: the password, or the hashes of `name:realm:password` in hexadecimal. */
export interface DigestSecret {
  password?: string;
  ha1?: Partial<Record<DigestAlgorithm, string>>;
  /** Kept as `environ['vela.user']`. @defaultValue the name */
  user?: unknown;
}

type Found = DigestSecret | undefined | null | false;

/** Options of `authenticate` for Digest. */
export interface DigestOptions {
  /** What is protected, told to the client: printable ASCII. @defaultValue `restricted` */
  realm?: string;
  /** Looks a user up, as the password is not sent: anything falsy refuses. */
  verify(username: string, environ: Environ): Found | PromiseLike<Found>;
  /** Offered in this order. @defaultValue `['SHA-256']` */
  algorithms?: readonly DigestAlgorithm[];
  /** For how long a nonce can be used, in ms. @defaultValue 5 minutes */
  nonceLifetimeMs?: number;
  /** How many used nonces are remembered; the oldest are dropped, and count as stale. @defaultValue 10,000 */
  maxNonces?: number;
  /** Signs nonces: 32 bytes or more. @defaultValue random, so that nonces end with the process */
  nonceKey?: Secret;
}

const HASHES: Readonly<Record<DigestAlgorithm, string>> = { 'SHA-256': 'sha256', MD5: 'md5' };
const KNOWN = ['scheme', 'realm', 'verify', 'algorithms', 'nonceLifetimeMs', 'maxNonces', 'nonceKey'];
const DEFAULT_LIFETIME_MS = 300_000;
const DEFAULT_MAX_NONCES = 10_000;

/**
 * Gives the user of a request, or throws its refusal (RFC 7616, qop=auth).
 * @param options - with the realm as a quoted-string
 */
export function createDigestGate(options: DigestOptions & { realm: string }): (environ: Environ) => unknown {
  const { realm: quoted, verify, algorithms, nonces } = resolve(options);
  const realm = quoted.slice(1, -1).replaceAll(/\\(.)/g, '$1');
  const opaque = randomBytes(12).toString('base64url');

  function refuse(message: string, isStale = false): never {
    const nonce = nonces.create();
    const stale = isStale ? ', stale=true' : '';
    const headers = algorithms.map(
      (algorithm): HeaderPair => [
        'WWW-Authenticate',
        `Digest realm=${quoted}, qop="auth", algorithm=${algorithm}, nonce="${nonce}", opaque="${opaque}", charset=UTF-8${stale}`,
      ],
    );
    throw new Http401(message, { headers });
  }

  return (environ) => {
    const given = parseAuthorization(environ.HTTP_AUTHORIZATION);
    if (given?.scheme !== 'digest') return refuse('Say who you are');
    const algorithm = algorithms.find((one) => one === given.algorithm.toUpperCase());
    const { qop, cnonce, nc } = given;
    const isAsked = given.realm === realm && given.opaque === opaque && !given.userhash;
    if (algorithm === undefined || qop !== 'auth' || cnonce === undefined || nc === undefined || !isAsked) {
      return refuse('The credentials do not fit what was asked for');
    }
    if (!isTarget(given.uri, environ)) throw new BadRequest('The credentials are for another address');
    if (!nonces.isFresh(given.nonce)) return refuse('Once more, with the new nonce', true);

    const check = (found: Found) => {
      const ha1 = found ? findHa1(found, algorithm, given.username, realm) : randomBytes(32).toString('hex');
      const expected = respond(algorithm, ha1, given, nc, cnonce, environ.REQUEST_METHOD);
      const isRight = equalText(expected, given.response.toLowerCase());
      if (!isRight || !found) return refuse('Wrong name or password');
      if (!nonces.use(given.nonce, Number.parseInt(nc, 16)))
        return refuse('Once more, with the new nonce', true);
      return found.user ?? given.username;
    };
    const found = verify(given.username, environ);
    return isThenable(found) ? found.then((value) => check(value as Found)) : check(found);
  };
}

/** RFC 7616 §3.4.1 to §3.4.3. */
function respond(
  algorithm: DigestAlgorithm,
  ha1: string,
  { nonce, uri }: DigestCredentials,
  nc: string,
  cnonce: string,
  method: string,
): string {
  const ha2 = hash(algorithm, `${method}:${uri}`);
  return hash(algorithm, `${ha1}:${nonce}:${nc}:${cnonce}:auth:${ha2}`);
}

function hash(algorithm: DigestAlgorithm, text: string): string {
  return createHash(HASHES[algorithm]).update(text, 'utf8').digest('hex');
}

/** @throws {TypeError} when `verify` gave neither password nor hash */
function findHa1(found: DigestSecret, algorithm: DigestAlgorithm, username: string, realm: string): string {
  const { ha1, password } = found;
  const known = ha1?.[algorithm];
  if (typeof known === 'string') return known.toLowerCase();
  if (typeof password === 'string') return hash(algorithm, `${username}:${realm}:${password}`);
  throw new TypeError(
    `verify of authenticate({ scheme: 'digest' }) must give { password } or { ha1: { '${algorithm}': … } }; received ${describeValue(found)}`,
  );
}

/** The target as it came; in absolute form its path and query count (RFC 7616 §3.4.6). */
function isTarget(uri: string, environ: Environ): boolean {
  const target = environ.RAW_URI;
  return (
    uri === target || (/^https?:\/\//i.test(target) && uri === target.replace(/^https?:\/\/[^/?]*/i, ''))
  );
}

function resolve(options: DigestOptions & { realm: string }) {
  const unknown = Object.keys(options).filter((key) => !KNOWN.includes(key));
  refuseUnknown('authenticate', Object.fromEntries(unknown.map((key) => [key, true])), KNOWN);
  const { realm, verify, algorithms = ['SHA-256'], nonceKey } = options;
  if (
    !Array.isArray(algorithms) ||
    algorithms.length === 0 ||
    algorithms.some((one) => !Object.hasOwn(HASHES, one))
  ) {
    throw new TypeError(
      `Option "algorithms" must be an array of 'SHA-256' and 'MD5'; received ${describeValue(algorithms)}`,
    );
  }
  const { nonceLifetimeMs = DEFAULT_LIFETIME_MS, maxNonces = DEFAULT_MAX_NONCES } = options;
  for (const [name, value] of Object.entries({ nonceLifetimeMs, maxNonces })) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new TypeError(
        `Option "${name}" must be a whole number above 0; received ${describeValue(value)}`,
      );
  }
  const [secret = randomBytes(32)] = nonceKey === undefined ? [] : requireSecrets('nonceKey', [nonceKey]);
  const nonces = createDigestNonces(createSecretKey(secret), nonceLifetimeMs, maxNonces);
  return { realm, verify, algorithms: algorithms as readonly DigestAlgorithm[], nonces };
}
