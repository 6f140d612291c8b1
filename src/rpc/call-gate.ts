import { isThenable } from '../core/errors.js';

/** Lets so many pieces of work run at once, and the others wait in order. */
export class CallGate<T> {
  readonly #limit: number;
  readonly #waitingLimit: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param waitingLimit - as many may wait; work beyond is refused */
  constructor(limit: number, waitingLimit: number) {
    this.#limit = limit;
    this.#waitingLimit = waitingLimit;
  }

  /** More work has to wait. */
  get isFull(): boolean {
    return this.#running >= this.#limit;
  }

  /** Runs a piece of work, which must not throw or reject: at once, if there is room. @param refuse - gives what stands for refused work */
  run(work: () => T | Promise<T>, refuse: () => T): T | Promise<T> {
    if (!this.isFull) return this.#begin(work);
    if (this.#waiting.length >= this.#waitingLimit) return refuse();
    return new Promise<T>((resolve) => {
      this.#waiting.push(() => resolve(this.#begin(work)));
    });
  }

  #begin(work: () => T | Promise<T>): T | Promise<T> {
    this.#running++;
    const result = work();
    if (!isThenable(result)) {
      this.#running--;
      return result;
    }
    return (result as Promise<T>).then((value) => {
      this.#running--;
      this.#admit();
      return value;
    });
  }

  /** Work that is done at once leaves room for the next. */
  #admit(): void {
    while (!this.isFull) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      next();
    }
  }
}
