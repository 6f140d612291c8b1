import type { ExecutorMetrics } from '../executor/executor-metrics.js';
import { type OpenExecutor, openExecutors } from '../executor/open-executors.js';

const COUNTED = ['completed', 'refused', 'timedOut', 'lostThreads'] as const;
const PRESENT = ['threads', 'busyThreads', 'running', 'waiting'] as const;
type Counts = Record<(typeof COUNTED)[number], number>;

/** What the open executors of one name have done, and do now, taken together. */
export type ExecutorReading = Counts & Record<(typeof PRESENT)[number] | 'utilization', number>;

/**
 * Reads the open executors by name. What is counted only grows as long as one of the name is open, whichever come and go; a
 * name of which none is open is forgotten, so that names that are made up do not add up.
 */
export class ExecutorReadings {
  readonly #counts = new Map<string, Counts>();
  /** What of an executor is in these. */
  readonly #counted = new WeakMap<OpenExecutor, ExecutorMetrics>();

  read(): ReadonlyMap<string, ExecutorReading> {
    const readings = new Map<string, ExecutorReading>();
    for (const [name, executors] of groupByName()) {
      const metrics = executors.map((executor) => this.#count(executor));
      readings.set(name, { ...this.#find(name), ...addPresent(metrics) });
    }
    for (const name of this.#counts.keys()) if (!readings.has(name)) this.#counts.delete(name);
    return readings;
  }

  #count(executor: OpenExecutor): ExecutorMetrics {
    const metrics = executor.metrics();
    const before = this.#counted.get(executor);
    const counts = this.#find(metrics.name);
    for (const key of COUNTED) counts[key] += metrics[key] - (before?.[key] ?? 0);
    this.#counted.set(executor, metrics);
    return metrics;
  }

  #find(name: string): Counts {
    const known = this.#counts.get(name);
    if (known !== undefined) return known;
    const counts = { completed: 0, refused: 0, timedOut: 0, lostThreads: 0 };
    this.#counts.set(name, counts);
    return counts;
  }
}

function groupByName(): Map<string, OpenExecutor[]> {
  const groups = new Map<string, OpenExecutor[]>();
  for (const executor of openExecutors())
    groups.set(executor.name, [...(groups.get(executor.name) ?? []), executor]);
  return groups;
}

/** Utilizations are weighed by threads, of which each has one at the least, as all may have ended. */
function addPresent(metrics: readonly ExecutorMetrics[]): Omit<ExecutorReading, keyof Counts> {
  const present = { threads: 0, busyThreads: 0, running: 0, waiting: 0, utilization: 0 };
  let weights = 0;
  for (const one of metrics) {
    for (const key of PRESENT) present[key] += one[key];
    const weight = Math.max(1, one.threads);
    present.utilization += one.utilization * weight;
    weights += weight;
  }
  present.utilization /= weights;
  return present;
}
