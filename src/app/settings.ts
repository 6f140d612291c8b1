import type { ServerOptions } from './server-options.js';
import type { Setting } from './setting.js';
import { DATA } from './settings/data.js';
import { DEVELOPMENT } from './settings/development.js';
import { LIMITS } from './settings/limits.js';
import { LISTENING } from './settings/listening.js';
import { LOGS } from './settings/logs.js';
import { PROCESS } from './settings/process.js';
import { THREADS } from './settings/threads.js';
import { TIMES } from './settings/times.js';
import { TLS } from './settings/tls.js';
import { WORKERS } from './settings/workers.js';

/** Settings of every application, whatever it does. */
const { accessLog: _requests, accessLogFormat: _format, ...LOGS_OF_ALL } = LOGS;
export const PROCESS_SETTINGS = {
  ...WORKERS,
  ...LOGS_OF_ALL,
  ...PROCESS,
  ...THREADS,
  ...DATA,
  ...DEVELOPMENT,
};

/** Those of the program as a whole, whatever applications it has: they have no prefix. */
const SHARED = { ...LOGS_OF_ALL, ...PROCESS, ...DEVELOPMENT };
export function isShared(name: string): boolean {
  return Object.hasOwn(SHARED, name);
}

/** Those that mean something only for a program and its processes. */
const { gracefulTimeoutMs: _always, ...OF_WORKERS } = WORKERS;
const { reload, reloadPath } = DEVELOPMENT;
const OF_PROGRAMS = { ...OF_WORKERS, ...PROCESS, reload, reloadPath };
export type ProgramOption = keyof typeof OF_PROGRAMS;

/** Some of the settings, by their names. */
export type SettingSet = Readonly<Record<string, Setting>>;

/**
 * All settings of a server. A new one is a declaration in the file of its section; `node scripts/generate-settings.mjs`
 * then writes docs/settings.md and server-options.ts.
 */
export const SETTINGS: Readonly<Record<keyof ServerOptions, Setting>> = {
  ...LISTENING,
  ...WORKERS,
  ...TIMES,
  ...LIMITS,
  ...LOGS,
  ...PROCESS,
  ...THREADS,
  ...DATA,
  ...TLS,
  ...DEVELOPMENT,
};

/** Those of a server in the process of whoever calls `serve`. */
export const SERVE_SETTINGS: SettingSet = Object.fromEntries(
  Object.entries(SETTINGS).filter(([name]) => !Object.hasOwn(OF_PROGRAMS, name)),
);
