import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Makes the folder that servers save uploads to; they are told of it as their last argument. */
export async function createUploadFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'vela-bench-uploads-'));
  return { folder, tearDown: () => rm(folder, { recursive: true, force: true }) };
}

/** The files there. */
export async function listUploads(folder) {
  return (await readdir(folder)).map((name) => join(folder, name));
}

/** Removes the files, so that the disk does not fill up and servers need not do it while they are measured. */
export async function emptyUploads(folder) {
  for (const path of await listUploads(folder)) await rm(path);
}
