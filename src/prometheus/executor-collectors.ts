import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Histogram as ClientHistogram } from 'prom-client';
import { BUCKETS_MS, type ExecutorCallMessage } from '../executor/executor-metrics.js';
import { openExecutors } from '../executor/open-executors.js';
import { Counter, Gauge, Histogram } from './client.js';
import { type ExecutorReading, ExecutorReadings } from './executor-readings.js';
import type { MetricsRegister } from './metrics-options.js';

const CHANNEL = 'vela:executor:call';
/** In seconds. */
const BUCKETS = BUCKETS_MS.map((ms) => ms / 1000);

type Row = readonly [name: string, help: string, key: keyof ExecutorReading];

const GAUGES: readonly Row[] = [
  ['vela_executor_threads', 'Threads of an executor.', 'threads'],
  ['vela_executor_busy_threads', 'Threads of an executor that have a call.', 'busyThreads'],
  ['vela_executor_running_calls', 'Calls that run in threads of an executor.', 'running'],
  ['vela_executor_waiting_calls', 'Calls that wait for a thread of an executor.', 'waiting'],
  [
    'vela_executor_utilization_ratio',
    "Part of its threads' time that calls have taken since an executor began, 0 to 1.",
    'utilization',
  ],
];

const COUNTERS: readonly Row[] = [
  ['vela_executor_completed_calls_total', 'Calls that threads of an executor have finished.', 'completed'],
  ['vela_executor_refused_calls_total', 'Calls refused as the queue of an executor was full.', 'refused'],
  ['vela_executor_timed_out_calls_total', 'Calls whose time was up.', 'timedOut'],
  [
    'vela_executor_lost_threads_total',
    'Threads of an executor that died, or were ended, in the middle of a call.',
    'lostThreads',
  ],
];

interface CallLabels {
  readonly executor: string;
  readonly export: string;
}

/** The metrics of the executors of this process, which are read when they are asked for, and of their calls, as these end. */
export class ExecutorCollectors {
  readonly #wait: ClientHistogram<keyof CallLabels>;
  readonly #run: ClientHistogram<keyof CallLabels>;
  /** By executor and export, so that they can be forgotten. */
  readonly #labels = new Map<string, Map<string, CallLabels>>();
  #users = 0;

  constructor(register: MetricsRegister) {
    addReadings(register, new ExecutorReadings());
    const labelNames = ['executor', 'export'] as const;
    const common = { labelNames, buckets: BUCKETS, registers: [register] };
    this.#wait = new Histogram({
      ...common,
      name: 'vela_executor_call_wait_seconds',
      help: 'Time from a call to its beginning in a thread.',
      // Asked before the other one.
      collect: () => this.#forgetClosed(),
    });
    this.#run = new Histogram({
      ...common,
      name: 'vela_executor_call_run_seconds',
      help: 'Time of a call in its thread.',
    });
  }

  /**
   * Hears of calls that end.
   * @returns a function that ends it, to be called once
   */
  record(): () => void {
    if (this.#users++ === 0) subscribe(CHANNEL, this.#observe);
    return () => {
      if (--this.#users === 0) unsubscribe(CHANNEL, this.#observe);
    };
  }

  /** Must not throw, as that would be an uncaught exception. */
  readonly #observe = (message: unknown): void => {
    const { executor, export: name, waitMs, runMs } = message as ExecutorCallMessage;
    const labels = this.#findLabels(executor, name);
    this.#wait.observe(labels, waitMs / 1000);
    this.#run.observe(labels, runMs / 1000);
  };

  #findLabels(executor: string, name: string): CallLabels {
    const known = this.#labels.get(executor)?.get(name);
    if (known !== undefined) return known;
    const labels = { executor, export: name };
    const exports = this.#labels.get(executor) ?? new Map<string, CallLabels>();
    this.#labels.set(executor, exports.set(name, labels));
    return labels;
  }

  /** Names that are made up do not add up. */
  #forgetClosed(): void {
    const open = new Set(openExecutors().map(({ name }) => name));
    for (const [executor, exports] of this.#labels) {
      if (open.has(executor)) continue;
      this.#labels.delete(executor);
      for (const labels of exports.values()) {
        this.#wait.remove(labels);
        this.#run.remove(labels);
      }
    }
  }
}

function addReadings(register: MetricsRegister, readings: ExecutorReadings): void {
  const labelNames = ['executor'] as const;
  for (const [name, help, key] of GAUGES) {
    new Gauge({
      ...{ name, help, labelNames, registers: [register] },
      // A ratio is no sum over processes.
      aggregator: key === 'utilization' ? 'average' : 'sum',
      collect() {
        this.reset();
        for (const [executor, reading] of readings.read()) this.set({ executor }, reading[key]);
      },
    });
  }
  for (const [name, help, key] of COUNTERS) {
    new Counter({
      ...{ name, help, labelNames, registers: [register] },
      collect() {
        this.reset();
        for (const [executor, reading] of readings.read()) this.inc({ executor }, reading[key]);
      },
    });
  }
}
