import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FolderWatches, SETTLE_MS, SOURCE_FILE } from '../core/folder-watches.js';
import type { Logger } from '../core/logger.js';
import { own } from '../core/own.js';

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
  readonly #folders: FolderWatches;
  #timer: NodeJS.Timeout | undefined;

  constructor(events: ModuleWatchEvents) {
    this.#events = events;
    this.#folders = new FolderWatches({
      changed: (_folder, file) => this.#changed(file),
      failed: (folder, error) => events.failed(folder, error),
    });
  }

  /** @param url - of a module's file */
  add(url: string): void {
    this.#folders.add(dirname(fileURLToPath(url)));
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#folders.close();
  }

  #changed(file: string): void {
    if (!SOURCE_FILE.test(file)) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#events.changed(file), SETTLE_MS).unref();
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
