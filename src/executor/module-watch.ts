import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { own } from '../core/own.js';

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

/** Loads all modules of an executor anew when one has changed, and says so. */
export function watchModules(
  executor: { readonly name: string; reload(): Promise<void> },
  findLogger: () => Logger | undefined,
): ModuleWatch {
  const { name } = executor;
  const say = (level: 'info' | 'warn', message: string) =>
    findLogger()?.[level]({ executor: name }, `executor "${name}": ${message}`);
  return new ModuleWatch({
    changed: (file) => {
      say('info', `${file} has changed, so its modules are loaded anew`);
      void own(executor.reload());
    },
    failed: (folder, error) => say('warn', `${folder} cannot be watched: ${error.message}`),
  });
}
