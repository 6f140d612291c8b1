import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import { PayloadTooLarge } from '../core/http-error.js';
import { own } from '../core/own.js';
import { checkLimit } from './check-limit.js';

/** Options of {@link saveFile}. */
export interface SaveFileOptions {
  /** Largest file, in bytes; a larger one is 413, and removed. @defaultValue no limit of its own */
  limitBytes?: number;
  /** Put after the random name: `.png`. Take it from a list of yours, not from the client. @defaultValue none */
  extension?: string;
}

/** A file that was saved. */
export interface SavedFile {
  /** Absolute. */
  readonly path: string;
  readonly bytes: number;
}

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
const FLAGS = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
const OWNER_ONLY = 0o600;
/** Written at once. */
const BLOCK_BYTES = 262_144;

/**
 * Saves bytes, such as a part of `request.multipart()`, under a random name that nobody can guess: a new file, for
 * this user only (0600), never through a link. It is removed when the bytes do not come to their end.
 * @param directory - must be there; one that is not served to anybody
 * @example const { path } = await saveFile(part, '/var/lib/app/uploads', { limitBytes: 2 ** 20 });
 */
export function saveFile(
  content: AsyncIterable<Uint8Array>,
  directory: string,
  options?: SaveFileOptions,
): Promise<SavedFile> {
  return own(save(content, directory, options));
}

async function save(
  content: AsyncIterable<Uint8Array>,
  directory: string,
  options: SaveFileOptions = {},
): Promise<SavedFile> {
  const { limitBytes, extension = '', ...unknown } = requireOptions('saveFile', options);
  refuseUnknown('saveFile', unknown, ['limitBytes', 'extension']);
  if (typeof directory !== 'string' || directory === '')
    throw new TypeError(`saveFile takes a directory as text; received ${describeValue(directory)}`);
  if (typeof extension !== 'string' || !/^(?:\.[A-Za-z0-9]{1,16})*$/.test(extension)) {
    throw new TypeError(
      `Option "extension" must be dots, letters and digits, such as '.png'; received ${describeValue(extension)}`,
    );
  }
  const limit = checkLimit('limitBytes', limitBytes, Number.POSITIVE_INFINITY);
  const path = join(resolve(directory), randomUUID() + extension);
  return { path, bytes: await writeNewFile(path, content, limit) };
}

/** Writes a file that is not there yet, and removes it when that fails. @returns how many bytes it has */
export async function writeNewFile(
  path: string,
  content: AsyncIterable<Uint8Array>,
  limitBytes: number,
): Promise<number> {
  const file = await open(path, FLAGS, OWNER_ONLY);
  // Gathered in one block, so that small chunks do not cost a write each.
  const block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  let filled = 0;
  let bytes = 0;
  const flush = async () => {
    for (let done = 0; done < filled; ) done += (await file.write(block, done, filled - done)).bytesWritten;
    filled = 0;
  };
  try {
    for await (const chunk of content) {
      bytes += chunk.length;
      if (bytes > limitBytes)
        throw new PayloadTooLarge(`A file is larger than the limit of ${limitBytes} bytes`);
      for (let from = 0; from < chunk.length; ) {
        const part = chunk.subarray(from, from + BLOCK_BYTES - filled);
        block.set(part, filled);
        filled += part.length;
        from += part.length;
        if (filled === BLOCK_BYTES) await flush();
      }
    }
    await flush();
    await file.close();
    return bytes;
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(path, { force: true });
    throw error;
  }
}
