import { type DescribedFile, isSettled } from './described-file.js';
import type { HotFile } from './file-cache.js';
import type { OpenFile } from './open-file.js';

/** Reads a small file; undefined when it changes meanwhile. The file stays open. */
export async function readHot(
  { path, handle, stats }: OpenFile,
  file: DescribedFile,
  known: HotFile | undefined,
): Promise<HotFile | undefined> {
  if (known?.isSettled === true && known.path === path && isSame(known.stats, stats))
    return { ...known, file, stats };
  const nowMs = Date.now();
  const bytes = Buffer.allocUnsafeSlow(stats.size);
  let length = 0;
  while (length < bytes.length) {
    const { bytesRead } = await handle.read(bytes, length, bytes.length - length, length);
    if (bytesRead === 0) return undefined;
    length += bytesRead;
  }
  if (!isSame(stats, await handle.stat())) return undefined;
  return { path, file, bytes, stats, isSettled: isSettled(stats, nowMs) };
}

type Identity = Pick<HotFile['stats'], 'dev' | 'ino' | 'size' | 'mtimeMs' | 'ctimeMs'>;

function isSame(one: Identity, other: Identity): boolean {
  return (
    one.size === other.size &&
    one.mtimeMs === other.mtimeMs &&
    one.ctimeMs === other.ctimeMs &&
    one.ino === other.ino &&
    one.dev === other.dev
  );
}
