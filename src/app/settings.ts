import type { ServerOptions } from './server-options.js';
import type { Setting } from './setting.js';
import { DEVELOPMENT } from './settings/development.js';
import { LIMITS } from './settings/limits.js';
import { LISTENING } from './settings/listening.js';
import { LOGS } from './settings/logs.js';
import { THREADS } from './settings/threads.js';
import { TIMES } from './settings/times.js';
import { TLS } from './settings/tls.js';

/**
 * All settings of a server. A new one is a declaration in the file of its section; `node scripts/generate-settings.mjs`
 * then writes docs/settings.md and server-options.ts.
 */
export const SETTINGS: Readonly<Record<keyof ServerOptions, Setting>> = {
  ...LISTENING,
  ...TIMES,
  ...LIMITS,
  ...LOGS,
  ...THREADS,
  ...TLS,
  ...DEVELOPMENT,
};
