import type { Actor } from '../actors/actor.js';
import type { ActorInfo } from '../actors/actor-info.js';
import type { Arbiter } from '../actors/arbiter.js';
import { getActor } from '../actors/current-actor.js';
import type { Monitor } from '../actors/monitor.js';
import { requireName } from '../actors/spawn-options.js';
import { noteDataStore } from '../channels/data-store.js';
import { VelaError } from '../core/errors.js';
import type { ApplicationHooks } from './application-hooks.js';
import { checkHooks } from './application-hooks.js';
import type { ApplicationPart, Inheritance } from './application-part.js';
import type { CommandLine } from './command-line.js';
import type { NamedLoggers } from './create-logger.js';
import { hookCode } from './hook-code.js';
import { requirePrefix } from './prefix.js';
import { type CommandLineSource, readCommandLine, register, startApplication } from './program.js';
import { closeApplication } from './program-control.js';
import { checkOptions, fromCode, type ResolvedSettings } from './resolve-settings.js';
import type { ServerOptions } from './server-options.js';
import { PROCESS_SETTINGS, type SettingSet } from './settings.js';

/** Options of every application: settings of its processes, and: */
export interface ApplicationOptions extends Pick<ServerOptions, keyof typeof PROCESS_SETTINGS> {
  /**
   * By which its monitor is addressed, and its workers are called: `name-1`.
   * @defaultValue its prefix, or its class's name in lower case
   */
  name?: string;
  /**
   * A word before its settings outside of code, so that they are not those of other applications of the program: with `'api'`
   * flags begin with `--api-`, variables with `VELA_API_`, names in the config file with `api`. Settings of the program as a
   * whole, of logs, its process and development, have none. @defaultValue none
   */
  prefix?: string;
  /** Hooks beside those of its class; they come before these at the start, and after them at the end. @defaultValue {} */
  hooks?: ApplicationHooks;
}

/**
 * Work that a program does in worker processes, which a monitor in the main process starts, restarts and stops. Classes that
 * extend it have hooks as methods. A worker runs the program's script anew up to `start()`, and does its work there.
 * @example
 * class Ticker extends Application {
 *   override workerTask(worker: Actor) {
 *     worker.logger.info({}, 'tick');
 *   }
 * }
 * await new Ticker({ workers: 2 }).start();
 */
export class Application implements ApplicationHooks {
  readonly name: string;
  readonly #part: ApplicationPart;
  #settings: ResolvedSettings | undefined;
  #monitor: Monitor | undefined;
  #started: Promise<this> | undefined;

  /** @throws {ImproperlyConfigured} for wrong options @throws {TypeError} for a name that it cannot have */
  constructor(options: ApplicationOptions = {}, declared: SettingSet = PROCESS_SETTINGS) {
    const { values } = fromCode(options as ServerOptions);
    const { prefix, hooks = {}, ...others } = values as ApplicationOptions;
    if (prefix !== undefined) requirePrefix(new.target.name, prefix);
    const { name = prefix ?? new.target.name.toLowerCase(), ...code } = others;
    requireName(new.target.name, name);
    const sets = [checkHooks(hooks), this];
    checkOptions(code, declared, ['name', 'prefix', 'hooks']);
    this.name = name;
    this.#part = {
      name,
      prefix: prefix ?? '',
      declared,
      code,
      configure: (settings) => {
        this.#settings = settings;
        noteDataStore(settings.dataStore);
      },
      accept: async (arbiter) => {
        for (const set of sets) if ((await set.onConfig?.(arbiter)) === false) return false;
        return true;
      },
      prepare: (loggers) => this.prepare(loggers),
      monitorCode: () => hookCode('monitor', sets),
      workerCode: () => hookCode('worker', sets),
      running: (monitor) => {
        this.#monitor = monitor;
        this.workersReady();
      },
      describe: () => this.describe(),
      whenReady: async () => {
        for (const set of sets) await set.whenReady?.();
      },
      release: () => this.release(),
    };
    register(this, this.#part);
  }

  /** Its settings, from all sources. @throws {VelaError} `ERR_APP_NOT_STARTED` before it is started */
  get settings(): ResolvedSettings {
    return this.#settings ?? this.notStarted('settings');
  }

  /** Its monitor, in the main process. @throws {VelaError} `ERR_APP_NOT_STARTED` before it is started, and in workers */
  get monitor(): Monitor {
    return this.#monitor ?? this.notStarted('monitor');
  }

  /**
   * Starts it, with the settings of the command line, the environment, the config file and code, each before the next, until
   * SIGTERM, SIGINT or SIGQUIT. `--help`, `--version`, `--print-config` and `--check-config` end the process, as does what
   * makes a start impossible: exit code 2 for settings and addresses, 1 for workers that do not come up. In its workers this
   * never resolves; in those of another application it does so at once.
   * @param args - the command line, without node and the script
   * @returns when all of its workers are ready
   */
  start(args: readonly string[] = process.argv.slice(2)): Promise<this> {
    const given = [...args];
    return this.#startBy(() => readCommandLine(given));
  }

  /** As `start`, with a command line that was read. */
  startBy(line: CommandLine): Promise<this> {
    return this.#startBy(() => line);
  }

  #startBy(source: CommandLineSource): Promise<this> {
    this.#started ??= startApplication(this.#part, source).then(() => this);
    return this.#started;
  }

  /** Stops its workers; the program goes on, with what else it does. A second call does nothing more. */
  async close(): Promise<void> {
    if (this.#monitor !== undefined) await closeApplication(this.#part);
  }

  onConfig?(arbiter: Arbiter): unknown;
  monitorStart?(monitor: Actor): unknown;
  monitorStop?(monitor: Actor): unknown;
  monitorInfo?(monitor: Actor, info: ActorInfo): unknown;
  monitorTask?(monitor: Actor): unknown;
  workerStart?(worker: Actor): unknown;
  workerStop?(worker: Actor): unknown;
  workerInfo?(worker: Actor, info: ActorInfo): unknown;
  workerTask?(worker: Actor): unknown;
  whenReady?(): unknown;

  /** What its workers are given, found out in the main process before they start. */
  protected async prepare(_loggers: NamedLoggers): Promise<Inheritance> {
    return { config: {}, descriptors: [] };
  }

  /** All of its workers are ready, in the main process. */
  protected workersReady(): void {}

  /** Where it is, for the ready line, and how. */
  protected describe(): { readonly where?: string; readonly how: readonly string[] } {
    return { how: [] };
  }

  /** Gives back what `prepare` has taken. */
  protected async release(): Promise<void> {}

  protected notStarted(what: string): never {
    const where = getActor()?.isArbiter() === false ? 'in the main process' : 'once it is started';
    throw new VelaError(
      'ERR_APP_NOT_STARTED',
      `The application "${this.name}" has ${what} ${where}: await start()`,
    );
  }
}
