import { isWithin, LONGEST_TIMER_MS } from '../core/duration.js';
import { refuseUnknown, requireOptions, requireRecord } from '../core/errors.js';
import { type ActorCode, resolveCode } from './actor-code.js';
import {
  type ResolvedSpawn,
  requireName,
  resolveNumbers,
  resolveSpawn,
  type SpawnOptions,
  wrong,
} from './spawn-options.js';

/**
 * Who is restarted with an actor that died: nobody; all actors of the monitor; those that were started after it. Others are
 * stopped in reverse order, and started again in order.
 */
export type RestartStrategy = 'one-for-one' | 'one-for-all' | 'rest-for-one';
/** Whether an actor that is down comes again: always; unless it was stopped or left with exit code 0; never. */
export type RestartPolicy = 'permanent' | 'transient' | 'temporary';

/** An actor of a monitor, or several of one kind. */
export interface ChildOptions extends SpawnOptions {
  /** @defaultValue `permanent` */
  restart?: RestartPolicy;
  /** How many there are. With a name, two or more are called `name-1`, `name-2`. @defaultValue 1 */
  workers?: number;
}

/** Options of a monitor. */
export interface MonitorOptions {
  /** By which it is addressed. */
  name: string;
  /** Its actors, in the order in which they start; they stop in reverse. @defaultValue [] */
  children?: readonly ChildOptions[];
  /** @defaultValue `one-for-one` */
  strategy?: RestartStrategy;
  /**
   * How many restarts are too few to give up, within `restartWindowMs`. With `Infinity` it never gives up, and each actor has
   * its own pauses, which grow to 5 s while it dies again and again.
   * @defaultValue 5
   */
  maxRestarts?: number;
  /** In ms. @defaultValue 10,000 */
  restartWindowMs?: number;
  /** Hooks and commands of its own: an object, or a class. They run in the main process. @defaultValue none */
  code?: ActorCode | (new () => ActorCode);
  /** Its settings. For one kind of child `workers` is among them, and setting it changes how many there are. @defaultValue {} */
  config?: Readonly<Record<string, unknown>>;
  /** How many messages may wait for it or be worked on. @defaultValue 1000 */
  mailboxLimit?: number;
  /** How many messages are worked on at once. @defaultValue Infinity */
  concurrency?: number;
  /** How long it waits for its hook `onStop` and its last messages, in ms; its actors have their own times. @defaultValue 3000 */
  stopTimeoutMs?: number;
  /** How long its `send` waits for answers, in ms. @defaultValue 30,000 */
  sendTimeoutMs?: number;
  /** How long it waits between two calls of `onTask`, in ms. @defaultValue 1000 */
  taskMs?: number;
}

export interface ResolvedChild {
  readonly spawn: ResolvedSpawn;
  readonly restart: RestartPolicy;
  readonly workers: number;
}

export type ResolvedMonitor = Required<Omit<MonitorOptions, 'children' | 'code'>> & {
  readonly children: readonly ResolvedChild[];
  readonly code: ActorCode;
};

const STRATEGIES: readonly string[] = ['one-for-one', 'one-for-all', 'rest-for-one'];
const POLICIES: readonly string[] = ['permanent', 'transient', 'temporary'];
const NUMBERS = ['mailboxLimit', 'concurrency', 'stopTimeoutMs', 'sendTimeoutMs', 'taskMs'] as const;
const MOST_WORKERS = 10_000;

/** @throws {TypeError} for options that a monitor cannot have @throws {VelaError} `ERR_ACTOR_CODE` */
export function resolveMonitor(owner: string, options: MonitorOptions): ResolvedMonitor {
  const {
    name,
    children = [],
    strategy = 'one-for-one',
    maxRestarts = 5,
    restartWindowMs = 10_000,
    code = {},
    config = {},
    ...rest
  } = requireOptions(owner, options);
  const { mailboxLimit, concurrency, stopTimeoutMs, sendTimeoutMs, taskMs, ...unknown } = rest;
  const known = [
    'name',
    'children',
    'strategy',
    'maxRestarts',
    'restartWindowMs',
    'code',
    'config',
    ...NUMBERS,
  ];
  refuseUnknown(owner, unknown, known);
  requireName(owner, name);
  if (!STRATEGIES.includes(strategy)) throw wrong(owner, 'strategy', list(STRATEGIES), strategy);
  if (maxRestarts !== Number.POSITIVE_INFINITY) requireWhole(owner, 'maxRestarts', maxRestarts, 0, 1_000_000);
  requireWhole(owner, 'restartWindowMs', restartWindowMs, 1, LONGEST_TIMER_MS);
  if (!Array.isArray(children)) throw wrong(owner, 'children', 'an array of { module, ... }', children);
  return {
    name,
    strategy,
    maxRestarts,
    restartWindowMs,
    children: children.map((child, at) => resolveChild(`children[${at}] of ${owner}`, child)),
    code: resolveCode(`Option "code" of ${owner}`, code),
    config: requireRecord(owner, 'config', 'name: value', config),
    ...resolveNumbers(owner, { mailboxLimit, concurrency, stopTimeoutMs, sendTimeoutMs, taskMs }, NUMBERS),
  };
}

function resolveChild(owner: string, options: ChildOptions): ResolvedChild {
  const { restart = 'permanent', workers = 1, ...spawn } = requireOptions(owner, options);
  if (!POLICIES.includes(restart)) throw wrong(owner, 'restart', list(POLICIES), restart);
  return {
    restart,
    workers: requireWorkers(owner, workers),
    spawn: resolveSpawn(owner, spawn, ['restart', 'workers']),
  };
}

/** @throws {TypeError} for what is no number of workers */
export function requireWorkers(owner: string, workers: unknown): number {
  requireWhole(owner, 'workers', workers, 0, MOST_WORKERS);
  return workers as number;
}

function requireWhole(owner: string, option: string, value: unknown, least: number, most: number): void {
  if (!Number.isInteger(value) || !isWithin(value, least, most))
    throw wrong(owner, option, `an integer from ${least} to ${most}`, value);
}

function list(values: readonly string[]): string {
  return values.map((one) => `'${one}'`).join(', ');
}
