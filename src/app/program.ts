import { isMainThread } from 'node:worker_threads';
import { serveActor } from '../actors/child/serve-actor.js';
import { isMadeForActor } from '../actors/current-actor.js';
import { setProgram } from '../actors/main-program.js';
import { processPort } from '../actors/port.js';
import { VelaError } from '../core/errors.js';
import { readMetrics } from '../core/metrics-source.js';
import type { ApplicationPart } from './application-part.js';
import { type CommandLine, parseCommandLine } from './command-line.js';
import { isTextLog } from './create-logger.js';
import { loadSettings } from './load-settings.js';
import { reopenLogs } from './open-logs.js';
import { outliveOutput } from './outlive-output.js';
import { resolveIdentity, title } from './process-identity.js';
import { READ_METRICS, REOPEN_LOGS } from './program-control.js';
import { runApplications } from './run-applications.js';
import type { SettingSet } from './settings.js';
import { workerOf } from './worker-role.js';

/** An application that this process has made. */
export interface Made {
  readonly application: unknown;
  readonly part: ApplicationPart;
  isStarted: boolean;
}

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
export async function startApplication(part: ApplicationPart, line: CommandLine): Promise<void> {
  if (workerOf === part.name) await work(part, line);
  if (workerOf !== undefined) return;
  requireMain();
  await run([part], line);
}

setProgram({
  async start() {
    const left = made.filter(({ isStarted }) => !isStarted).map(({ part }) => part);
    if (left.length > 0) await run(left, readLine(left));
  },
  async work() {
    if (workerOf === undefined) return;
    const found = made.find(({ part }) => part.name === workerOf);
    if (found !== undefined) await work(found.part, readLine(made.map(({ part }) => part)));
  },
});

/** The command line, with the flags of several applications. */
function readLine(parts: readonly ApplicationPart[]): CommandLine {
  const declared = Object.assign({}, ...parts.map((part) => part.declared)) as SettingSet;
  return parseCommandLine(process.argv.slice(2), process.argv[1], declared);
}

async function run(parts: readonly ApplicationPart[], line: CommandLine): Promise<void> {
  for (const one of made) if (parts.includes(one.part)) one.isStarted = true;
  await runApplications(parts, line);
}

/** Does the work of a worker, whose code is here; never resolves. */
async function work(part: ApplicationPart, line: CommandLine): Promise<never> {
  outliveOutput();
  serveActor(processPort(process), async ({ name }) => {
    const combineWith = await loadSettings(line);
    const { settings } = combineWith(part.code);
    const identity = resolveIdentity(settings);
    identity.settle();
    process.title = title(settings.processName, 'worker', name);
    process.on('SIGUSR1', reopenLogs);
    part.configure(settings);
    // What it may want to know of the others.
    for (const other of made)
      if (other.part !== part) other.part.configure(combineWith(other.part.code).settings);
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
      isLasting: true,
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
