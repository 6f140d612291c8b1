import { channel } from 'node:diagnostics_channel';

/** Upper bounds of a histogram's buckets, in ms; a last one has what is longer. */
export const BUCKETS_MS = [
  0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000,
] as const;

/** How often something took how long. */
export interface Histogram {
  /** How many were at most as long as each bound of {@link BUCKETS_MS} and longer than the one before, then the rest. */
  readonly counts: readonly number[];
  readonly count: number;
  readonly sumMs: number;
}

/** What an executor has done, and does now. */
export interface ExecutorMetrics {
  readonly name: string;
  readonly threads: number;
  /** Threads that have a call. */
  readonly busyThreads: number;
  /** Calls that wait, with the server or with a thread. */
  readonly waiting: number;
  readonly running: number;
  readonly completed: number;
  /** Refused because the queue was full. */
  readonly refused: number;
  readonly timedOut: number;
  /** Threads that died, or were ended, in the middle of a call. */
  readonly lostThreads: number;
  /** From the call to its beginning in the thread. */
  readonly wait: Histogram;
  /** From there to its end. */
  readonly run: Histogram;
  /** What part of its threads' time calls have taken, since the executor began: 0 to 1. */
  readonly utilization: number;
}

/** A call that is over, as the channel `vela:executor:call` tells it. */
export interface ExecutorCallMessage {
  readonly executor: string;
  readonly module: string;
  readonly export: string;
  readonly waitMs: number;
  readonly runMs: number;
}

const calls = channel('vela:executor:call');

/** Counts in buckets. */
class Counter {
  readonly counts = new Array<number>(BUCKETS_MS.length + 1).fill(0);
  count = 0;
  sumMs = 0;

  add(ms: number): void {
    let at = 0;
    while (at < BUCKETS_MS.length && ms > (BUCKETS_MS[at] as number)) at++;
    (this.counts[at] as number)++;
    this.count++;
    this.sumMs += ms;
  }

  read(): Histogram {
    return { counts: [...this.counts], count: this.count, sumMs: this.sumMs };
  }
}

/** Keeps the figures of one executor. */
export class Meter {
  readonly wait = new Counter();
  readonly run = new Counter();
  completed = 0;
  refused = 0;
  timedOut = 0;
  lostThreads = 0;
  /** Time of threads that are gone, and when each present one began. */
  #threadMs = 0;
  readonly #began = new Map<object, number>();

  threadBegan(thread: object): void {
    this.#began.set(thread, performance.now());
  }

  threadEnded(thread: object): void {
    this.#threadMs += performance.now() - (this.#began.get(thread) ?? performance.now());
    this.#began.delete(thread);
  }

  get utilization(): number {
    const now = performance.now();
    const present = [...this.#began.values()].reduce((sum, began) => sum + now - began, 0);
    const total = this.#threadMs + present;
    return total === 0 ? 0 : Math.min(1, this.run.sumMs / total);
  }

  /** All that is counted. */
  read(): Omit<ExecutorMetrics, 'name' | 'threads' | 'busyThreads' | 'waiting' | 'running'> {
    const { completed, refused, timedOut, lostThreads, utilization } = this;
    return {
      completed,
      refused,
      timedOut,
      lostThreads,
      utilization,
      wait: this.wait.read(),
      run: this.run.read(),
    };
  }

  /** A call is over. */
  done(
    waitMs: number,
    runMs: number,
    describe: () => Pick<ExecutorCallMessage, 'executor' | 'module' | 'export'>,
  ): void {
    this.wait.add(waitMs);
    this.run.add(runMs);
    this.completed++;
    if (calls.hasSubscribers) calls.publish({ ...describe(), waitMs, runMs } satisfies ExecutorCallMessage);
  }
}
