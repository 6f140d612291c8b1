import type { Environ } from '../core/contract.js';

const SHORTEST_TICK_MS = 5;

/** Sees by a timer that comes late that the loop was held while requests were under way. Without any, there is no timer. */
export class HoldWatch {
  readonly #thresholdMs: number;
  readonly #tell: (heldMs: number, environs: readonly Environ[]) => void;
  readonly #tickMs: number;
  readonly #underWay = new Set<Environ>();
  /** Of them, those that are over since the last tick. */
  #ended: Environ[] = [];
  #timer: NodeJS.Timeout | undefined;
  #dueMs = 0;
  /** What somebody has told of since the last tick. */
  #knownMs = 0;

  constructor(thresholdMs: number, tell: (heldMs: number, environs: readonly Environ[]) => void) {
    this.#thresholdMs = thresholdMs;
    this.#tell = tell;
    this.#tickMs = Math.max(SHORTEST_TICK_MS, thresholdMs / 2);
  }

  /** Until the end of a request. */
  follow(environ: Environ): void {
    this.#underWay.add(environ);
    if (this.#timer === undefined) this.#begin();
    environ['vela.response'].onEnd(() => {
      // The timer looks once more, as this may be within what holds the loop.
      this.#ended.push(environ);
    });
  }

  /** It is told already that the loop was held for so long. */
  known(heldMs: number): void {
    this.#knownMs += heldMs;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#underWay.clear();
    this.#ended = [];
  }

  #begin(): void {
    this.#dueMs = performance.now() + this.#tickMs;
    this.#knownMs = 0;
    this.#timer = setInterval(() => this.#look(), this.#tickMs).unref();
  }

  #look(): void {
    const now = performance.now();
    const heldMs = now - this.#dueMs - this.#knownMs;
    this.#dueMs = now + this.#tickMs;
    this.#knownMs = 0;
    if (heldMs >= this.#thresholdMs) this.#tell(heldMs, [...this.#underWay]);
    for (const environ of this.#ended) this.#underWay.delete(environ);
    this.#ended = [];
    if (this.#underWay.size === 0) this.stop();
  }
}
