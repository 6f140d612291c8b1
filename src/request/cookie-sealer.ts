import { hkdfSync } from 'node:crypto';
import { isWithin, LONGEST_AGE_MS } from '../core/duration.js';
import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import { own } from '../core/own.js';
import { loadIron } from './iron.js';
import { requireSecrets, type Secret } from './secret-keys.js';
import { UnsealedValues } from './unsealed-values.js';

/** Options of {@link createCookieSealer}. */
export interface CookieSealerOptions {
  /** Secrets of 32 bytes or more: the first seals, all unseal. To rotate, put a new one in front. */
  passwords: readonly Secret[];
  /** For how long a sealed value counts, in ms; at the most 2^31 - 1 seconds, some 68 years. */
  ttlMs: number;
}

/** Makes values that a client can neither read nor change. */
export interface CookieSealer {
  /**
   * Encrypts a value that JSON can state; the text fits a cookie as it is.
   * @param ttlMs - for how long it counts, if not as long as the sealer's `ttlMs`
   * @throws {TypeError} for a value that would not come back as it is: undefined, a Date, NaN
   */
  seal(name: string, value: unknown, ttlMs?: number): Promise<string>;
  /** The value of what `seal` gave under the same name; undefined for anything else, and once it is too old. */
  unseal(name: string, sealed: string | undefined): Promise<unknown>;
}

interface Password {
  readonly id: string;
  readonly encryption: Buffer;
  readonly integrity: Buffer;
}

/**
 * Seals cookies with iron-webcrypto: AES-256-CBC, then HMAC-SHA256 (format Fe26.2). The name is sealed in, so that a
 * value counts under its own name only. Each secret gives an id, which stands in the text, and two keys (HKDF, RFC 5869).
 * @throws {TypeError} for a password that is too short
 * @example
 * const sealer = createCookieSealer({ passwords: [process.env.COOKIE_KEY ?? ''], ttlMs: 3_600_000 });
 * response.setCookie('cart', await sealer.seal('cart', { items: [1, 2] }));
 */
export function createCookieSealer(options: CookieSealerOptions): CookieSealer {
  const { passwords, ttlMs, ...unknown } = requireOptions('createCookieSealer', options);
  refuseUnknown('createCookieSealer', unknown, ['passwords', 'ttlMs']);
  requireTtl(ttlMs);
  const ring = requireSecrets('passwords', passwords).map(derive);
  const current = ring[0] as Password;
  const byId: Record<string, Password> = Object.create(null);
  for (const password of ring) byId[password.id] ??= password;
  const remembered = new UnsealedValues();

  async function seal(name: string, value: unknown, ownTtlMs: number): Promise<string> {
    requireTtl(ownTtlMs);
    const iron = await loadIron();
    try {
      return await iron.seal([name, value], current, {
        ...iron.defaults,
        ttl: Math.max(1, Math.round(ownTtlMs)),
      });
    } catch (cause) {
      throw new TypeError(
        `A sealed cookie needs a value that JSON can state; received ${describeValue(value)}`,
        { cause },
      );
    }
  }

  async function unseal(name: string, sealed: string | undefined): Promise<unknown> {
    if (typeof sealed !== 'string' || sealed === '') return undefined;
    const known = remembered.find(sealed);
    if (known !== undefined) return takeNamed(name, known.value);
    const iron = await loadIron();
    try {
      const pair = await iron.unseal(sealed, byId, { ...iron.defaults, timestampSkewSec: 0 });
      remembered.remember(sealed, pair);
      return takeNamed(name, pair);
    } catch {
      // Whatever a client sends in place of a seal is no seal.
      return undefined;
    }
  }

  return {
    seal: (name, value, ownTtlMs = ttlMs) => own(seal(name, value, ownTtlMs)),
    unseal: (name, sealed) => own(unseal(name, sealed)),
  };
}

/** What was sealed under this name. */
function takeNamed(name: string, pair: unknown): unknown {
  return Array.isArray(pair) && pair[0] === name ? (pair[1] as unknown) : undefined;
}

/** Keys that serve one purpose each. */
function derive(secret: Buffer): Password {
  const key = (purpose: string, bytes: number) =>
    Buffer.from(hkdfSync('sha256', secret, '', `vela.sealed:${purpose}`, bytes));
  return {
    id: key('id', 4).toString('hex'),
    encryption: key('encryption', 32),
    integrity: key('integrity', 32),
  };
}

function requireTtl(ttlMs: unknown): void {
  if (!isWithin(ttlMs, Number.MIN_VALUE, LONGEST_AGE_MS))
    throw new TypeError(
      `Option "ttlMs" must be a number of ms above 0, up to ${LONGEST_AGE_MS} (68 years); received ${describeValue(ttlMs)}`,
    );
}
