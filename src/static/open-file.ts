import { constants, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { HttpError, PermissionDenied } from '../core/http-error.js';
import type { RootFolder } from './root-folder.js';

/** An open regular file. Whoever has it closes it. */
export interface OpenFile {
  readonly path: string;
  readonly handle: FileHandle;
  readonly stats: Stats;
}

/** A FIFO would hold up `open` until somebody writes; without O_NONBLOCK, for ever. Windows has no such flag. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);
const MISSING: ReadonlySet<unknown> = new Set([
  'ENOENT',
  'ENOTDIR',
  'ENAMETOOLONG',
  'ELOOP',
  'ENXIO',
  'ENODEV',
  'EINVAL',
  'EOPNOTSUPP',
]);

/**
 * Opens a regular file; tells a folder; undefined for whatever else there is or is not: FIFOs, sockets, devices, links
 * that lead out of the root. What the system refuses to open is told only of the root's own files: of others nobody is
 * to learn whether they are there.
 * @throws {HttpError} 403 when the system refuses it, 503 when the process has too many files open
 */
export async function openFile(
  path: string,
  root: RootFolder | undefined,
): Promise<OpenFile | 'folder' | undefined> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, FLAGS);
    const stats = await handle.stat();
    const isInside = root === undefined || (await root.holds(handle, path, stats));
    if (isInside && stats.isFile()) {
      const file = { path, handle, stats };
      handle = undefined;
      return file;
    }
    return isInside && stats.isDirectory() ? 'folder' : undefined;
  } catch (error) {
    return await tellMissing(error, path, root);
  } finally {
    await handle?.close();
  }
}

/**
 * Calls back with the path of an open folder, under which it stays the same whatever becomes of its name; undefined for
 * what is no folder, or lies outside the root.
 * @throws {HttpError} 403, 503
 */
export async function withFolder<T>(
  path: string,
  root: RootFolder,
  use: (place: string) => Promise<T>,
): Promise<T | undefined> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, FLAGS);
    const stats = await handle.stat();
    if (!stats.isDirectory() || !(await root.holds(handle, path, stats))) return undefined;
    return await use(process.platform === 'linux' ? `/proc/self/fd/${handle.fd}` : path);
  } catch (error) {
    return await tellMissing(error, path, root);
  } finally {
    await handle?.close();
  }
}

async function tellMissing(error: unknown, path: string, root: RootFolder | undefined): Promise<undefined> {
  const { code } = error as NodeJS.ErrnoException;
  if (MISSING.has(code)) return undefined;
  if (code === 'EACCES' || code === 'EPERM') {
    if (root !== undefined && !(await root.holdsPath(path))) return undefined;
    throw new PermissionDenied(undefined, { cause: error });
  }
  if (code === 'EMFILE' || code === 'ENFILE')
    throw new HttpError(503, 'Too many files are open', { headers: [['Retry-After', '1']], cause: error });
  throw error;
}
