import type { ExecutorMetrics } from './executor-metrics.js';

/** An executor, for whoever watches over it. */
export interface OpenExecutor {
  readonly name: string;
  metrics(): ExecutorMetrics;
}

/** Weak, as one that was never used may be dropped without being closed. */
const open = new Set<WeakRef<OpenExecutor>>();
const dropped = new FinalizationRegistry<WeakRef<OpenExecutor>>((reference) => open.delete(reference));

/**
 * The executors of this process that are not closed, those that servers share among their handlers too, in the order in which
 * they were made. Several may have one name.
 * @example for (const executor of openExecutors()) console.log(executor.metrics());
 */
export function openExecutors(): OpenExecutor[] {
  return [...open].flatMap((reference) => reference.deref() ?? []);
}

/** @returns a function to be called when it is closed */
export function addOpenExecutor(executor: OpenExecutor): () => void {
  const reference = new WeakRef(executor);
  open.add(reference);
  dropped.register(executor, reference);
  return () => open.delete(reference);
}
