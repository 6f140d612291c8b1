import type { Chunk, FileLike } from './contract.js';
import { describeValue } from './errors.js';

const DEFAULT_BLOCK_BYTES = 65_536;

/**
 * A body that reads a file from its current position to its end, block by block, and closes it: `wsgi.file_wrapper`.
 * @param blockBytes - how much is read at a time
 * @see {@link https://peps.python.org/pep-3333/#optional-platform-specific-file-handling | PEP 3333}
 */
export function fileWrapper(file: FileLike, blockBytes: number = DEFAULT_BLOCK_BYTES): AsyncIterable<Chunk> {
  if (typeof file?.read !== 'function' || typeof file.close !== 'function')
    throw new TypeError(`wsgi.file_wrapper takes a FileHandle; received ${describeValue(file)}`);
  if (!Number.isSafeInteger(blockBytes) || blockBytes < 1)
    throw new TypeError(
      `wsgi.file_wrapper takes a whole number of bytes above 0; received ${describeValue(blockBytes)}`,
    );
  return new FileBody(file, blockBytes);
}

/** Closed also when it was never read: no generator, as one that was not begun runs no `finally`. */
class FileBody implements AsyncIterableIterator<Chunk> {
  readonly #file: FileLike;
  readonly #blockBytes: number;
  #closing: Promise<void> | undefined;

  constructor(file: FileLike, blockBytes: number) {
    this.#file = file;
    this.#blockBytes = blockBytes;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Chunk>> {
    if (this.#closing === undefined) {
      const block = Buffer.allocUnsafeSlow(this.#blockBytes);
      const { bytesRead } = await this.#file.read(block, 0, block.length, null);
      if (bytesRead > 0) return { done: false, value: block.subarray(0, bytesRead) };
    }
    return this.return();
  }

  async return(): Promise<IteratorResult<Chunk>> {
    this.#closing ??= this.#file.close();
    await this.#closing;
    return { done: true, value: undefined };
  }
}
