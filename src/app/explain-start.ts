import { ActorDied } from '../actors/actor-errors.js';
import { ImproperlyConfigured, toError, VelaError } from '../core/errors.js';
import type { ResolvedSettings } from './resolve-settings.js';

/** Why workers have not come up, for the operator. What says it all by itself is left as it is. */
export function explainStart(
  cause: unknown,
  name: string,
  { workers, workerStartTimeoutMs }: ResolvedSettings,
): unknown {
  const isPlain = cause instanceof ImproperlyConfigured || (cause instanceof Error && 'syscall' in cause);
  if (isPlain || workers === 0) return cause;
  const message =
    cause instanceof ActorDied
      ? explainDeath(cause)
      : cause instanceof VelaError && cause.code === 'ERR_ACTOR_START'
        ? `A worker was not ready within "workerStartTimeoutMs", ${workerStartTimeoutMs} ms: give it more, or find out what its start waits for`
        : `The application "${name}" did not start: ${toError(cause).message}`;
  return new VelaError('ERR_APP_WORKER', message, { cause });
}

function explainDeath({ target, exitCode, signal }: ActorDied): string {
  const end = signal === undefined ? `exit code ${exitCode}` : `the signal ${signal}`;
  const why =
    exitCode === 0
      ? ' before it called start(), which it must do as the main process does'
      : '; what it said is above';
  return `The worker "${target}" did not start: its process ended with ${end}${why}`;
}
