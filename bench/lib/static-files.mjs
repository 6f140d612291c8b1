import { createHash } from 'node:crypto';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The files of the static rows. */
export const STATIC_FILES = [
  { name: '1k.bin', bytes: makeBytes(1 << 10) },
  { name: '100k.bin', bytes: makeBytes(100 << 10) },
  { name: '10m.bin', bytes: makeBytes(10 << 20) },
];

/** A file that was changed just now has a weak tag at some servers; these are from another year. */
const CHANGED = new Date('2026-01-01T00:00:00Z');

/** Writes the files to a folder of their own, which servers are told as their last argument. */
export async function createStaticFiles() {
  const folder = await mkdtemp(join(tmpdir(), 'vela-bench-static-'));
  for (const { name, bytes } of STATIC_FILES) {
    const path = join(folder, name);
    await writeFile(path, bytes);
    await utimes(path, CHANGED, CHANGED);
  }
  return { folder, tearDown: () => rm(folder, { recursive: true, force: true }) };
}

/** Bytes that no one compresses or guesses, the same in each run. */
export function makeBytes(size) {
  const blocks = [];
  for (let block = 0; block * 64 < size; block++) blocks.push(createHash('sha512').update(`block ${block}`).digest());
  return Buffer.concat(blocks).subarray(0, size);
}
