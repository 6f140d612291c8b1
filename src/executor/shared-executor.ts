import type { StartContext } from '../core/contract.js';
import { createExecutor, type Executor } from './executor.js';

interface Shared {
  readonly executor: Executor;
  users: number;
}

/** How long threads have to let go of requests that are over. */
const ABANDONED_MS = 1000;

/** One for each server, by the signal that only it has. */
const shared = new WeakMap<AbortSignal, Shared>();

/** The executor that handlers of a server share, sized by the setting `threadWorkers`. Give it back with the function. */
export function takeSharedExecutor({ config, stopping }: StartContext): {
  executor: Executor;
  release: () => Promise<void>;
} {
  let entry = shared.get(stopping);
  if (entry === undefined) {
    const { threadWorkers } = config;
    const maxThreads = typeof threadWorkers === 'number' ? threadWorkers : undefined;
    const watch = config.debug;
    entry = {
      executor: createExecutor(maxThreads === undefined ? { watch } : { watch, maxThreads }),
      users: 0,
    };
    shared.set(stopping, entry);
  }
  const taken = entry;
  taken.users++;
  return {
    executor: taken.executor,
    async release() {
      if (--taken.users > 0) return;
      shared.delete(stopping);
      // The server has waited for its requests: what is left has been cut.
      await taken.executor.close({ timeoutMs: ABANDONED_MS });
    },
  };
}
