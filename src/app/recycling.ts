import type { Actor } from '../actors/actor.js';
import type { ResolvedSettings } from './resolve-settings.js';

/** The command by which a worker asks its monitor for another one in its place. */
export const RECYCLE = 'recycle';
/** How often a worker looks at its memory, in ms. */
const LOOK_MS = 2000;
/** Which part of its age is up to chance. */
const AGE_JITTER = 0.1;

/** Asks for another worker in the place of this one, when it has grown too large, too old, or done enough. */
export class Recycling {
  readonly #worker: Actor;
  readonly #mostRequests: number;
  #isAsked = false;

  constructor(worker: Actor, settings: ResolvedSettings) {
    const { maxRequests, maxRequestsJitter, maxWorkerMemoryBytes, maxWorkerAgeMs } = settings;
    this.#worker = worker;
    this.#mostRequests =
      maxRequests === 0
        ? Number.POSITIVE_INFINITY
        : maxRequests + Math.floor(Math.random() * (maxRequestsJitter + 1));
    if (maxWorkerMemoryBytes > 0)
      worker.periodicTask(LOOK_MS, () => {
        const bytes = process.memoryUsage.rss();
        if (bytes > maxWorkerMemoryBytes)
          this.#ask(`${bytes} bytes are resident, and "maxWorkerMemoryBytes" is ${maxWorkerMemoryBytes}`);
      });
    if (maxWorkerAgeMs > 0) {
      const ageMs = maxWorkerAgeMs * (1 + AGE_JITTER * (2 * Math.random() - 1));
      setTimeout(() => this.#ask(`it has served for "maxWorkerAgeMs"`), ageMs).unref();
    }
  }

  /** It has begun so many requests. */
  worked(requests: number): void {
    if (requests >= this.#mostRequests && !this.#isAsked)
      this.#ask(`it has served ${requests} requests, and "maxRequests" is reached`);
  }

  #ask(why: string): void {
    if (this.#isAsked || !this.#worker.isRunning()) return;
    this.#isAsked = true;
    const { name } = this.#worker;
    this.#worker.logger.info({ worker: name }, `the worker "${name}" is replaced: ${why}`);
    this.#worker.send('monitor', RECYCLE).catch(() => {
      this.#isAsked = false;
    });
  }
}
