import type { Metric } from 'prom-client';
import { collectDefaultMetrics } from './client.js';
import { makeMetrics, type NamedMetrics } from './make-metrics.js';
import type { MetricsRegister } from './metrics-options.js';

/**
 * prom-client's metrics of the process, by the format of the registers that have them. There is one set for all servers, made
 * when the first one starts and kept for good: what prom-client observes of Node, it gives no way to end.
 */
const sets = new Map<string, NamedMetrics>();

interface Added {
  readonly metrics: Set<Metric>;
  users: number;
}

const added = new WeakMap<MetricsRegister, Added>();

/**
 * Adds the metrics of the process to a register, but for those that it has already.
 * @returns a function that takes them out when the last of its users has called it; to be called once
 */
export function addProcessMetrics(register: MetricsRegister): () => void {
  const entry = added.get(register) ?? { metrics: new Set(), users: 0 };
  added.set(register, entry);
  for (const metric of findMissing(register)) {
    register.registerMetric(metric);
    entry.metrics.add(metric);
  }
  entry.users++;
  return () => {
    if (--entry.users > 0) return;
    added.delete(register);
    for (const name of findSet(register).keys()) {
      for (const key of keysOf(name)) {
        const metric = register.getSingleMetric(key);
        if (metric !== undefined && entry.metrics.has(metric)) register.removeSingleMetric(key);
      }
    }
  };
}

function findMissing(register: MetricsRegister): Metric[] {
  return [...findSet(register)].flatMap(([name, metric]) =>
    keysOf(name).some((key) => register.getSingleMetric(key) !== undefined) ? [] : [metric],
  );
}

function findSet({ contentType }: MetricsRegister): NamedMetrics {
  const known = sets.get(contentType);
  if (known !== undefined) return known;
  const { metrics } = makeMetrics((register) => collectDefaultMetrics({ register }));
  sets.set(contentType, metrics);
  return metrics;
}

/** Under which a register may have a metric. */
function keysOf(name: string): string[] {
  return [...new Set([name, name.replace(/_total$/, '')])];
}
