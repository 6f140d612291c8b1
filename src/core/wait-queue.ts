/** A thing that waits in a {@link WaitQueue}: the queue's links are its own fields, so that waiting allocates nothing. */
export interface Waiting {
  waitPrevious: Waiting | undefined;
  waitNext: Waiting | undefined;
  waitQueue: WaitQueue | undefined;
  /** The tick at which the wait is over. */
  waitDue: number;
  /** Called when the wait is over; it has left the queue. */
  expire(): void;
}

/** How many ticks a short time-out is divided into: it comes at most one tick late. */
const TICKS = 16;
const SHORTEST_TICK_MS = 5;
/** An idle queue keeps its process up for one tick. */
const LONGEST_TICK_MS = 100;

/**
 * Waits that all last equally long. As each new one ends last, a linked list is in order by itself: joining, leaving
 * and renewing cost a few assignments and read no clock, and one timer serves all.
 */
export class WaitQueue {
  /** Infinity for waits without an end. */
  readonly timeoutMs: number;
  #first: Waiting | undefined;
  #last: Waiting | undefined;
  #timer: NodeJS.Timeout | undefined;
  #tick = 0;
  #ticks: number;
  #tickMs: number;

  constructor(timeoutMs: number) {
    this.timeoutMs = timeoutMs;
    this.#tickMs = Math.min(LONGEST_TICK_MS, Math.max(SHORTEST_TICK_MS, Math.ceil(timeoutMs / TICKS)));
    // One more, as the first tick may come at once.
    this.#ticks = Math.ceil(timeoutMs / this.#tickMs) + 1;
  }

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  /** Starts a wait, or starts it anew. */
  join(one: Waiting): void {
    const due = this.#tick + this.#ticks;
    if (one.waitQueue !== undefined) {
      if (one.waitQueue === this && one.waitDue === due) return;
      one.waitQueue.leave(one);
    }
    one.waitQueue = this;
    one.waitDue = due;
    one.waitPrevious = this.#last;
    if (this.#last === undefined) this.#first = one;
    else this.#last.waitNext = one;
    this.#last = one;
    if (this.timeoutMs !== Number.POSITIVE_INFINITY)
      this.#timer ??= setInterval(() => this.#advance(), this.#tickMs);
  }

  /** Ends a wait early. */
  leave(one: Waiting): void {
    if (one.waitQueue !== this) return;
    const { waitPrevious, waitNext } = one;
    if (waitPrevious === undefined) this.#first = waitNext;
    else waitPrevious.waitNext = waitNext;
    if (waitNext === undefined) this.#last = waitPrevious;
    else waitNext.waitPrevious = waitPrevious;
    one.waitQueue = undefined;
    one.waitPrevious = undefined;
    one.waitNext = undefined;
  }

  /** All that wait, the longest first. */
  *[Symbol.iterator](): Generator<Waiting> {
    for (let one = this.#first; one !== undefined; ) {
      const next: Waiting | undefined = one.waitNext;
      yield one;
      one = next;
    }
  }

  /** Forgets its timer, which would keep the process up to one tick longer. Nothing waits any more. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #advance(): void {
    this.#tick++;
    for (let first = this.#first; first !== undefined && first.waitDue <= this.#tick; first = this.#first) {
      this.leave(first);
      first.expire();
    }
    if (this.#first === undefined) this.stop();
  }
}
