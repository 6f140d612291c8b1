import { pathToFileURL } from 'node:url';
import type { ActorCode } from '../actors/actor-code.js';
import type { Arbiter } from '../actors/arbiter.js';
import type { Monitor } from '../actors/monitor.js';
import { type ResolvedChild, resolveMonitor } from '../actors/monitor-options.js';
import { resolveSpawn } from '../actors/spawn-options.js';
import { LONGEST_TIMER_MS } from '../core/duration.js';
import { ImproperlyConfigured, toError } from '../core/errors.js';
import type { ApplicationPart, Inheritance } from './application-part.js';
import type { CommandLine } from './command-line.js';
import { joinCode } from './hook-code.js';
import { PROGRAM_START } from './program-start.js';
import { RECYCLE } from './recycling.js';
import type { CombinedSettings, ResolvedSettings } from './resolve-settings.js';
import { ROLE_VARIABLE } from './worker-role.js';

/** What hooks have on top of the time that requests have, in ms. */
const STOP_EXTRA_MS = 1000;
/** Within so long a worker that dies again comes back later each time, in ms. */
const RESTART_WINDOW_MS = 60_000;
const NEVER_MS = LONGEST_TIMER_MS;

/**
 * The monitor of an application, still to be started.
 * @param line - workers are told, who need not read it again
 */
export function makeMonitor(
  arbiter: Arbiter,
  part: ApplicationPart,
  { settings }: CombinedSettings,
  inheritance: Inheritance,
  line: CommandLine,
): Monitor {
  const { name } = part;
  const isAlone = settings.workers === 0;
  const stopTimeoutMs = settings.gracefulTimeoutMs + STOP_EXTRA_MS;
  const own = reporting(part.monitorCode(), name, arbiter);
  const monitor: Monitor = arbiter.makeMonitor({
    ...resolveMonitor('Application', {
      name,
      code: isAlone
        ? joinCode(own, part.workerCode())
        : { ...own, commands: { [RECYCLE]: ({ sender }) => sender && recycle(monitor, sender.name) } },
      maxRestarts: Number.POSITIVE_INFINITY,
      restartWindowMs: RESTART_WINDOW_MS,
      stopTimeoutMs,
    }),
    children: isAlone ? [] : [describeWorkers(name, settings, inheritance, stopTimeoutMs, line)],
  });
  return monitor;
}

/** Its start, with the stack of what it throws in the log: to the operator only the message is told. */
function reporting(code: ActorCode, name: string, arbiter: Arbiter): ActorCode {
  return {
    ...code,
    onStart: async (actor) => {
      try {
        await code.onStart?.(actor);
      } catch (error) {
        arbiter.actor.logger.error({ err: toError(error) }, `monitorStart of "${name}" failed`);
        throw error;
      }
    },
  };
}

/** Replaces a worker that has asked for it. What goes wrong is in the log, and it serves on. */
function recycle(monitor: Monitor, worker: string): void {
  monitor.replace(worker).catch(() => {});
}

function describeWorkers(
  name: string,
  settings: ResolvedSettings,
  { config, descriptors }: Inheritance,
  stopTimeoutMs: number,
  line: CommandLine,
): ResolvedChild {
  const { script, args, cwd } = PROGRAM_START;
  if (script === undefined)
    throw new ImproperlyConfigured(
      'Option "workers" needs a script that can be run again, and this program has none: run a file, or give workers: 0',
    );
  const spawn = resolveSpawn('Application', {
    module: pathToFileURL(script),
    config,
    env: { [ROLE_VARIABLE]: name },
    timeoutMs: settings.workerTimeoutMs === 0 ? NEVER_MS : settings.workerTimeoutMs,
    startTimeoutMs: settings.workerStartTimeoutMs,
    stopTimeoutMs,
  });
  return {
    restart: 'permanent',
    workers: settings.workers,
    spawn: { ...spawn, program: { script, args, cwd, descriptors, told: line } },
  };
}
