import { isMainThread } from 'node:worker_threads';
import { serveActor } from '../actors/child/serve-actor.js';
import { isMadeForActor } from '../actors/current-actor.js';
import { setProgram } from '../actors/main-program.js';
import { openChannel } from '../actors/process-port.js';
import { VelaError } from '../core/errors.js';
import { readMetrics } from '../core/metrics-source.js';
import type { ApplicationPart } from './application-part.js';
import type { CommandLine } from './command-line.js';
import { isTextLog } from './create-logger.js';
import { loadSettings } from './load-settings.js';
import { reopenLogs } from './open-logs.js';
import { outliveOutput } from './outlive-output.js';
import { listKnown } from './prefix.js';
import { resolveIdentity, title } from './process-identity.js';
import { READ_METRICS, REOPEN_LOGS } from './program-control.js';
import { workerOf } from './worker-role.js';

/** An application that this process has made. */
export interface Made {
  readonly application: unknown;
  readonly part: ApplicationPart;
  isStarted: boolean;
}

/** Gives the command line. Workers, whom the main process tells what it says, do not ask. */
export type CommandLineSource = () => CommandLine | Promise<CommandLine>;

/** All of them, in order. */
const made: Made[] = [];

/** Keeps an application, for `arbiter().start()` and `getApplication`. */
export function register(application: unknown, part: ApplicationPart): void {
  made.push({ application, part, isStarted: false });
}

/** The applications of a name, the last one last; and all names. */
export function findApplications(name: string): {
  readonly found: readonly Made[];
  readonly names: readonly string[];
} {
  return { found: made.filter(({ part }) => part.name === name), names: made.map(({ part }) => part.name) };
}

/** Starts one application, or does the work of its worker. */
export async function startApplication(part: ApplicationPart, source: CommandLineSource): Promise<void> {
  if (workerOf === part.name) await work(part);
  if (workerOf !== undefined) return;
  requireMain();
  await run([part], source);
}

setProgram({
  async start() {
    const left = made.filter(({ isStarted }) => !isStarted).map(({ part }) => part);
    if (left.length > 0) await run(left, () => readCommandLine(process.argv.slice(2)));
  },
  async work() {
    if (workerOf === undefined) return;
    const found = made.find(({ part }) => part.name === workerOf);
    if (found !== undefined) await work(found.part);
  },
});

/** A command line with the flags of all applications that were made. */
export async function readCommandLine(args: readonly string[]): Promise<CommandLine> {
  // Workers do without.
  const { parseCommandLine } = await import('./command-line.js');
  return parseCommandLine(args, process.argv[1], listKnown(listParts()));
}

function listParts(): ApplicationPart[] {
  return made.map(({ part }) => part);
}

async function run(parts: readonly ApplicationPart[], source: CommandLineSource): Promise<void> {
  for (const one of made) if (parts.includes(one.part)) one.isStarted = true;
  const { runApplications } = await import('./run-applications.js');
  await runApplications(parts, await source(), listParts());
}

/** Does the work of a worker, whose code is here; never resolves. */
async function work(part: ApplicationPart): Promise<never> {
  outliveOutput();
  serveActor(openChannel(), async ({ name, told }) => {
    const combineWith = await loadSettings(told as CommandLine, listParts());
    const { settings } = combineWith(part);
    const identity = resolveIdentity(settings);
    identity.settle();
    process.title = title(settings.processName, 'worker', name);
    process.on('SIGUSR1', reopenLogs);
    part.configure(settings);
    // What it may want to know of the others.
    for (const other of made) if (other.part !== part) other.part.configure(combineWith(other.part).settings);
    const code = part.workerCode();
    return {
      code: {
        ...code,
        async onStart(actor) {
          await code.onStart?.(actor);
          identity.become();
        },
        commands: { ...code.commands, [REOPEN_LOGS]: reopenLogs, [READ_METRICS]: readMetrics },
      },
      watch: settings.watchdog ? 'at-once' : 'never',
      log: { isText: isTextLog(settings.logFormat, settings.logFile), file: settings.logFile },
    };
  });
  return new Promise<never>(() => {});
}

/** @throws {VelaError} `ERR_APP_NOT_MAIN` in threads and in processes of other actors */
function requireMain(): void {
  if (isMainThread && !isMadeForActor()) return;
  throw new VelaError(
    'ERR_APP_NOT_MAIN',
    'Applications are started in the main process, not in a thread or in an actor: start them in the script that is run',
  );
}
