import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toError } from '../core/errors.js';

/** Editors write a file in several steps: changes that come as close as this are one. */
const SETTLE_MS = 100;

/** What a watch tells. */
export interface ModuleWatchEvents {
  /** @param file - the last one that changed, without its folder */
  changed(file: string): void;
  /** A folder cannot be watched, or not any more. */
  failed(folder: string, error: Error): void;
}

/** Watches the folders that modules are in, for development. It keeps no process up. */
export class ModuleWatch {
  readonly #events: ModuleWatchEvents;
  readonly #folders = new Map<string, FSWatcher>();
  #timer: NodeJS.Timeout | undefined;

  constructor(events: ModuleWatchEvents) {
    this.#events = events;
  }

  /** @param url - of a module's file */
  add(url: string): void {
    const folder = dirname(fileURLToPath(url));
    if (this.#folders.has(folder)) return;
    try {
      const watcher = watch(folder, { persistent: false }, (_event, file) => this.#changed(file ?? ''));
      watcher.once('error', (error) => this.#failed(folder, error));
      this.#folders.set(folder, watcher);
    } catch (error) {
      this.#failed(folder, toError(error));
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#folders.values()) watcher.close();
    this.#folders.clear();
  }

  #changed(file: string): void {
    if (!/\.(?:[cm]?[jt]sx?|json)$/.test(file)) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#events.changed(file), SETTLE_MS).unref();
  }

  #failed(folder: string, error: Error): void {
    this.#folders.get(folder)?.close();
    this.#folders.delete(folder);
    this.#events.failed(folder, error);
  }
}
