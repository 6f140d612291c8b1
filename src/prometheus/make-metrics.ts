import type { Metric } from 'prom-client';
import { Registry } from './client.js';
import type { MetricsRegister } from './metrics-options.js';

/** Metrics by the names that they were made with: a register of OpenMetrics takes `_total` off those of its counters. */
export type NamedMetrics = ReadonlyMap<string, Metric>;

/** Makes metrics that no register of a user's has yet. */
export function makeMetrics<T>(make: (scratch: MetricsRegister) => T): { made: T; metrics: NamedMetrics } {
  const scratch = new Registry();
  const made = make(scratch);
  const metrics = new Map<string, Metric>();
  for (const { name } of scratch.getMetricsAsArray()) {
    const metric = scratch.getSingleMetric(name);
    if (metric !== undefined) metrics.set(name, metric);
  }
  return { made, metrics };
}
