import { refuseUnknown, requireOptions, requireRecord } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { stderrLogger } from '../core/stderr-logger.js';
import { type ActorCode, resolveCode } from './actor-code.js';
import { createPassingLogger } from './passing-logger.js';
import { resolveNumbers, wrong } from './spawn-options.js';

/** Options of {@link arbiter}. */
export interface ArbiterOptions {
  /** Hooks and commands of its own: an object, as the code of actors, or a class. They run in the main process. @defaultValue none */
  code?: ActorCode | (new () => ActorCode);
  /** Its settings. @defaultValue {} */
  config?: Readonly<Record<string, unknown>>;
  /** Where it and all actors log. @defaultValue the log of the program's applications; without any, warnings and errors on standard error */
  logger?: Logger;
  /** Whether SIGTERM, SIGINT and SIGQUIT stop it, and end the process with exit code 0; a second one does not wait. @defaultValue true */
  handleSignals?: boolean;
  /** How many messages may wait for it or be worked on. @defaultValue 1000 */
  mailboxLimit?: number;
  /** How long it waits for `onStop` and for the last messages when it stops, in ms; actors have their own times. @defaultValue 3000 */
  stopTimeoutMs?: number;
  /** How long its `send` waits for answers, in ms. @defaultValue 30,000 */
  sendTimeoutMs?: number;
  /** How long it waits between two calls of `onTask`, in ms. @defaultValue 1000 */
  taskMs?: number;
}

export interface ResolvedArbiter extends Required<Omit<ArbiterOptions, 'code'>> {
  readonly code: ActorCode;
  /** Has an arbiter that was given no logger log there. */
  logTo(log: Logger): void;
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** @throws {TypeError} for options that the arbiter cannot have @throws {VelaError} `ERR_ACTOR_CODE` */
export function resolveArbiter(owner: string, options: ArbiterOptions): ResolvedArbiter {
  const standard = createPassingLogger(stderrLogger);
  const {
    code = {},
    config = {},
    logger = standard.logger,
    handleSignals = true,
    ...rest
  } = requireOptions(owner, options);
  const { mailboxLimit, stopTimeoutMs, sendTimeoutMs, taskMs, ...unknown } = rest;
  const numbers = { mailboxLimit, stopTimeoutMs, sendTimeoutMs, taskMs };
  refuseUnknown(owner, unknown, ['code', 'config', 'logger', 'handleSignals', ...Object.keys(numbers)]);
  if (typeof handleSignals !== 'boolean') throw wrong(owner, 'handleSignals', 'true or false', handleSignals);
  if (!LEVELS.every((level) => typeof logger?.[level] === 'function'))
    throw wrong(owner, 'logger', `an object with ${LEVELS.join(', ')}`, logger);
  return {
    code: resolveCode(`Option "code" of ${owner}`, code),
    config: requireRecord(owner, 'config', 'name: value', config),
    logger,
    logTo: logger === standard.logger ? standard.passTo : () => {},
    handleSignals,
    ...resolveNumbers(owner, numbers, ['mailboxLimit', 'stopTimeoutMs', 'sendTimeoutMs', 'taskMs']),
  };
}
