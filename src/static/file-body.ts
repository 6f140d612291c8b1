import type { FileHandle } from 'node:fs/promises';
import { LENDING_ITERATOR, type LendingBody } from '../core/body-pump.js';
import { VelaError } from '../core/errors.js';
import type { Piece } from './plan-response.js';

/**
 * A body of parts of a file, read block by block where they stand, as fast as the client takes them. It closes the file.
 *
 * The server has all blocks in the same memory: a new one for each costs three times as much as all the rest, as the kernel
 * must find, clear and take back its pages.
 */
export class FileBody implements AsyncIterableIterator<Uint8Array>, LendingBody {
  readonly #file: FileHandle;
  readonly #pieces: readonly Piece[];
  readonly #blockBytes: number;
  #index = 0;
  /** How much of the current piece was given. */
  #givenBytes = 0;
  #isLending = false;
  #block = Buffer.alloc(0);
  #closing: Promise<void> | undefined;

  constructor(file: FileHandle, pieces: readonly Piece[], blockBytes: number) {
    this.#file = file;
    this.#pieces = pieces;
    this.#blockBytes = blockBytes;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [LENDING_ITERATOR](): this {
    this.#isLending = true;
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const piece = this.#pieces[this.#index];
    if (piece === undefined || this.#closing !== undefined) return this.return();
    if (piece instanceof Uint8Array) {
      this.#index++;
      return { done: false, value: piece };
    }
    const start = piece.start + this.#givenBytes;
    const leftBytes = piece.end + 1 - start;
    const block = this.#takeBlock(Math.min(leftBytes, this.#blockBytes));
    const { bytesRead } = await this.#file.read(block, 0, block.length, start);
    if (bytesRead === 0) throw new VelaError('ERR_FILE_SHRANK', shrankMessage(start + leftBytes, start));
    if (bytesRead === leftBytes) {
      this.#index++;
      this.#givenBytes = 0;
    } else {
      this.#givenBytes += bytesRead;
    }
    return { done: false, value: block.subarray(0, bytesRead) };
  }

  #takeBlock(bytes: number): Buffer {
    if (!this.#isLending) return Buffer.allocUnsafeSlow(bytes);
    if (this.#block.length < bytes) this.#block = Buffer.allocUnsafeSlow(bytes);
    return this.#block.subarray(0, bytes);
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#closing ??= this.#file.close();
    await this.#closing;
    return { done: true, value: undefined };
  }
}

function shrankMessage(statedBytes: number, foundBytes: number): string {
  return `The file became shorter while it was sent: ${statedBytes} bytes were stated, and it ends at ${foundBytes}. Write to another file, and rename it`;
}
