import { BLOCK_BYTES } from '../wire.js';

/** As many as are under way of one response, and some. */
const MOST = 16;

/**
 * Memory in which chunks of responses go to the server, and which comes back: made anew for each chunk, it would be let go
 * of by the collector alone, which took half of the time of a long stream.
 */
export class BlockPool {
  readonly #free: ArrayBuffer[] = [];

  /** A copy of a chunk, of `BLOCK_BYTES` at the most, in a block of its own. */
  copy(chunk: Uint8Array): Uint8Array {
    const block = this.#free.pop() ?? new ArrayBuffer(BLOCK_BYTES);
    const bytes = new Uint8Array(block, 0, chunk.length);
    bytes.set(chunk);
    return bytes;
  }

  giveBack(blocks: readonly ArrayBuffer[]): void {
    for (const block of blocks) if (this.#free.length < MOST) this.#free.push(block);
  }
}
