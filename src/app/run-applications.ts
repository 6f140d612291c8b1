import { relative } from 'node:path';
import type { Arbiter } from '../actors/arbiter.js';
import { findArbiter, arbiter as makeArbiter } from '../actors/the-arbiter.js';
import { startAdmin } from '../admin/admin-server.js';
import { ImproperlyConfigured, VelaError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { checkCertificates } from '../gateway/certificates.js';
import type { ListenAddress } from '../gateway/gateway.js';
import { formatUrl, parseAddresses } from './address.js';
import type { ApplicationPart } from './application-part.js';
import { watchChanges } from './change-watch.js';
import type { CommandLine } from './command-line.js';
import { countWorkers } from './count-workers.js';
import { explainStart } from './explain-start.js';
import { formatSettings } from './format-settings.js';
import { loadSettings } from './load-settings.js';
import { makeMonitor } from './make-monitor.js';
import { type OpenLogs, openLogs, reopenLogs } from './open-logs.js';
import { outliveOutput } from './outlive-output.js';
import { takePidFile } from './pid-file.js';
import type { SettingScope } from './prefix.js';
import { type ProcessIdentity, resolveIdentity, title } from './process-identity.js';
import { controlProgram, type ProgramControl, type RunningApplication } from './program-control.js';
import { PROGRAM_START } from './program-start.js';
import type { CombinedSettings, ResolvedSettings } from './resolve-settings.js';
import { nameOrigin } from './setting-source.js';
import { SETTINGS } from './settings.js';

/** The settings are wrong, or an address cannot be had. */
const EXIT_CONFIGURATION = 2;
/** A worker has not come up. */
const EXIT_FAILED = 1;
/** System calls that fail when an address cannot be had. */
const LISTEN_CALLS: ReadonlySet<string> = new Set(['listen', 'bind', 'getaddrinfo']);

/** An application with its settings. */
interface Loaded {
  readonly part: ApplicationPart;
  readonly combined: CombinedSettings;
}

/** What starting takes beside applications. */
interface StartContext {
  readonly line: CommandLine;
  /** Called when it is the turn of one. */
  readonly begin: (one: Loaded) => void;
  /** Reads the settings of one anew. */
  readonly reload: (part: ApplicationPart, version: string) => Promise<CombinedSettings>;
}

/**
 * Runs applications in the main process: reads their settings, starts their workers, says that they are ready. What makes that
 * impossible ends the process, as does a command line that only asks for something.
 * @param scopes - all applications of the program, also those that are not started now
 */
export async function runApplications(
  parts: readonly ApplicationPart[],
  line: CommandLine,
  scopes: readonly SettingScope[],
): Promise<void> {
  if (line.print !== undefined) {
    process.stdout.write(line.print);
    process.exit(0);
  }
  const loaded: Loaded[] = [];
  /** Of the application that is at work; of all before. */
  let origins: CombinedSettings['origins'] = new Map();
  const begin = ({ combined }: Loaded) => {
    origins = combined.origins;
  };
  try {
    requireNames(parts);
    const combineWith = await loadSettings(line, scopes);
    for (const part of parts) loaded.push({ part, combined: withoutScript(combineWith(part)) });
    if (line.only !== undefined) report(loaded, line.only, begin);
    const reload = async (part: ApplicationPart, version: string) =>
      (await loadSettings(line, scopes, version))(part);
    await start(loaded, { line, begin, reload });
  } catch (error) {
    const control = controlProgram();
    // It was told to stop while it started, and ends by itself.
    if (control?.isStopping === true) await new Promise(() => {});
    await control?.abandon();
    if (!isOperational(error)) throw error;
    fail(error, origins);
  }
}

/** @throws {ImproperlyConfigured} for two of one name */
function requireNames(parts: readonly ApplicationPart[]): void {
  const names = parts.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined)
    throw new ImproperlyConfigured(
      `Two applications are called "${twice}", and each needs a name of its own: new WsgiServer(app, { name: 'other' })`,
    );
}

/** What is no file, such as `node -e`, cannot be run again by workers: it does without, unless they were asked for. */
function withoutScript(combined: CombinedSettings): CombinedSettings {
  const origin = combined.origins.get('workers');
  const isAsked = origin !== 'default' && origin !== SETTINGS.workers.fallback;
  if (PROGRAM_START.script !== undefined || isAsked) return combined;
  return { ...combined, settings: { ...combined.settings, workers: 0 } };
}

function report(loaded: readonly Loaded[], only: 'print' | 'check', begin: (one: Loaded) => void): never {
  for (const one of loaded) {
    const { part, combined } = one;
    begin(one);
    if (only === 'print') {
      if (loaded.length > 1) process.stdout.write(`# ${part.name}\n`);
      process.stdout.write(formatSettings(combined, part.declared, part.prefix));
    } else if (combined.settings.tls !== undefined) {
      checkCertificates(combined.settings.tls);
    }
  }
  if (only === 'check') process.stdout.write('vela: the settings are good\n');
  process.exit(0);
}

