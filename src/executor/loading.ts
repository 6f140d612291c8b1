import { type Waiting, WaitQueue } from '../core/wait-queue.js';
import type { ThreadHandle } from './thread-handle.js';

/** The thread itself, among what it loads: only Vela's own modules. */
export const ITSELF = -1;
/** How long a thread may take to come up, in ms. */
const BOOT_MS = 60_000;

/** A module on its way into a thread; or the thread itself, on its way up. */
export class Loading implements Waiting {
  waitPrevious: Waiting | undefined = undefined;
  waitNext: Waiting | undefined = undefined;
  waitQueue: WaitQueue | undefined = undefined;
  waitDue = 0;
  readonly #thread: ThreadHandle;

  constructor(thread: ThreadHandle) {
    this.#thread = thread;
  }

  /** An import cannot be stopped otherwise. */
  expire(): void {
    this.#thread.kill('a module took too long to load');
  }
}

/** The loads of each thread, by the number of the target. */
export class Loadings {
  readonly #boots = new WaitQueue(BOOT_MS);
  readonly #loads: WaitQueue;
  readonly #threads = new Map<ThreadHandle, Map<number, Loading>>();

  constructor(loadTimeoutMs: number) {
    this.#loads = new WaitQueue(loadTimeoutMs);
  }

  stop(): void {
    this.#boots.stop();
    this.#loads.stop();
  }

  begin(thread: ThreadHandle, index: number): void {
    const loadings = this.#threads.get(thread) ?? new Map<number, Loading>();
    this.#threads.set(thread, loadings);
    if (loadings.has(index)) return;
    const loading = new Loading(thread);
    loadings.set(index, loading);
    (index === ITSELF ? this.#boots : this.#loads).join(loading);
  }

  end(thread: ThreadHandle, index: number): void {
    const loadings = this.#threads.get(thread);
    const loading = loadings?.get(index);
    if (loading !== undefined) loading.waitQueue?.leave(loading);
    loadings?.delete(index);
  }

  /** The thread is gone. @returns what it had not loaded */
  forget(thread: ThreadHandle): number[] {
    const indexes = [...(this.#threads.get(thread)?.keys() ?? [])];
    for (const index of indexes) this.end(thread, index);
    this.#threads.delete(thread);
    return indexes;
  }
}
