import { checkOptions, resolveSettings } from '../app/resolve-settings.js';
import type { ServerOptions } from '../app/server-options.js';
import { type ProgramOption, SERVE_SETTINGS } from '../app/settings.js';
import type { App } from '../core/contract.js';
import { type Server, startServer } from './start-server.js';

/** Settings of a server that is no program of its own: without those of workers and processes. */
export type ServeOptions = Omit<ServerOptions, ProgramOption>;

/**
 * Serves an application in this process. Command line, environment and config file are left alone.
 * @returns when it listens
 * @throws {ImproperlyConfigured} for wrong options; errors of listening with their `code`; what a part's `start` throws
 * @example const server = await serve(app, { bind: '127.0.0.1:8060' })
 */
export async function serve(app: App, options: ServeOptions = {}): Promise<Server> {
  checkOptions(options, SERVE_SETTINGS);
  return startServer(app, resolveSettings(options));
}
