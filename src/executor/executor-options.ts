import type { ResourceLimits } from 'node:worker_threads';
import { LONGEST_TIMER_MS } from '../core/duration.js';
import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';

/** Options of {@link createExecutor}. */
export interface ExecutorOptions {
  /** For log lines and metrics. @defaultValue `executor` */
  name?: string;
  /** Threads that are kept, once the first call has come. @defaultValue 1 */
  minThreads?: number;
  /** Most threads: more are made while all are busy. @defaultValue 5 */
  maxThreads?: number;
  /** How long a thread above `minThreads` may have nothing to do, in ms. @defaultValue 30,000 */
  idleTimeoutMs?: number;
  /**
   * How many calls run at once in one thread. One that blocks or computes holds up the others, so more than one is for
   * handlers that mostly await. @defaultValue 1
   */
  concurrency?: number;
  /**
   * How many further calls wait with a thread rather than with the server, which saves it from waiting for them. A call
   * that has not begun is taken back as soon as another thread is free. @defaultValue 16
   */
  ahead?: number;
  /** How many calls may wait while all threads are full; further ones are answered 503 with Retry-After. @defaultValue 1000 */
  maxQueue?: number;
  /** What Retry-After says then, in s. @defaultValue 1 */
  retryAfterSeconds?: number;
  /** How long a call may take, its time in the queue included; then 504. @defaultValue 30,000 */
  timeoutMs?: number;
  /** How much longer a call that timed out may hold its thread, in ms; then the thread is ended. @defaultValue 1000 */
  killAfterMs?: number;
  /** How long a module may take to load in a thread, in ms; then the thread is ended. @defaultValue 30,000 */
  loadTimeoutMs?: number;
  /**
   * Loads all modules anew when a file in the folder of one of them changes, for development.
   * @defaultValue false; for the handlers that share their server's executor, its setting `debug`
   */
  watch?: boolean;
  /** Limits of each thread's memory, as worker_threads has them. */
  resourceLimits?: ResourceLimits;
  /** Environment variables of the threads. @defaultValue those of the process */
  env?: Readonly<Record<string, string>>;
}

/** Options, checked and whole. */
export type ResolvedOptions = Required<Omit<ExecutorOptions, 'resourceLimits' | 'env'>> &
  Pick<ExecutorOptions, 'resourceLimits' | 'env'>;

/** Least, most and default of the options that are numbers. */
const NUMBERS = {
  minThreads: [0, 1024, 1],
  maxThreads: [1, 1024, 5],
  idleTimeoutMs: [0, LONGEST_TIMER_MS, 30_000],
  concurrency: [1, 10_000, 1],
  ahead: [0, 10_000, 16],
  maxQueue: [0, 10_000_000, 1000],
  retryAfterSeconds: [0, LONGEST_TIMER_MS, 1],
  timeoutMs: [1, LONGEST_TIMER_MS, 30_000],
  killAfterMs: [0, LONGEST_TIMER_MS, 1000],
  loadTimeoutMs: [1, LONGEST_TIMER_MS, 30_000],
} as const;
type NumberOption = keyof typeof NUMBERS;

/** @throws {TypeError} for options that an executor cannot have */
export function resolveOptions(owner: string, options: ExecutorOptions): ResolvedOptions {
  const { name = 'executor', watch = false, resourceLimits, env, ...rest } = requireOptions(owner, options);
  const known = Object.keys(NUMBERS);
  const unknown = Object.fromEntries(Object.entries(rest).filter(([key]) => !known.includes(key)));
  refuseUnknown(owner, unknown, ['name', ...known, 'watch', 'resourceLimits', 'env']);
  if (typeof name !== 'string' || name === '')
    throw new TypeError(`Option "name" of ${owner} must be text; received ${describeValue(name)}`);
  if (typeof watch !== 'boolean')
    throw new TypeError(`Option "watch" of ${owner} must be true or false; received ${describeValue(watch)}`);
  const numbers = Object.fromEntries(
    (Object.keys(NUMBERS) as NumberOption[]).map((key) => [key, resolveNumber(owner, key, rest[key])]),
  ) as Record<NumberOption, number>;
  if (rest.minThreads === undefined) numbers.minThreads = Math.min(numbers.minThreads, numbers.maxThreads);
  if (numbers.minThreads > numbers.maxThreads)
    throw new TypeError(
      `Option "minThreads" of ${owner} must not be greater than "maxThreads"; received ${numbers.minThreads} and ${numbers.maxThreads}`,
    );
  return Object.freeze({
    name,
    watch,
    ...numbers,
    ...(resourceLimits === undefined ? {} : { resourceLimits: checkLimits(resourceLimits) }),
    ...(env === undefined ? {} : { env: checkEnv(owner, env) }),
  });
}

/** What worker_threads does not know, or takes for no number, it leaves out without a word. */
function checkLimits(limits: ResourceLimits): ResourceLimits {
  const given: object = requireOptions('resourceLimits', limits);
  const known = ['maxYoungGenerationSizeMb', 'maxOldGenerationSizeMb', 'codeRangeSizeMb', 'stackSizeMb'];
  for (const [key, value] of Object.entries(given) as [string, unknown][]) {
    if (!known.includes(key)) refuseUnknown('resourceLimits', { [key]: value }, known);
    if (value !== undefined && !(typeof value === 'number' && value > 0))
      throw new TypeError(
        `Option "${key}" of resourceLimits must be a number of MiB greater than 0; received ${describeValue(value)}`,
      );
  }
  return limits;
}

function checkEnv(owner: string, env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [key, value] of Object.entries(requireOptions('env', env)) as [string, unknown][]) {
    if (typeof value !== 'string')
      throw new TypeError(
        `Option "env" of ${owner} must hold text; received ${describeValue(value)} for "${key}"`,
      );
  }
  return env;
}

function resolveNumber(owner: string, key: NumberOption, given: unknown): number {
  const [least, most, initial] = NUMBERS[key];
  if (given === undefined) return initial;
  if (typeof given === 'number' && Number.isInteger(given) && given >= least && given <= most) return given;
  throw new TypeError(
    `Option "${key}" of ${owner} must be an integer from ${least} to ${most}; received ${describeValue(given)}`,
  );
}
