import type { ResourceLimits } from 'node:worker_threads';
import { isWithin, LONGEST_TIMER_MS } from '../core/duration.js';
import { describeValue, refuseUnknown, requireOptions, requireRecord } from '../core/errors.js';
import { resolveModule } from '../core/module-url.js';
import { MODULE_EXAMPLE } from './load-export.js';

/** What `spawn` takes. */
export interface SpawnOptions {
  /** The file that has the actor's code, `new URL('./greeter.js', import.meta.url)`. */
  module: URL | string;
  /** The export that is its code: an object of hooks and commands, or a class of such. @defaultValue `default` */
  export?: string;
  /** By which it is addressed; no two actors have one name. @defaultValue its id */
  name?: string;
  /** A process of its own, or a thread of the arbiter's. @defaultValue `process` */
  kind?: 'process' | 'thread';
  /** Data for it, which it has as `actor.args`; copied. @defaultValue [] */
  args?: readonly unknown[];
  /** Its settings. @defaultValue {} */
  config?: Readonly<Record<string, unknown>>;
  /** How many messages may wait for it or be worked on; more are refused with MailboxFull. @defaultValue 1000 */
  mailboxLimit?: number;
  /** How many messages are worked on at once; 1 is one after the other, however long each awaits. @defaultValue Infinity */
  concurrency?: number;
  /** How long it may give no sign of life, in ms: then it is ended. Its loop gives them by itself, unless it is blocked. @defaultValue 30,000 */
  timeoutMs?: number;
  /** How long it may take until `onStart` is done, in ms. @defaultValue 30,000 */
  startTimeoutMs?: number;
  /** How long it may take to stop, in ms; then it is killed. @defaultValue 3000 */
  stopTimeoutMs?: number;
  /** After SIGTERM a process that gave no sign of life has so long until SIGKILL, in ms. @defaultValue 2000 */
  killAfterMs?: number;
  /** How long its `send` waits for answers, in ms. @defaultValue 30,000 */
  sendTimeoutMs?: number;
  /** How long it waits between two calls of `onTask`, in ms. @defaultValue 1000 */
  taskMs?: number;
  /** Environment variables beside those of the arbiter's process. @defaultValue {} */
  env?: Readonly<Record<string, string>>;
  /** Flags of node for it, `['--max-old-space-size=512']`; a thread takes none of V8's. @defaultValue those of the arbiter's process */
  execArgv?: readonly string[];
  /** Limits of a thread's memory, as worker_threads has them. @defaultValue none */
  resourceLimits?: ResourceLimits;
}

type Optional = 'name' | 'execArgv' | 'resourceLimits';

/** A script that is the actor: run anew as a process, it hands its code over by `serveActor`. */
export interface ActorProgram {
  readonly script: string;
  readonly args: readonly string[];
  /** Its working directory. */
  readonly cwd: string;
  /** What it inherits as descriptors 4 and up. */
  readonly descriptors: readonly number[];
  /** What it is told beside what every actor is; copied. */
  readonly told: unknown;
}

/** Options, checked and whole; they can be sent. */
export type ResolvedSpawn = Required<Omit<SpawnOptions, Optional | 'module'>> & {
  readonly module: string;
  readonly name: string | undefined;
  readonly execArgv: readonly string[] | undefined;
  readonly resourceLimits: ResourceLimits | undefined;
  /** In place of the module. */
  readonly program?: ActorProgram;
};

