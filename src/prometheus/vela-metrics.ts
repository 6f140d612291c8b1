import { optionError } from '../middleware/option-error.js';
import { ExecutorCollectors } from './executor-collectors.js';
import { makeMetrics, type NamedMetrics } from './make-metrics.js';
import { type MetricsRegister, OWNER } from './metrics-options.js';
import { RequestMetrics } from './request-metrics.js';
import { addWebSocketMetrics } from './websocket-metrics.js';

/** What a register has of Vela's, however many servers share it. */
export interface VelaMetrics {
  readonly requests: RequestMetrics;
  readonly executors: ExecutorCollectors;
  readonly buckets: readonly number[];
  readonly metrics: NamedMetrics;
}

const known = new WeakMap<MetricsRegister, VelaMetrics>();

/** @throws {TypeError} for a register that has them with other buckets, or other metrics of their names */
export function findVelaMetrics(register: MetricsRegister, buckets: readonly number[]): VelaMetrics {
  const found = known.get(register);
  // A register that was cleared begins anew.
  if (found === undefined || !isIn(register, found)) return addVelaMetrics(register, buckets);
  if (buckets.join() !== found.buckets.join()) {
    const expected = `those of the server that its register is shared with, ${found.buckets.join(', ')}`;
    throw optionError(OWNER, 'buckets', expected, buckets);
  }
  return found;
}

function addVelaMetrics(register: MetricsRegister, buckets: readonly number[]): VelaMetrics {
  const { made, metrics } = makeMetrics((scratch) => {
    addWebSocketMetrics(scratch);
    return { requests: new RequestMetrics(scratch, buckets), executors: new ExecutorCollectors(scratch) };
  });
  for (const name of metrics.keys()) {
    if (register.getSingleMetric(name) !== undefined)
      throw optionError(OWNER, 'register', `one that has no other metric named ${name}`, register);
  }
  for (const metric of metrics.values()) register.registerMetric(metric);
  const own = { ...made, buckets, metrics };
  known.set(register, own);
  return own;
}

function isIn(register: MetricsRegister, { metrics }: VelaMetrics): boolean {
  return [...metrics].some(([name, metric]) => register.getSingleMetric(name) === metric);
}
