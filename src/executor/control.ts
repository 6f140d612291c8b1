/*
 * The memory that a server and one of its threads share: words that say who does what, the times of calls, and the ring
 * of small answers.
 */

/** The thread has told of answers in the ring, and the server has not looked yet. */
export const TOLD = 0;
/** Where the thread writes next into the ring, and where the server reads next: bytes since the beginning, modulo 2^32. */
export const RING_WRITTEN = 1;
export const RING_READ = 2;
/** Counts what the server has posted: what a thread that is held waits for. */
export const BELL = 3;
/** The thread is held, and wants the bell to wake it. */
export const IS_HELD = 4;
const WORDS = 8;

/** The size of the ring in bytes, a power of two. */
export const RING_BYTES = 131_072;

/** A call is offered under an even number, and claimed under the next odd one; this is one that was recalled. */
export const RECALLED = -1;

export interface Control {
  readonly shared: SharedArrayBuffer;
  readonly words: Int32Array;
  /** A word for each call that may be with the thread: its ticket. */
  readonly slots: Int32Array;
  /** When the call of each slot began and ended, in ms since the epoch, by turns. */
  readonly times: Float64Array;
  readonly ring: Buffer;
}

/** @param slots - how many calls may be with the thread */
export function createControl(slots: number): Control {
  const even = slots + (slots % 2);
  return openControl(new SharedArrayBuffer(RING_BYTES + 4 * WORDS + 20 * even));
}

export function openControl(shared: SharedArrayBuffer): Control {
  const slotsAt = RING_BYTES + 4 * WORDS;
  const slots = (shared.byteLength - slotsAt) / 20;
  return {
    shared,
    ring: Buffer.from(shared, 0, RING_BYTES),
    words: new Int32Array(shared, RING_BYTES, WORDS),
    slots: new Int32Array(shared, slotsAt, slots),
    times: new Float64Array(shared, slotsAt + 4 * slots, 2 * slots),
  };
}

/** The call of a slot begins, 0, or ends, 1. */
export function stampTime({ times }: Control, slot: number, which: 0 | 1): void {
  times[2 * slot + which] = performance.timeOrigin + performance.now();
}