/** Least, most and default of the options that are numbers. */
const NUMBERS = {
  mailboxLimit: [1, 10_000_000, 1000],
  concurrency: [1, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  timeoutMs: [50, LONGEST_TIMER_MS, 30_000],
  startTimeoutMs: [1, LONGEST_TIMER_MS, 30_000],
  stopTimeoutMs: [0, LONGEST_TIMER_MS, 3000],
  killAfterMs: [0, LONGEST_TIMER_MS, 2000],
  sendTimeoutMs: [1, LONGEST_TIMER_MS, 30_000],
  taskMs: [1, LONGEST_TIMER_MS, 1000],
} as const;
export type NumberOption = keyof typeof NUMBERS;

const KNOWN = [
  'module',
  'export',
  'name',
  'kind',
  'args',
  'config',
  ...Object.keys(NUMBERS),
  'env',
  'execArgv',
  'resourceLimits',
];
/** Names that mean something else as targets. */
const RESERVED = ['arbiter', 'monitor'];

/** @throws {TypeError} for options that no actor can have */
export function resolveSpawn(
  owner: string,
  options: SpawnOptions,
  others: readonly string[] = [],
): ResolvedSpawn {
  const {
    module,
    export: exported = 'default',
    name,
    kind = 'process',
    args = [],
    config = {},
    env = {},
    execArgv,
    resourceLimits,
    ...rest
  } = requireOptions(owner, options);
  const known = [...KNOWN, ...others];
  const unknown = Object.keys(rest).filter((key) => !known.includes(key));
  refuseUnknown(owner, Object.fromEntries(unknown.map((key) => [key, true])), known);
  if (name !== undefined) requireName(owner, name);
  if (typeof exported !== 'string' || exported === '')
    throw wrong(owner, 'export', 'the name of an export', exported);
  if (kind !== 'process' && kind !== 'thread') throw wrong(owner, 'kind', "'process' or 'thread'", kind);
  if (!Array.isArray(args)) throw wrong(owner, 'args', 'an array', args);
  requireRecord(owner, 'config', 'name: value', config);
  requireRecord(owner, 'env', "NAME: 'value'", env);
  for (const [key, value] of Object.entries(env))
    if (typeof value !== 'string') throw wrong(owner, `env.${key}`, 'text', value);
  const areFlags = Array.isArray(execArgv) && execArgv.every((flag) => typeof flag === 'string');
  if (execArgv !== undefined && !areFlags) throw wrong(owner, 'execArgv', 'an array of text', execArgv);
  if (resourceLimits !== undefined) {
    requireRecord(owner, 'resourceLimits', 'maxOldGenerationSizeMb: number', resourceLimits);
    if (kind === 'process')
      throw wrong(
        owner,
        'resourceLimits',
        'left out for a process, whose limits are flags in "execArgv"',
        resourceLimits,
      );
  }
  return {
    module: resolveModule(owner, module, `{ module: ${MODULE_EXAMPLE} }`),
    export: exported,
    name,
    kind,
    args,
    config,
    env,
    execArgv,
    resourceLimits,
    ...resolveNumbers(owner, rest, Object.keys(NUMBERS) as NumberOption[]),
  };
}

/** @throws {TypeError} for values that are no numbers in their range */
export function resolveNumbers<K extends NumberOption>(
  owner: string,
  given: Partial<Record<K, unknown>>,
  keys: readonly K[],
): Record<K, number> {
  const pairs = keys.map((key) => {
    const [least, most, initial] = NUMBERS[key];
    const value = given[key] ?? initial;
    const isWhole = Number.isInteger(value) || value === initial;
    if (given[key] === null || !isWithin(value, least, most) || !isWhole)
      throw wrong(owner, key, `an integer from ${least} to ${most}`, given[key]);
    return [key, value];
  });
  return Object.fromEntries(pairs) as Record<K, number>;
}

/** @throws {TypeError} for a name that no actor can have */
export function requireName(owner: string, name: unknown): void {
  if (typeof name !== 'string' || name === '' || RESERVED.includes(name))
    throw wrong(owner, 'name', `text other than ${RESERVED.map((one) => `"${one}"`).join(' and ')}`, name);
}

export function wrong(owner: string, option: string, expected: string, received: unknown): TypeError {
  return new TypeError(
    `Option "${option}" of ${owner} must be ${expected}; received ${describeValue(received)}`,
  );
}
