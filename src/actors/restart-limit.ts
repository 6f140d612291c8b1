/** The pause before the second restart of a row, in ms; twice as long each time. The first comes at once. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;

/** How often a supervisor may restart: so often in so long, each time after a longer pause. */
export class RestartLimit {
  readonly #most: number;
  readonly #withinMs: number;
  /** When it restarted, in ms of `performance.now()`; the oldest first. */
  #times: number[] = [];

  constructor(most: number, withinMs: number) {
    this.#most = most;
    this.#withinMs = withinMs;
  }

  /** Counts a restart. @returns the pause before it in ms; undefined when there were too many */
  take(nowMs: number): number | undefined {
    this.#times = this.#times.filter((timeMs) => timeMs > nowMs - this.#withinMs);
    if (this.#times.length >= this.#most) return undefined;
    const before = this.#times.push(nowMs) - 1;
    return before === 0 ? 0 : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (before - 1));
  }
}
