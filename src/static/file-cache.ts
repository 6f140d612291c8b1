import type { Stats } from 'node:fs';
import { refuseUnknown, requireOptions } from '../core/errors.js';
import type { DescribedFile } from './described-file.js';
import { requireWhole } from './file-options.js';

/** Options of the memory that {@link MediaRouter} keeps small files in. */
export interface FileCacheOptions {
  /** @defaultValue 1,000 */
  maxEntries?: number;
  /** All files together, in bytes. @defaultValue 16 MiB */
  maxBytes?: number;
  /** A larger file is read from disk each time, in bytes. @defaultValue 64 KiB */
  maxFileBytes?: number;
  /** After so long the file is looked at before it is sent again, in ms; 0 looks each time. @defaultValue 1,000 */
  maxAgeMs?: number;
}

/** A small file, read. */
export interface HotFile {
  readonly path: string;
  readonly file: DescribedFile;
  readonly bytes: Buffer;
  readonly stats: Stats;
  /** It had been as it is for a while when it was read, so a change shows in its size or time. */
  readonly isSettled: boolean;
}

interface Entry {
  readonly hot: HotFile;
  readonly checkedMs: number;
}

/** What an entry takes beside its bytes, roughly. */
const OVERHEAD_BYTES = 2048;

/** Files in memory, bounded; the ones that were looked at longest ago go first. */
export class FileCache {
  readonly maxFileBytes: number;
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  readonly #maxAgeMs: number;
  readonly #entries = new Map<string, Entry>();
  readonly #checks = new Map<string, Promise<HotFile | undefined>>();
  #bytes = 0;

  /** @throws {TypeError} */
  constructor(options: FileCacheOptions = {}) {
    const {
      maxEntries = 1000,
      maxBytes = 16_777_216,
      maxFileBytes = 65_536,
      maxAgeMs = 1000,
      ...unknown
    } = requireOptions('cache', options);
    refuseUnknown('cache', unknown, ['maxEntries', 'maxBytes', 'maxFileBytes', 'maxAgeMs']);
    requireWhole('cache.maxEntries', maxEntries, 0, 1_000_000);
    requireWhole('cache.maxBytes', maxBytes, 0, Number.MAX_SAFE_INTEGER);
    requireWhole('cache.maxFileBytes', maxFileBytes, 0, 16_777_216);
    requireWhole('cache.maxAgeMs', maxAgeMs, 0, 86_400_000);
    this.maxFileBytes = maxFileBytes;
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
    this.#maxAgeMs = maxAgeMs;
  }

  /** A file that was looked at lately. */
  findFresh(key: string): HotFile | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && performance.now() - entry.checkedMs < this.#maxAgeMs
      ? entry.hot
      : undefined;
  }

  /** A file that must be looked at before it is sent. */
  findKnown(key: string): HotFile | undefined {
    return this.#entries.get(key)?.hot;
  }

  /** Looks at a file for all who wait for it; the look began before each of them asked, and no longer ago than it takes. */
  check(key: string, look: () => Promise<HotFile | undefined>): Promise<HotFile | undefined> {
    let check = this.#checks.get(key);
    if (check === undefined) {
      check = look().finally(() => this.#checks.delete(key));
      this.#checks.set(key, check);
    }
    return check;
  }

  put(key: string, hot: HotFile): void {
    this.delete(key);
    const size = sizeOf(key, hot);
    if (size > this.#maxBytes || this.#maxEntries === 0) return;
    this.#entries.set(key, { hot, checkedMs: performance.now() });
    this.#bytes += size;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#maxEntries && this.#bytes <= this.#maxBytes) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= sizeOf(key, entry.hot);
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }
}

function sizeOf(key: string, { bytes }: HotFile): number {
  return bytes.length + 2 * key.length + OVERHEAD_BYTES;
}
