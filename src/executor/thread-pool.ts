import type { Piscina } from 'piscina';
import { toError } from '../core/errors.js';
import { waitAtMost } from '../core/wait-at-most.js';
import type { Call } from './call.js';
import type { ResolvedOptions } from './executor-options.js';
import { findNesting } from './nesting.js';
import { createPiscina, startThread } from './start-thread.js';
import type { ThreadEvents } from './thread-events.js';
import { ThreadHandle } from './thread-handle.js';

/** Whom a pool reports to. */
export interface PoolEvents extends Omit<ThreadEvents<ThreadHandle>, 'freed'> {
  /** A thread was made. */
  made(thread: ThreadHandle): void;
  /** A thread is gone. @param error - why, unless it was told to end @param begun - calls that it will not answer */
  ended(thread: ThreadHandle, error: Error | undefined, begun: readonly Call[]): void;
  /** No thread comes up, so these will not be answered. */
  stranded(calls: readonly Call[], error: Error | undefined): void;
}

/** How long a thread may be silent before what waits behind its call is given to another, in ms. */
const SILENT_MS = 1;
/** How often calls that wait are looked at, in ms. */
const BALANCE_MS = 2;
/** How long a thread has to stop what it started, in ms. */
const CLOSE_MS = 1000;
const SHORTEST_SWEEP_MS = 100;
/** A thread that dies before it was of any use has its successor so much later, twice as much each time. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;

/** Threads, and the calls that wait for them: an idle thread comes first, and no call waits behind a slow one for long. */
export class ThreadPool {
  readonly #options: ResolvedOptions;
  readonly #events: PoolEvents;
  readonly #depth: number;
  readonly #nesting = findNesting();
  #piscina: Promise<Piscina> | undefined;
  #threads: ThreadHandle[] = [];
  readonly #gone = new WeakMap<ThreadHandle, Promise<void>>();
  #queue: Call[] = [];
  #emptied: (() => void) | undefined;
  #balancer: NodeJS.Timeout | undefined;
  #sweeper: NodeJS.Timeout | undefined;
  #isClosing = false;
  /** Its threads finish what they have, and no others come. */
  #isRetiring = false;
  #pauseMs = 0;
  /** No thread is made before this time of `performance.now()`. */
  #pausedUntilMs = 0;

  constructor(options: ResolvedOptions, events: PoolEvents) {
    this.#options = options;
    this.#events = events;
    this.#depth = options.concurrency + options.ahead;
  }

  /** Threads that take calls, or have some. */
  get threads(): readonly ThreadHandle[] {
    return this.#threads.filter((thread) => thread.isReady);
  }

  get queued(): number {
    return this.#queue.length;
  }

