import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import { requireSecrets, type Secret } from './secret-keys.js';

/** Options of {@link createCookieSigner}. */
export interface CookieSignerOptions {
  /** Secrets of 32 bytes or more: the first signs, all verify. To rotate, put a new one in front. */
  keys: readonly Secret[];
}

/** Makes values that a client can read, and cannot change. */
export interface CookieSigner {
  /** The value with its signature. @throws {TypeError} for a value that is no text */
  sign(name: string, value: string): string;
  /** The value of what `sign` gave under the same name; undefined for anything else. Never throws. */
  verify(name: string, signed: string | undefined): string | undefined;
}

/** base64url of the 32 bytes of HMAC-SHA256. */
const SIGNATURE = /^[\w-]{43}$/;

/**
 * Signs cookies with HMAC-SHA256 over name and value (RFC 2104), so that a value counts under its own name only.
 * @throws {TypeError} for a key that is too short
 * @example
 * const signer = createCookieSigner({ keys: [process.env.COOKIE_KEY ?? ''] });
 * response.setCookie('user', signer.sign('user', 'ann'));
 * const user = signer.verify('user', requestOf(environ).cookies.user);
 */
export function createCookieSigner(options: CookieSignerOptions): CookieSigner {
  const { keys, ...unknown } = requireOptions('createCookieSigner', options);
  refuseUnknown('createCookieSigner', unknown, ['keys']);
  const secrets = requireSecrets('keys', keys).map((key) => createSecretKey(key));
  const current = secrets[0] as (typeof secrets)[0];

  return {
    sign(name, value) {
      requireText('name', name);
      requireText('value', value);
      return `${value}.${digest(current, name, value).toString('base64url')}`;
    },
    verify(name, signed) {
      if (typeof name !== 'string' || typeof signed !== 'string') return undefined;
      const dot = signed.lastIndexOf('.');
      const signature = signed.slice(dot + 1);
      if (dot === -1 || !SIGNATURE.test(signature)) return undefined;
      const value = signed.slice(0, dot);
      const given = Buffer.from(signature, 'base64url');
      // 43 characters hold 258 bits: the last two must be zero, so that a value has one signature.
      if (given.toString('base64url') !== signature) return undefined;
      return secrets.some((key) => timingSafeEqual(digest(key, name, value), given)) ? value : undefined;
    },
  };
}

/** The length keeps name and value apart. */
function digest(key: ReturnType<typeof createSecretKey>, name: string, value: string): Buffer {
  return createHmac('sha256', key).update(`vela.signed:${name.length}:${name}=${value}`, 'utf8').digest();
}

function requireText(what: string, text: unknown): void {
  // A lone surrogate has no UTF-8, so two values would share a signature.
  if (typeof text !== 'string' || /\p{Surrogate}/u.test(text))
    throw new TypeError(
      `A signed cookie needs well-formed text as its ${what}; received ${describeValue(text)}`,
    );
}
