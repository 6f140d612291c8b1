import { Buffer } from 'node:buffer';

/** Pieces smaller than this are gathered, so that a body of one-byte pieces costs no more memory than its bytes. */
const SMALL_BYTES = 1024;
const GATHER_BYTES = 16_384;
/** Memory of such pieces is used again, while the system gives that of large ones anew each time. */
const PIECE_BYTES = 16_384;
const EMPTY = Buffer.alloc(0);

/** How far a search for a line's end has come; begin with `{ chunk: 0, offset: 0, before: 0 }`. */
export interface LineScan {
  chunk: number;
  /** Bytes of that chunk that were searched. */
  offset: number;
  /** Bytes of all chunks before it. */
  before: number;
}

/** Bytes in the order in which they came, taken from the front. */
export class ByteQueue {
  /** How many bytes are held. */
  length = 0;
  #chunks: Buffer[] = [];
  /** Where small pieces are gathered: the last chunk is the part from `#gatherStart` to `#gatherEnd`. */
  #gather: Buffer | undefined;
  #gatherStart = 0;
  #gatherEnd = 0;
  /** Bytes that are still to be copied: they are there only for as long as the gateway's call, and often taken within it. */
  #lent: Uint8Array | undefined = undefined;
  #isLentWhole = false;

  /**
   * @param isOwned - the bytes are a Buffer that may be kept; else they are copied
   * @param isWhole - they are taken together with all others, and so are copied as they are
   */
  push(bytes: Uint8Array, isOwned: boolean, isWhole: boolean): void {
    this.length += bytes.length;
    if (bytes.length < SMALL_BYTES && this.#chunks.length > 0) {
      this.#append(bytes);
      return;
    }
    if (isOwned) this.#chunks.push(bytes as Buffer);
    else if (isWhole) this.#chunks.push(copyBytes(bytes));
    else
      for (let at = 0; at < bytes.length; at += PIECE_BYTES)
        this.#chunks.push(copyBytes(bytes.subarray(at, at + PIECE_BYTES)));
    this.#gatherStart = this.#gatherEnd;
  }

  /** Bytes of which others have to be copied while they are there: {@link ByteQueue.keep} does so. Nothing else is held yet. */
  lend(bytes: Uint8Array, isWhole: boolean): void {
    this.length = bytes.length;
    this.#lent = bytes;
    this.#isLentWhole = isWhole;
  }

  /** Copies what was lent, if it is still held. */
  keep(): void {
    const lent = this.#lent;
    if (lent === undefined) return;
    this.#lent = undefined;
    this.length = 0;
    this.push(lent, false, this.#isLentWhole);
  }

  /** Takes all for use at once: where it was lent, it is there only as long as the gateway's call. */
  takeAtOnce(): Buffer {
    const lent = this.#lent;
    if (lent === undefined) return this.take(this.length);
    this.clear();
    return Buffer.from(lent.buffer, lent.byteOffset, lent.byteLength);
  }

  /** Takes `size` bytes from the front, fewer when fewer are there. */
  take(size: number): Buffer {
    this.keep();
    const chunks = this.#chunks;
    const first = chunks[0];
    if (first === undefined || size === 0) return EMPTY;
    if (size < this.length) return this.#takePart(size);
    const taken = chunks.length === 1 ? first : Buffer.concat(chunks, this.length);
    this.clear();
    return taken;
  }

  /** Takes the first chunk as it is; empty when none is there. */
  takeChunk(): Buffer {
    this.keep();
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return EMPTY;
    this.length -= chunk.length;
    if (this.#chunks.length === 0) this.#gatherStart = this.#gatherEnd;
    return chunk;
  }

  clear(): void {
    this.#chunks = [];
    this.#lent = undefined;
    this.length = 0;
    this.#gatherStart = this.#gatherEnd;
  }

  /** How long the first line is, its `\n` included; 0 when no `\n` is there. What was searched is not searched again. */
  findLine(scan: LineScan): number {
    this.keep();
    for (; ; scan.chunk++) {
      const chunk = this.#chunks[scan.chunk];
      if (chunk === undefined) return 0;
      const at = chunk.indexOf(10, scan.offset);
      if (at !== -1) return scan.before + at + 1;
      scan.offset = chunk.length;
      // The last chunk may still grow.
      if (scan.chunk === this.#chunks.length - 1) return 0;
      scan.before += chunk.length;
      scan.offset = 0;
    }
  }

  /** Adds a small piece to the gathered last chunk, or begins a new one. */
  #append(bytes: Uint8Array): void {
    let gather = this.#gather;
    if (gather === undefined || this.#gatherEnd + bytes.length > gather.length) {
      gather = Buffer.allocUnsafeSlow(GATHER_BYTES);
      this.#gather = gather;
      this.#gatherStart = 0;
      this.#gatherEnd = 0;
    }
    gather.set(bytes, this.#gatherEnd);
    const continues = this.#gatherEnd > this.#gatherStart;
    this.#gatherEnd += bytes.length;
    const chunk = gather.subarray(this.#gatherStart, this.#gatherEnd);
    if (continues) this.#chunks[this.#chunks.length - 1] = chunk;
    else this.#chunks.push(chunk);
  }

  #takePart(size: number): Buffer {
    const parts: Buffer[] = [];
    let missing = size;
    let used = 0;
    for (const chunk of this.#chunks) {
      if (missing === 0) break;
      if (missing < chunk.length) {
        parts.push(chunk.subarray(0, missing));
        this.#chunks[used] = chunk.subarray(missing);
        missing = 0;
        break;
      }
      parts.push(chunk);
      missing -= chunk.length;
      used++;
    }
    this.#chunks.splice(0, used);
    this.#gatherStart = this.#gatherEnd;
    this.length -= size;
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, size);
  }
}

function copyBytes(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafe(bytes.length);
  copy.set(bytes);
  return copy;
}
