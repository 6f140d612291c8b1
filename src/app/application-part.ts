import type { ActorCode } from '../actors/actor-code.js';
import type { Arbiter } from '../actors/arbiter.js';
import type { Monitor } from '../actors/monitor.js';
import type { NamedLoggers } from './create-logger.js';
import type { ResolvedSettings } from './resolve-settings.js';
import type { ServerOptions } from './server-options.js';
import type { SettingSet } from './settings.js';

/** What an application's workers are given by the main process. */
export interface Inheritance {
  /** Facts, which can be copied: they have them as `worker.config`. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Open descriptors, which they have as 4, 5 and so on. */
  readonly descriptors: readonly number[];
}

/** An application, as the program that runs it sees it. */
export interface ApplicationPart {
  readonly name: string;
  /** Before the names of its settings, everywhere but in code; `''` for none. */
  readonly prefix: string;
  /** The settings that it has. */
  readonly declared: SettingSet;
  /** Those that were given in code. */
  readonly code: ServerOptions;
  /** Tells it its settings, in every process. */
  configure(settings: ResolvedSettings): void;
  /** @returns false when it is to be left out */
  accept(arbiter: Arbiter): Promise<boolean>;
  /** In the main process, before there are workers. */
  prepare(loggers: NamedLoggers): Promise<Inheritance>;
  readonly monitorCode: () => ActorCode;
  readonly workerCode: () => ActorCode;
  /** In the main process: it runs. */
  running(monitor: Monitor): void;
  /** What the ready line says of it: `on http://127.0.0.1:8060`, `uws`. */
  describe(): { readonly where?: string; readonly how: readonly string[] };
  whenReady(): Promise<void>;
  /** In the main process: its workers are gone. */
  release(): Promise<void>;
}
