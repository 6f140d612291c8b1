import type { Stats } from 'node:fs';
import { type FileHandle, lstat, readlink, realpath } from 'node:fs/promises';
import { resolve, sep } from 'node:path';

/** How long the folder's own path is taken as known, in ms: a deployment may point a link elsewhere. */
const REAL_PATH_MS = 1000;

/** A folder that files must lie in, once all symbolic links are followed. */
export class RootFolder {
  readonly path: string;
  #prefix = '';
  #checkedMs = Number.NEGATIVE_INFINITY;

  constructor(path: string) {
    this.path = resolve(path);
  }

  /** Whether an open file lies in this folder, told by the file itself, so that no change of its path comes between. */
  async holds(handle: FileHandle, path: string, stats: Stats): Promise<boolean> {
    const real = await findRealPath(handle, path, stats);
    if (real === undefined) return false;
    if (isWithin(real, await this.#findPrefix(REAL_PATH_MS))) return true;
    // A deployment may just have moved the root.
    return isWithin(real, await this.#findPrefix(0));
  }

  /** Whether a path lies in this folder by its spelling, whatever links do then: asked before anything is opened. */
  spans(path: string): boolean {
    return isWithin(path, withSeparator(this.path));
  }

  /** Whether a path that cannot be opened leads into this folder; false where that cannot be told. */
  async holdsPath(path: string): Promise<boolean> {
    const real = await realpath(path).catch(() => undefined);
    return real !== undefined && isWithin(real, await this.#findPrefix(0));
  }

  async #findPrefix(maxAgeMs: number): Promise<string> {
    const nowMs = performance.now();
    if (nowMs - this.#checkedMs >= maxAgeMs) {
      this.#prefix = withSeparator(await realpath(this.path));
      this.#checkedMs = nowMs;
    }
    return this.#prefix;
  }
}

function withSeparator(path: string): string {
  return path.endsWith(sep) ? path : path + sep;
}

function isWithin(path: string, prefix: string): boolean {
  return path.startsWith(prefix) || path + sep === prefix;
}

/** The path of an open file without links. */
async function findRealPath(handle: FileHandle, path: string, stats: Stats): Promise<string | undefined> {
  if (process.platform === 'linux') {
    try {
      return await readlink(`/proc/self/fd/${handle.fd}`);
    } catch {
      // Without /proc it goes on as on other systems.
    }
  }
  const real = await realpath(path);
  const found = await lstat(real);
  return found.dev === stats.dev && found.ino === stats.ino ? real : undefined;
}
