import { type FSWatcher, watch } from 'node:fs';
import { toError } from './errors.js';

/** What watches of folders tell. */
export interface FolderEvents {
  /** Something in a folder was made, changed, renamed or removed. @param name - without its folder; `''` where the system does not say */
  changed(folder: string, name: string): void;
  /** A folder cannot be watched, or not any more. */
  failed(folder: string, error: Error): void;
}

/** Editors write a file in several steps, and tools many files: changes that come as close as this are one. */
export const SETTLE_MS = 100;
/** What servers are written in. */
export const SOURCE_FILE = /\.(?:[cm]?[jt]sx?|json)$/;

/** Watches folders, each without those below. It keeps no process up. */
export class FolderWatches {
  readonly #events: FolderEvents;
  readonly #watchers = new Map<string, FSWatcher>();

  constructor(events: FolderEvents) {
    this.#events = events;
  }

  /** Watches one more. What cannot be watched is told of. */
  add(folder: string): void {
    if (this.#watchers.has(folder)) return;
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) =>
        this.#events.changed(folder, name ?? ''),
      );
      watcher.once('error', (error) => this.#failed(folder, error));
      this.#watchers.set(folder, watcher);
    } catch (error) {
      this.#failed(folder, toError(error));
    }
  }

  remove(folder: string): void {
    this.#watchers.get(folder)?.close();
    this.#watchers.delete(folder);
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #failed(folder: string, error: Error): void {
    this.remove(folder);
    this.#events.failed(folder, error);
  }
}
