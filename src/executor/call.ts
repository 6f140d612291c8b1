import type { Waiting, WaitQueue } from '../core/wait-queue.js';
import type { FromThread, ToThread, WireFacts } from './wire.js';

/** An entry for a thread, and the memory that moves along. */
export interface Packed {
  readonly entry: ToThread;
  readonly transfer?: readonly ArrayBuffer[] | undefined;
}

/** A thread, as its calls know it. */
export interface CallThread {
  /** Calls of its that have timed out, and are not over. */
  lateCalls: number;
  post(packed: Packed): void;
  /** Tells it of a server before the first of its requests. */
  introduce(index: number, describe: () => WireFacts): void;
  /** Takes back a call that has not begun. @returns false when it has */
  recall(call: Call): boolean;
  /** Tells it that a call's answer is not wanted any more. */
  abort(call: Call): void;
  /** Ends it, whatever it does. */
  kill(why: string): void;
}

/** What is done in a thread, and what becomes of the answer. */
export interface Work {
  /** Once it is given to a thread it cannot go to another: what it sends is not kept here. */
  readonly isPinned: boolean;
  /** What tells the thread of it; asked anew when it must go to another thread. */
  pack(call: Call, thread: CallThread): Packed;
  /** A small answer, whole. */
  replied(head: string, body: Buffer | undefined): void;
  /** Any other answer. @returns true when nothing more comes */
  told(entry: FromThread): boolean;
  /** It will not be answered. */
  failed(error: Error): void;
  /** Only of functions: why their arguments cannot be read in a thread; undefined when they can. */
  readError?(): Error | undefined;
  /** What to tell when its time is up. */
  lateError(): Error;
}

/** A piece of work on its way through an executor. */
export class Call implements Waiting {
  waitPrevious: Waiting | undefined = undefined;
  waitNext: Waiting | undefined = undefined;
  waitQueue: WaitQueue | undefined = undefined;
  waitDue = 0;

  readonly work: Work;
  readonly target: number;
  /** When it came, in ms since the epoch. */
  readonly cameMs = performance.timeOrigin + performance.now();
  /** The thread that it is with, and its place there. */
  thread: CallThread | undefined = undefined;
  slot = -1;
  ticket = 0;
  /** Its time is up, and its thread should have let go of it. */
  isLate = false;
  /** It was sent once in a message that could not be read. */
  isGivenAgain = false;
  readonly #owner: { expired(call: Call): void };

  constructor(owner: { expired(call: Call): void }, target: number, work: Work) {
    this.#owner = owner;
    this.target = target;
    this.work = work;
  }

  expire(): void {
    this.#owner.expired(this);
  }
}
