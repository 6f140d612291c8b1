import type { ToThread } from '../wire.js';

/**
 * What has come and is not handed on yet, in order. A handler may look for more while it is called for one of them: what
 * came before is handed on first then.
 */
export class Inbox {
  #entries: ToThread[] = [];
  #at = 0;

  add(entries: readonly ToThread[]): void {
    for (const entry of entries) this.#entries.push(entry);
  }

  /** The next one; undefined when there is none. */
  take(): ToThread | undefined {
    const entry = this.#entries[this.#at++];
    if (entry !== undefined) return entry;
    this.#entries = [];
    this.#at = 0;
    return undefined;
  }
}