async function start(loaded: readonly Loaded[], { line, begin, reload }: StartContext): Promise<void> {
  const [first] = loaded;
  if (first === undefined) return;
  begin(first);
  outliveOutput();
  const { settings } = first.combined;
  // Where others serve, the main process stays where it is, and reads its settings there again.
  const { chdir: _elsewhere, ...here } = settings;
  const isServing = loaded.every(({ combined }) => combined.settings.workers === 0);
  const identity = resolveIdentity(isServing ? settings : here);
  identity.settle();
  process.title = title(settings.processName, 'arbiter');
  // Requests are logged where they are served.
  const { accessLog: _requests, ...ownLogs } = settings;
  const logs = await openLogs(ownLogs);
  const logger = logs.loggers.named('vela.arbiter');
  const found = findArbiter();
  const arbiter = found ?? makeArbiter({ handleSignals: false });
  arbiter.logTo(logger);
  for (const { part, combined } of loaded) part.configure(combined.settings);
  await arbiter.startAlone();
  const control = controlProgram(arbiter, logger, found === undefined);
  if (settings.logFile !== undefined) control.alsoLog();
  const { owner } = identity;
  control.onReopen(() => {
    reopenLogs();
    // A worker that does the same must be able to.
    if (owner !== undefined) logs.giveTo(owner.uid, owner.gid);
  });
  control.atEnd(() => logs.close());
  // Who reads it sends signals, which are obeyed from here on.
  if (settings.pidFile !== undefined) control.atEnd(await takePidFile(settings.pidFile));
  const running: RunningApplication[] = [];
  for (const loadedOne of loaded) {
    const { part, combined } = loadedOne;
    begin(loadedOne);
    if (!(await part.accept(arbiter))) continue;
    control.take(part);
    const inheritance = await part.prepare(logs.loggers);
    const monitor = makeMonitor(arbiter, part, combined, inheritance, line);
    const one: RunningApplication = {
      part,
      monitor,
      settings: combined.settings,
      workers: combined.settings.workers,
      reload: (version) => reload(part, version),
    };
    await monitor.start().catch((cause: unknown) => {
      throw explainStart(cause, part.name, combined.settings);
    });
    part.running(monitor);
    control.add(one);
    running.push(one);
  }
  if (running.length === 0) {
    logger.warn({}, 'nothing runs: the hook onConfig has left out all applications');
    if (found === undefined) await control.abandon();
    return;
  }
  const each = running.map((one) => describe(one, running.length));
  control.say(`ready${each.length === 1 ? '' : ':'} ${each.join(', ')}`);
  if (isServing) becomeUser(identity, settings, logs);
  if (settings.adminBind !== undefined) await showAdmin(settings.adminBind, arbiter, control, logger);
  if (settings.reload && isServing)
    logger.warn({}, 'Option "reload" does nothing with workers: 0, as it is workers that are replaced');
  else if (settings.reload) watchSources(settings, control, logger);
  for (const { part } of running) await part.whenReady();
}

/** Where the main process serves, it does so as another user. Else it stays who it is, so that new workers can listen. */
function becomeUser(identity: ProcessIdentity, { pidFile }: ResolvedSettings, { giveTo }: OpenLogs): void {
  const { owner } = identity;
  if (owner === undefined) return;
  giveTo(owner.uid, owner.gid);
  if (pidFile !== undefined) identity.give(pidFile);
  identity.become();
}

async function showAdmin(
  bind: string | number,
  arbiter: Arbiter,
  control: ProgramControl,
  logger: Logger,
): Promise<void> {
  const [wanted] = parseAddresses(bind, 'Option "adminBind"');
  const admin = await startAdmin(
    wanted as ListenAddress,
    { info: () => arbiter.info(), metrics: () => control.readMetrics() },
    logger,
  );
  control.atEnd(() => admin.close());
  control.say(`admin page on ${formatUrl(admin.address, 'http')}`);
}

/** Reloads when a source file has changed. */
function watchSources({ reloadPath }: ResolvedSettings, control: ProgramControl, logger: Logger): void {
  const watch = watchChanges({
    folders: reloadPath === undefined ? [PROGRAM_START.cwd] : [reloadPath].flat(),
    changed: ([file = '', ...others]) => {
      const more = others.length === 0 ? '' : ` and ${others.length} more`;
      void control.reload(`${relative(PROGRAM_START.cwd, file)}${more} changed`);
    },
    failed: (folder, error) => logger.warn({ err: error }, `${folder} cannot be watched: ${error.message}`),
  });
  control.atEnd(() => watch.close());
}

/** `on http://127.0.0.1:8060 (uws, 2 workers, pid 17)`. */
function describe({ part, workers }: RunningApplication, count: number): string {
  const { where, how } = part.describe();
  const many = workers === 0 ? [] : [countWorkers(workers)];
  const place = [
    ...(count === 1 && where !== undefined ? [] : [part.name]),
    ...(where === undefined ? [] : [where]),
  ];
  return `${place.join(' ')} (${[...how, ...many, `pid ${process.pid}`].join(', ')})`;
}

/** An error whose message says it all: its stack would not help the operator. */
function isOperational(error: unknown): error is Error {
  if (error instanceof VelaError) return true;
  return error instanceof Error && 'syscall' in error && LISTEN_CALLS.has(String(error.syscall));
}

function fail(error: Error, origins: CombinedSettings['origins']): never {
  const lines = error.message.split('\n').map((message) => `vela: ${nameOrigin(message, origins)}\n`);
  process.stderr.write(lines.join(''));
  const isStart = error instanceof VelaError && error.code === 'ERR_APP_WORKER';
  process.exit(isStart ? EXIT_FAILED : EXIT_CONFIGURATION);
}
