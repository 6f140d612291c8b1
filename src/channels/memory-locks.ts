import type { LockKeeper, LockRequest } from './lock-keeper.js';

/** So many may wait for one lock. */
const MOST_WAITING = 10_000;

interface Waiter {
  readonly request: LockRequest;
  readonly owner: string;
  settle(isHad: boolean): void;
}

interface Held {
  token: string;
  owner: string;
  timer: NodeJS.Timeout;
  readonly waiting: Waiter[];
}

/** Locks in the memory of this process: those of a program are in its main process. First come, first served. */
export class MemoryLocks implements LockKeeper {
  readonly #held = new Map<string, Held>();

  /** @param owner - whose locks go when it dies */
  acquire(name: string, request: LockRequest, owner = ''): Promise<number | undefined> {
    request.signal?.throwIfAborted();
    const held = this.#held.get(name);
    if (held === undefined) {
      this.#hold(name, request, owner, []);
      return Promise.resolve(performance.now());
    }
    if (request.waitMs === 0 || held.waiting.length >= MOST_WAITING) return Promise.resolve(undefined);
    return this.#wait(held, request, owner);
  }

  release(name: string, token: string): Promise<boolean> {
    const held = this.#held.get(name);
    if (held?.token === token) {
      this.#passOn(name, held);
      return Promise.resolve(true);
    }
    held?.waiting.find(({ request }) => request.token === token)?.settle(false);
    return Promise.resolve(false);
  }

  /** Gives back what belongs to somebody who is gone. */
  releaseAll(owner: string): void {
    for (const [name, held] of this.#held) {
      for (const waiter of held.waiting.filter((one) => one.owner === owner)) waiter.settle(false);
      if (held.owner === owner) this.#passOn(name, held);
    }
  }

  #wait(held: Held, request: LockRequest, owner: string): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer);
        request.signal?.removeEventListener('abort', abort);
        const at = held.waiting.indexOf(waiter);
        if (at !== -1) held.waiting.splice(at, 1);
      };
      const abort = () => {
        leave();
        reject(request.signal?.reason);
      };
      const waiter: Waiter = {
        request,
        owner,
        settle: (isHad) => {
          leave();
          resolve(isHad ? performance.now() : undefined);
        },
      };
      const timer = setTimeout(() => waiter.settle(false), request.waitMs);
      request.signal?.addEventListener('abort', abort, { once: true });
      held.waiting.push(waiter);
    });
  }

  #hold(name: string, { token, timeoutMs }: LockRequest, owner: string, waiting: Waiter[]): void {
    const held: Held = {
      token,
      owner,
      waiting,
      timer: setTimeout(() => this.#passOn(name, held), timeoutMs).unref(),
    };
    this.#held.set(name, held);
  }

  #passOn(name: string, { timer, waiting }: Held): void {
    clearTimeout(timer);
    this.#held.delete(name);
    const [next] = waiting;
    if (next === undefined) return;
    this.#hold(name, next.request, next.owner, waiting);
    next.settle(true);
  }
}
