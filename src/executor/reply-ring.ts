import type { Chunk } from '../core/contract.js';
import { type Control, RING_BYTES, RING_READ, RING_WRITTEN } from './control.js';

/** Slot, bytes of the head, bytes of the body; -1 for a body that is not sent. */
const PREFIX_BYTES = 12;
/** Stands for a slot where the rest of the ring is left empty. */
const SKIP = -1;
/** Larger answers come as messages. */
const LARGEST_REPLY_BYTES = 8192;

/**
 * The way of small answers out of a thread: written where the server can read them at once, whatever the thread does
 * next. As messages, answers would have to be posted one by one, at 5 µs each, or be held back by a slow call behind them.
 */
export class ReplyWriter {
  readonly #words: Int32Array;
  readonly #ring: Buffer;
  readonly #view: DataView;
  #written = 0;

  constructor({ words, ring }: Control) {
    this.#words = words;
    this.#ring = ring;
    this.#view = new DataView(ring.buffer, ring.byteOffset, ring.length);
  }

  /**
   * @param head - in ISO-8859-1
   * @returns false when it does not fit
   */
  write(slot: number, head: string, body: Chunk | undefined): boolean {
    const bodyBytes =
      body === undefined ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    const bytes = PREFIX_BYTES + head.length + bodyBytes;
    if (bytes > LARGEST_REPLY_BYTES) return false;
    const size = (bytes + 3) & ~3;
    let at = this.#written & (RING_BYTES - 1);
    const skipped = at + size > RING_BYTES ? RING_BYTES - at : 0;
    const used = (this.#written - Atomics.load(this.#words, RING_READ)) >>> 0;
    if (used + skipped + size > RING_BYTES) return false;
    if (skipped > 0) {
      this.#view.setInt32(at, SKIP, true);
      at = 0;
    }
    this.#view.setInt32(at, slot, true);
    this.#view.setInt32(at + 4, head.length, true);
    this.#view.setInt32(at + 8, body === undefined ? -1 : bodyBytes, true);
    this.#ring.write(head, at + PREFIX_BYTES, 'latin1');
    const bodyAt = at + PREFIX_BYTES + head.length;
    if (typeof body === 'string') this.#ring.write(body, bodyAt, 'utf8');
    else if (body !== undefined) this.#ring.set(body, bodyAt);
    this.#written = (this.#written + skipped + size) | 0;
    Atomics.store(this.#words, RING_WRITTEN, this.#written);
    return true;
  }
}

/** Takes an answer. @param body - the receiver's own */
export type TakeReply = (slot: number, head: string, body: Buffer | undefined) => void;

/** The server's side of the ring. */
export class ReplyReader {
  readonly #words: Int32Array;
  readonly #ring: Buffer;
  readonly #view: DataView;
  #read = 0;

  constructor({ words, ring }: Control) {
    this.#words = words;
    this.#ring = ring;
    this.#view = new DataView(ring.buffer, ring.byteOffset, ring.length);
  }

  /** Takes all that is there. */
  drain(take: TakeReply): void {
    for (let written = this.#load(); written !== this.#read; written = this.#load()) {
      while (this.#read !== written) {
        const at = this.#read & (RING_BYTES - 1);
        const slot = this.#view.getInt32(at, true);
        if (slot === SKIP) {
          this.#read = (this.#read + RING_BYTES - at) | 0;
          continue;
        }
        const headBytes = this.#view.getInt32(at + 4, true);
        const bodyBytes = this.#view.getInt32(at + 8, true);
        const headAt = at + PREFIX_BYTES;
        const bodyAt = headAt + headBytes;
        const head = this.#ring.toString('latin1', headAt, bodyAt);
        const body =
          bodyBytes === -1 ? undefined : Buffer.from(this.#ring.subarray(bodyAt, bodyAt + bodyBytes));
        const size = (PREFIX_BYTES + headBytes + Math.max(0, bodyBytes) + 3) & ~3;
        this.#read = (this.#read + size) | 0;
        Atomics.store(this.#words, RING_READ, this.#read);
        take(slot, head, body);
      }
    }
  }

  #load(): number {
    return Atomics.load(this.#words, RING_WRITTEN);
  }
}
