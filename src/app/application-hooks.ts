import type { Actor } from '../actors/actor.js';
import type { ActorInfo } from '../actors/actor-info.js';
import type { Arbiter } from '../actors/arbiter.js';
import { describeValue, ImproperlyConfigured, requireKnown } from '../core/errors.js';

/**
 * What an application does at its turns; all may give a promise. The worker of `workers: 0` is the monitor itself. An error in
 * a start hook ends what starts; errors in the others are logged.
 */
export interface ApplicationHooks {
  /** In the main process: the settings are known, and nothing is started. With `false` the application is left out. */
  onConfig?(arbiter: Arbiter): unknown;
  /** In the main process, before the workers. */
  monitorStart?(monitor: Actor): unknown;
  /** In the main process, before the workers stop. */
  monitorStop?(monitor: Actor): unknown;
  /** In the main process: what it gives, an object, is `extra` in the monitor's info. */
  monitorInfo?(monitor: Actor, info: ActorInfo): unknown;
  /** In the main process, about every second, never twice at once. */
  monitorTask?(monitor: Actor): unknown;
  /** In each worker; it is ready when this is done. */
  workerStart?(worker: Actor): unknown;
  /** In each worker that stops; `gracefulTimeoutMs` are left for it. */
  workerStop?(worker: Actor): unknown;
  /** In each worker: what it gives, an object, is `extra` in the worker's info. */
  workerInfo?(worker: Actor, info: ActorInfo): unknown;
  /** In each worker, about every second, never twice at once. */
  workerTask?(worker: Actor): unknown;
  /** In the main process, once: all workers are ready. */
  whenReady?(): unknown;
}

export type HookName = keyof ApplicationHooks;

const HOOKS = [
  'onConfig',
  'monitorStart',
  'monitorStop',
  'monitorInfo',
  'monitorTask',
  'workerStart',
  'workerStop',
  'workerInfo',
  'workerTask',
  'whenReady',
] as const satisfies readonly HookName[];

/** @throws {ImproperlyConfigured} for what is no object of hooks */
export function checkHooks(hooks: unknown): ApplicationHooks {
  if (typeof hooks !== 'object' || hooks === null)
    throw new ImproperlyConfigured(
      `Option "hooks" must be an object, { workerStart(worker) {} }; received ${describeValue(hooks)}`,
    );
  try {
    requireKnown('Option "hooks"', hooks, HOOKS);
  } catch (error) {
    throw new ImproperlyConfigured((error as Error).message.replace('no option', 'no hook'));
  }
  for (const [name, hook] of Object.entries(hooks))
    if (hook !== undefined && typeof hook !== 'function')
      throw new ImproperlyConfigured(
        `Option "hooks.${name}" must be a function; received ${describeValue(hook)}`,
      );
  return hooks;
}
