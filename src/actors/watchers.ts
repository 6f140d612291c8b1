import type { Down } from './down-notice.js';

/** How many ends are remembered, for those who ask later. */
const REMEMBERED = 1000;

/** Who wants to know of the end of which actor: each is told once. */
export class Watchers {
  readonly #listeners = new Map<string, Set<(down: Down) => void>>();
  /** By ids and by names, the oldest first. */
  readonly #ends = new Map<string, Down>();

  /** @param id - of an actor that is there @returns what ends the watch */
  add(id: string, listener: (down: Down) => void): () => void {
    const listeners = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, listeners);
    // One function may watch twice.
    const entry = (down: Down) => listener(down);
    listeners.add(entry);
    return () => {
      listeners.delete(entry);
      if (listeners.size === 0 && this.#listeners.get(id) === listeners) this.#listeners.delete(id);
    };
  }

  /** How an actor ended that is not there any more; by its name, the last one that had it. */
  find(target: string): Down {
    return this.#ends.get(target) ?? UNKNOWN;
  }

  tell(id: string, name: string, down: Down): void {
    for (const key of new Set([id, name])) {
      this.#ends.delete(key);
      this.#ends.set(key, down);
    }
    for (const key of this.#ends.keys()) {
      if (this.#ends.size <= REMEMBERED) break;
      this.#ends.delete(key);
    }
    const listeners = this.#listeners.get(id) ?? [];
    this.#listeners.delete(id);
    for (const listener of listeners) listener(down);
  }
}

const UNKNOWN: Down = {
  actor: undefined,
  reason: 'unknown',
  error: undefined,
  exitCode: undefined,
  signal: undefined,
};
