import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';

/**
 * Where sessions are kept. Ids are hashes, so that whoever reads the store cannot take a session over; texts are JSON.
 * Redis does it with `GET`, `SET key text PX ttl NX` or `XX`, `DEL` and `PEXPIRE`.
 */
export interface SessionStore {
  /** The text; undefined when there is none, or it has expired. */
  get(id: string): string | undefined | PromiseLike<string | undefined>;
  /**
   * Keeps a text for so many ms, only if there is none yet (`absent`), or only if there is one (`present`).
   * @returns false when that was not so, and nothing was kept
   */
  set(id: string, text: string, ttlMs: number, onlyIf: 'absent' | 'present'): boolean | PromiseLike<boolean>;
  /** @returns false when there was none */
  destroy(id: string): boolean | PromiseLike<boolean>;
  /** Keeps it for so many ms from now. @returns false when there is none */
  touch(id: string, ttlMs: number): boolean | PromiseLike<boolean>;
}

/** Options of {@link createMemoryStore}. */
export interface MemoryStoreOptions {
  /** How many sessions are kept; then the one that was used longest ago goes. @defaultValue 10,000 */
  maxSessions?: number;
}

const DEFAULT_MAX_SESSIONS = 10_000;

/**
 * Sessions in the memory of this process, for tests and development: they end with it, and workers do not share them.
 * @example session({ store: createMemoryStore() })
 */
export function createMemoryStore(options: MemoryStoreOptions = {}): SessionStore {
  const { maxSessions = DEFAULT_MAX_SESSIONS, ...unknown } = requireOptions('createMemoryStore', options);
  refuseUnknown('createMemoryStore', unknown, ['maxSessions']);
  if (!Number.isSafeInteger(maxSessions) || maxSessions < 1) {
    throw new TypeError(
      `Option "maxSessions" must be a whole number above 0; received ${describeValue(maxSessions)}`,
    );
  }
  /** The one used longest ago comes first. */
  const kept = new Map<string, { text: string; expiresMs: number }>();

  function find(id: string): { text: string; expiresMs: number } | undefined {
    const entry = kept.get(id);
    if (entry !== undefined && entry.expiresMs > Date.now()) return entry;
    kept.delete(id);
    return undefined;
  }

  return {
    get: (id) => find(id)?.text,
    set(id, text, ttlMs, onlyIf) {
      if ((find(id) === undefined) !== (onlyIf === 'absent')) return false;
      kept.delete(id);
      kept.set(id, { text, expiresMs: Date.now() + ttlMs });
      if (kept.size > maxSessions) kept.delete(kept.keys().next().value as string);
      return true;
    },
    destroy: (id) => find(id) !== undefined && kept.delete(id),
    touch(id, ttlMs) {
      const entry = find(id);
      if (entry === undefined) return false;
      kept.delete(id);
      kept.set(id, { ...entry, expiresMs: Date.now() + ttlMs });
      return true;
    },
  };
}
