import type { Arbiter } from '../actors/arbiter.js';
import type { Monitor } from '../actors/monitor.js';
import { ImproperlyConfigured, toError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { readMetrics } from '../core/metrics-source.js';
import type { ApplicationPart } from './application-part.js';
import { countWorkers } from './count-workers.js';
import type { CombinedSettings, ResolvedSettings } from './resolve-settings.js';
import { findRestartSettings } from './restart-settings.js';

/** An application that runs. */
export interface RunningApplication {
  readonly part: ApplicationPart;
  readonly monitor: Monitor;
  /** Those that it was started with. */
  readonly settings: ResolvedSettings;
  /** How many workers its settings give it; 0 is the main process. */
  workers: number;
  /** Its settings, read anew. @param version - another one each time */
  reload(version: string): Promise<CombinedSettings>;
}

const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const;
/** The command by which workers are told to open their log files anew. */
export const REOPEN_LOGS = 'reopen_logs';
/** The command that asks a worker what its registers of metrics have. */
export const READ_METRICS = 'metrics';
/** A worker that does not answer for so long is left out, in ms. */
const METRICS_MS = 2000;
/** Exit code of a program that was not let finish. */
const EXIT_HURRIED = 1;

let current: ProgramControl | undefined;

/**
 * The control of this program; made when an arbiter is given.
 * @param isOwn - the arbiter was made for the applications
 */
export function controlProgram(): ProgramControl | undefined;
export function controlProgram(arbiter: Arbiter, logger: Logger, isOwn: boolean): ProgramControl;
export function controlProgram(
  arbiter?: Arbiter,
  logger?: Logger,
  isOwn = false,
): ProgramControl | undefined {
  if (arbiter !== undefined && logger !== undefined && current?.arbiter !== arbiter)
    current = new ProgramControl(arbiter, logger, isOwn);
  return current;
}

/** Stops an application, and with the last one the arbiter that was started for them. */
export async function closeApplication(part: ApplicationPart): Promise<void> {
  await current?.close(part);
}

/** What an operator does to a program with applications: signals, and what they set off. */
export class ProgramControl {
  readonly arbiter: Arbiter;
  readonly #logger: Logger;
  /** Whether it is here for its applications alone. */
  readonly #isOwn: boolean;
  /** Those whose addresses were claimed. */
  readonly #taken = new Set<ApplicationPart>();
  /** What else is to be ended. */
  readonly #ends: (() => void)[] = [];
  #reopenOwn = () => {};
  #isLogged = false;
  #running: readonly RunningApplication[] = [];
  readonly #listeners: readonly (readonly [signal: NodeJS.Signals, listener: () => void])[];
  #stopping: Promise<void> | undefined;
  #reloading: Promise<void> | undefined;
  /** One more reload is wanted. */
  #isReloadDue = false;
  #reloads = 0;

  constructor(arbiter: Arbiter, logger: Logger, isOwn: boolean) {
    this.arbiter = arbiter;
    this.#logger = logger;
    this.#isOwn = isOwn;
    arbiter.leaveSignals();
    this.#listeners = [
      ...STOP_SIGNALS.map((signal) => [signal, () => this.#stopBy(signal)] as const),
      ['SIGHUP', () => void this.reload('SIGHUP')],
      ['SIGUSR1', () => this.#reopenLogs()],
      [
        'SIGUSR2',
        () =>
          this.#logger.warn(
            {},
            'SIGUSR2 does nothing here: SIGHUP reloads, and a new version of Vela or Node needs a restart',
          ),
      ],
      ['SIGTTIN', () => this.#scaleAll(1)],
      ['SIGTTOU', () => this.#scaleAll(-1)],
    ];
    for (const [signal, listener] of this.#listeners) process.on(signal, listener);
  }

  get isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  /** Before an application prepares. */
  take(part: ApplicationPart): void {
    this.#taken.add(part);
  }

  /** When all of its workers are ready. */
  add(application: RunningApplication): void {
    this.#running = [...this.#running, application];
  }

  /** Stops an application, and all, when it was the last one of a program that has nothing else. */
  async close(part: ApplicationPart): Promise<void> {
    const found = this.#running.find((one) => one.part === part);
    this.#running = this.#running.filter((one) => one !== found);
    if (this.#running.length === 0 && this.#isOwn) {
      await this.abandon();
      return;
    }
    await this.#stopOne(part, found?.monitor);
  }

  /** Puts new workers in the place of all, with settings read anew. A call during another one's work is done after it. */
  reload(why: string): Promise<void> {
    this.#isReloadDue = true;
    this.#reloading ??= this.#reloadWhileDue(why).finally(() => {
      this.#reloading = undefined;
    });
    return this.#reloading;
  }

  /** Stops all; signals mean again what they meant before. */
  async abandon(): Promise<void> {
    for (const [signal, listener] of this.#listeners) process.off(signal, listener);
    if (current === this) current = undefined;
    await this.#stopAll();
  }

  /** What opens the log files of this process anew. */
  onReopen(reopen: () => void): void {
    this.#reopenOwn = reopen;
  }

  /** Where the log is a file, it has what is said here too. */
  alsoLog(): void {
    this.#isLogged = true;
  }

  /** Tells the operator what becomes of the program. */
  say(message: string): void {
    process.stdout.write(`vela: ${message}\n`);
    if (this.#isLogged) this.#logger.info({}, message);
  }

  /** Calls a function when all has stopped. */
  atEnd(end: () => void): void {
    this.#ends.push(end);
  }

  /** @param onStopped - before log files are closed */
  async #stopAll(onStopped = () => {}): Promise<void> {
    // At once: the time that each has for its requests is not to add up.
    await Promise.all(this.#running.map(({ part, monitor }) => this.#stopOne(part, monitor)));
    await this.arbiter.stop();
    await Promise.all([...this.#taken].map((part) => this.#release(part)));
    onStopped();
    for (const end of this.#ends.splice(0).reverse()) end();
  }

  async #stopOne(part: ApplicationPart, monitor: Monitor | undefined): Promise<void> {
    const stopped = monitor?.stop();
    // No worker is started from here on. Clients that come now are refused; they would wait for one that never takes them.
    await this.#release(part);
    await stopped;
  }

  async #release(part: ApplicationPart): Promise<void> {
    if (this.#taken.delete(part)) await part.release();
  }

  async #reloadWhileDue(why: string): Promise<void> {
    while (this.#isReloadDue && !this.isStopping) {
      this.#isReloadDue = false;
      // While it starts all is new.
      if (this.#running.length === 0) continue;
      this.#reloads++;
      this.say(`${why}, reloading`);
      const outcomes = [];
      for (const one of this.#running) outcomes.push(await this.#reloadOne(one));
      if (!this.isStopping && outcomes.every(Boolean)) this.say('reloaded');
    }
  }

  /** @returns whether all went well */
  async #reloadOne(running: RunningApplication): Promise<boolean> {
    const { part, monitor } = running;
    if (running.workers === 0) {
      this.#tellAlone(part, 'be reloaded');
      return false;
    }
    let isReplacing = false;
    try {
      const { settings } = await running.reload(`?${this.#reloads}`);
      const { workers } = settings;
      const late = findRestartSettings(running.settings, settings);
      if (late.length > 0)
        this.#logger.warn(
          { settings: late },
          `"${part.name}" is reloaded without ${late.join(', ')}: what has changed there needs a restart`,
        );
      isReplacing = true;
      await monitor.replace();
      // What signals have made of the number stays, unless the settings have changed.
      if (workers !== running.workers && workers > 0) {
        running.workers = workers;
        monitor.actor.setConfig('workers', workers);
      }
      return true;
    } catch (error) {
      if (this.isStopping) return false;
      const err = toError(error);
      // Why a worker has not come up the arbiter has logged, with its stack.
      const isTold = isReplacing || error instanceof ImproperlyConfigured;
      this.#logger.error(
        isTold ? {} : { err },
        `"${part.name}" was not reloaded, and serves on as it was: ${err.message}`,
      );
      return false;
    }
  }

  /** What the registers of all workers have, and those of this process. */
  async readMetrics(): Promise<unknown[][]> {
    const asked = this.#running.flatMap(({ monitor }) =>
      monitor.workers.map(({ id }) => monitor.actor.send({ to: id, timeoutMs: METRICS_MS }, READ_METRICS)),
    );
    const answers = await Promise.allSettled([...asked, readMetrics()]);
    const each = answers.map((one) => (one.status === 'fulfilled' ? (one.value as unknown[]) : []));
    return each.filter((metrics) => metrics.length > 0);
  }

  #reopenLogs(): void {
    this.#reopenOwn();
    // One that is just going needs none.
    for (const { monitor } of this.#running)
      for (const worker of monitor.workers) monitor.actor.send(worker, REOPEN_LOGS).catch(() => {});
    this.#logger.info({}, 'log files are opened anew');
  }

  #scaleAll(step: number): void {
    for (const { part, monitor, workers } of this.#running) {
      if (this.isStopping) return;
      if (workers === 0) {
        this.#tellAlone(part, 'be given more or fewer');
        continue;
      }
      const present = Number(monitor.actor.config.workers);
      const wanted = Math.max(1, present + step);
      if (wanted !== present) monitor.actor.setConfig('workers', wanted);
      const since = wanted === present ? ', the least that it can have' : ' from now on';
      this.#logger.info({ workers: wanted }, `"${part.name}" has ${countWorkers(wanted)}${since}`);
    }
  }

  #tellAlone({ name }: ApplicationPart, what: string): void {
    this.#logger.warn({}, `"${name}" has no workers of its own, and cannot ${what}: give workers: 1 or more`);
  }

  #stopBy(signal: NodeJS.Signals): void {
    if (this.#stopping !== undefined) {
      this.arbiter.killAll();
      process.exit(EXIT_HURRIED);
    }
    this.say(`${signal}, stopping`);
    this.#stopping = this.#stop();
  }

  async #stop(): Promise<never> {
    await this.#stopAll(() => this.say('bye (exit code = 0)'));
    process.exit(0);
  }
}