  /** Gives a call to a thread, or lets it wait. @returns false when too many wait */
  place(call: Call): boolean {
    // Behind those that wait already: one of them may need a thread of its own.
    const thread = this.#queue.length === 0 ? this.#choose(call) : undefined;
    if (thread !== undefined) thread.give(call);
    else if (this.#queue.length >= this.#options.maxQueue) return false;
    else this.#queue.push(call);
    if (thread === undefined || thread.load > 1) this.#watch();
    return true;
  }

  /** Takes back a call that waits. @returns false for one that has begun */
  take(call: Call): boolean {
    if (call.thread === undefined) {
      const at = this.#queue.indexOf(call);
      if (at !== -1) this.#queue.splice(at, 1);
    } else if (!call.thread.recall(call)) {
      return false;
    }
    this.#feed();
    return true;
  }

  /** Takes out what waits for a target that cannot be had. */
  takeQueued(target: number): Call[] {
    const taken = this.#queue.filter((call) => call.target === target);
    this.#queue = this.#queue.filter((call) => call.target !== target);
    if (this.#queue.length === 0) this.#emptied?.();
    return taken;
  }

  /** A thread that takes calls; one is made when there is none. */
  ensure(): ThreadHandle | undefined {
    const present = this.#threads.filter((thread) => !thread.isClosing);
    if (present.length === 0) this.#make();
    return present.find((thread) => thread.isReady);
  }

  /** Puts new threads in the place of those that there are. */
  async renew(): Promise<void> {
    const old = this.#threads.filter((thread) => !thread.isClosing);
    for (const thread of old) thread.isClosing = true;
    this.#queue.unshift(...old.flatMap((thread) => thread.recallSome(Number.POSITIVE_INFINITY)));
    if (old.length > 0) this.#make();
    await Promise.all(old.map((thread) => this.#retire(thread, Number.POSITIVE_INFINITY)));
  }

  /** Waits for all calls, until `deadlineMs` of `performance.now()`, and ends all threads. */
  async close(deadlineMs: number): Promise<void> {
    this.#isClosing = true;
    const emptied = new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
    if (this.#queue.length > 0) await waitAtMost(emptied, deadlineMs - performance.now());
    this.#isRetiring = true;
    this.#events.stranded(this.#queue.splice(0), undefined);
    clearInterval(this.#sweeper);
    clearTimeout(this.#balancer);
    await Promise.all(this.#threads.map((thread) => this.#retire(thread, deadlineMs)));
    await (await this.#piscina)?.destroy();
  }

  /** The thread with the fewest calls that has room; for one that cannot be taken back, only one that begins it at once. */
  #choose({ work }: Call): ThreadHandle | undefined {
    const depth = work.isPinned ? this.#options.concurrency : this.#depth;
    let best: ThreadHandle | undefined;
    for (const thread of this.#threads) {
      if (!thread.isReady || thread.isClosing || thread.lateCalls > 0 || thread.load >= depth) continue;
      if (thread.load === 0) return thread;
      if (best === undefined || thread.load < best.load) best = thread;
    }
    return best;
  }

  /** Gives threads that have room what waits, in order. */
  #feed(): void {
    for (let call = this.#queue[0]; call !== undefined; call = this.#queue[0]) {
      const thread = this.#choose(call);
      if (thread === undefined) return;
      this.#queue.shift();
      thread.give(call);
    }
    this.#emptied?.();
  }

  /** As long as calls wait, they are looked at. */
  #watch(): void {
    if (this.#isRetiring) return;
    if (this.#threads.every((thread) => thread.isClosing)) this.#makeUnlessPaused();
    this.#balancer ??= setTimeout(() => {
      this.#balancer = undefined;
      this.#balance();
    }, BALANCE_MS);
  }

  /** What waits behind a slow call goes to a thread that is idle, or to a new one. */
  #balance(): void {
    const { maxThreads } = this.#options;
    const silentSince = performance.now() - SILENT_MS;
    const crowded = this.#threads.filter((thread) => thread.isReady && thread.load > 1 && thread.waiting > 0);
    if (crowded.length === 0 && this.#queue.length === 0) return;
    const slow = crowded.filter((thread) => thread.heardMs < silentSince);
    for (const thread of this.#threads) {
      if (thread.isReady && !thread.isClosing && thread.load === 0) this.#relieve(slow, thread);
    }
    const isStuck = slow.some((thread) => thread.waiting > 0) || this.#queue.length > 0;
    const isBooting = this.#threads.some((thread) => !thread.isReady);
    const present = this.#threads.filter((thread) => !thread.isClosing && thread.lateCalls === 0).length;
    if (isStuck && !isBooting && present < maxThreads) this.#makeUnlessPaused();
    this.#watch();
  }

  /** Gives an idle thread half of what waits with a slow one. */
  #relieve(slow: readonly ThreadHandle[], idle: ThreadHandle): void {
    for (const thread of slow) {
      const { waiting } = thread;
      for (const call of thread.recallSome(Math.ceil(waiting / 2))) idle.give(call);
      if (idle.load > 0) return;
    }
  }

  #makeUnlessPaused(): void {
    if (performance.now() >= this.#pausedUntilMs) this.#make();
  }

  #make(): void {
    const { concurrency, idleTimeoutMs } = this.#options;
    const thread = new ThreadHandle(
      {
        ...this.#events,
        ready: (one) => {
          this.#events.ready(one);
          this.#feed();
        },
        freed: () => this.#feed(),
      },
      this.#depth,
      concurrency,
      this.#nesting,
    );
    this.#threads.push(thread);
    this.#events.made(thread);
    this.#piscina ??= createPiscina(this.#options, (error) => {
      // Which one it was is not told, and what befell it befalls all.
      for (const one of this.#threads) if (!one.isReady) one.kill(error.message);
    });
    const gone = startThread(this.#piscina, thread).then(
      () => this.#ended(thread, undefined),
      (error: unknown) => this.#ended(thread, toError(error)),
    );
    this.#gone.set(thread, gone);
    this.#sweeper ??= setInterval(
      () => this.#sweep(),
      Math.max(SHORTEST_SWEEP_MS, idleTimeoutMs / 2),
    ).unref();
  }

  #ended(thread: ThreadHandle, thrown: Error | undefined): void {
    const { isReady, isClosing, answered, killReason } = thread;
    const error = killReason === undefined ? thrown : new Error(killReason);
    const { begun, waiting } = thread.die();
    const wasUseful = answered > 0 || begun.length > 0;
    this.#threads = this.#threads.filter((one) => one !== thread);
    this.#queue.unshift(...waiting);
    if (!isClosing) this.#pause(wasUseful);
    this.#events.ended(thread, isClosing && begun.length === 0 ? undefined : error, begun);
    // What keeps one thread from coming up keeps them all.
    const isLast = this.#threads.every((one) => one.isClosing);
    if (this.#isRetiring || (!isReady && isLast)) this.#events.stranded(this.#queue.splice(0), error);
    const isShort = this.#threads.length < this.#options.minThreads;
    if (isShort && wasUseful && !isClosing && !this.#isClosing) this.#make();
    this.#feed();
    if (this.#queue.length > 0) this.#watch();
  }

  /** A thread has died. */
  #pause(wasUseful: boolean): void {
    this.#pauseMs = wasUseful ? 0 : Math.min(LONGEST_PAUSE_MS, 2 * this.#pauseMs || FIRST_PAUSE_MS);
    this.#pausedUntilMs = performance.now() + this.#pauseMs;
  }

  /** Ends threads that have had nothing to do. */
  #sweep(): void {
    const { idleTimeoutMs, minThreads } = this.#options;
    const present = this.#threads.filter((thread) => !thread.isClosing);
    const idleSince = performance.now() - idleTimeoutMs;
    const idle = present.filter(
      (thread) => thread.isReady && thread.load === 0 && !thread.isLoading && thread.heardMs <= idleSince,
    );
    for (const thread of idle.slice(0, Math.max(0, present.length - minThreads)))
      void this.#retire(thread, Number.POSITIVE_INFINITY);
  }

  /** Lets a thread finish its calls, and ends it. */
  async #retire(thread: ThreadHandle, deadlineMs: number): Promise<void> {
    thread.isClosing = true;
    if (thread.isReady) {
      await waitAtMost(thread.idle(), deadlineMs - performance.now());
      if (thread.load === 0 && this.#threads.includes(thread)) {
        await waitAtMost(thread.close(), CLOSE_MS);
      }
    }
    if (this.#threads.includes(thread)) thread.kill('the executor was closed');
    await this.#gone.get(thread);
  }
}
