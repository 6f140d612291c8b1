import { byteLength, toBytes } from '../core/chunks.js';
import type { Chunk } from '../core/contract.js';

/** A server tells that a whole write has left, not parts of it: in slices, the progress of a slow reader is seen. */
const SLICE_BYTES = 262_144;

/** Writes chunks of any size in slices, each when the one before it has left. */
export class SlicedWriter {
  readonly #write: (chunk: Chunk) => boolean;
  #waiting: Uint8Array[] = [];
  #isBlocked = false;

  /** @param write - gives false when the next write should wait */
  constructor(write: (chunk: Chunk) => boolean) {
    this.#write = write;
  }

  /** Slices of a chunk are still to be written. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Takes a chunk in any case. False: wait for the next `drained` that gives true. */
  write(chunk: Chunk): boolean {
    if (this.#waiting.length === 0 && byteLength(chunk) <= SLICE_BYTES) {
      if (!this.#write(chunk)) this.#isBlocked = true;
      return !this.#isBlocked;
    }
    const bytes = toBytes(chunk);
    for (let at = 0; at < bytes.length; at += SLICE_BYTES)
      this.#waiting.push(bytes.subarray(at, at + SLICE_BYTES));
    return this.#flush();
  }

  /** What was written has left. @returns true when nothing waits any more */
  drained(): boolean {
    this.#isBlocked = false;
    return this.#flush();
  }

  #flush(): boolean {
    while (!this.#isBlocked) {
      const slice = this.#waiting.shift();
      if (slice === undefined) return true;
      if (!this.#write(slice)) this.#isBlocked = true;
    }
    return false;
  }
}
