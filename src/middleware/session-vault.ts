import { createHash, randomBytes } from 'node:crypto';
import { VelaError } from '../core/errors.js';
import type { CookieSealer } from '../request/cookie-sealer.js';
import type { SessionStore } from './session-store.js';

/** A session as it is kept. */
export interface KeptSession {
  readonly data: Readonly<Record<string, unknown>>;
  /** Random; the same until it is regenerated. */
  readonly id: string;
  readonly createdMs: number;
  /** When it was last saved or renewed. */
  readonly savedMs: number;
}

/** Where sessions are: in the cookie, or in a store that the cookie has a key of. */
export interface SessionVault {
  /** Undefined for a cookie that is not ours, or too old. */
  load(cookie: string): Promise<KeptSession | undefined>;
  /** Gives the cookie's value; undefined when the session was destroyed meanwhile. */
  save(session: KeptSession, isNew: boolean, ttlMs: number): Promise<string | undefined>;
  /** Keeps what is kept for longer, and gives the cookie's value; undefined when it was destroyed meanwhile. */
  renew(session: KeptSession, ttlMs: number): Promise<string | undefined>;
  /** False when it was destroyed before. */
  destroy(id: string): Promise<boolean>;
}

/** Browsers keep 4,096 bytes of name and value (RFC 6265bis §5.6). */
const MAX_COOKIE_BYTES = 4096;
const ID = /^[\w-]{43}$/;

/** An id that nobody guesses: 256 bits. */
export function createSessionId(): string {
  return randomBytes(32).toString('base64url');
}

/** Sessions within the cookie, sealed. */
export function createCookieVault(sealer: CookieSealer, name: string): SessionVault {
  async function seal(session: KeptSession, ttlMs: number): Promise<string> {
    const { data, id, createdMs, savedMs } = session;
    const text = await sealer.seal(name, [data, id, createdMs, savedMs], ttlMs);
    const bytes = name.length + 1 + encodeURIComponent(text).length;
    if (bytes > MAX_COOKIE_BYTES) throw tooLarge(bytes);
    return text;
  }
  return {
    load: async (cookie) => readKept(await sealer.unseal(name, cookie)),
    save: (session, _isNew, ttlMs) => seal(session, ttlMs),
    renew: (session, ttlMs) => seal(session, ttlMs),
    destroy: async () => true,
  };
}

/** Sessions in a store, under the hash of what the cookie says. */
export function createStoreVault(store: SessionStore): SessionVault {
  return {
    async load(cookie) {
      if (!ID.test(cookie)) return undefined;
      const text = await store.get(hashId(cookie));
      const kept = text === undefined ? undefined : readKept(JSON.parse(text));
      return kept?.id === '' ? { ...kept, id: cookie } : undefined;
    },
    async save({ data, id, createdMs, savedMs }, isNew, ttlMs) {
      // The id itself stays out of the store.
      const text = JSON.stringify([data, '', createdMs, savedMs]);
      return (await store.set(hashId(id), text, ttlMs, isNew ? 'absent' : 'present')) ? id : undefined;
    },
    async renew({ id }, ttlMs) {
      // Saving it would undo what another request has saved meanwhile.
      return (await store.touch(hashId(id), ttlMs)) ? id : undefined;
    },
    destroy: async (id) => store.destroy(hashId(id)),
  };
}

function hashId(id: string): string {
  return createHash('sha256').update(id).digest('base64url');
}

/** What was kept is ours, but maybe of another version. */
function readKept(value: unknown): KeptSession | undefined {
  if (!Array.isArray(value)) return undefined;
  const [data, id, createdMs, savedMs] = value as unknown[];
  const isKnown = typeof data === 'object' && data !== null && typeof id === 'string';
  if (!isKnown || typeof createdMs !== 'number' || typeof savedMs !== 'number') return undefined;
  return { data: data as Record<string, unknown>, id, createdMs, savedMs };
}

function tooLarge(bytes: number): VelaError {
  return new VelaError(
    'ERR_SESSION_TOO_LARGE',
    `The session makes a cookie of ${bytes} bytes, and browsers keep ${MAX_COOKIE_BYTES}: put less into it, or give session() a store`,
  );
}
