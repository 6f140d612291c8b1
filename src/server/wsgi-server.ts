import { parseCommandLine } from '../app/command-line.js';
import { checkOptions } from '../app/resolve-settings.js';
import type { ServerOptions } from '../app/server-options.js';
import type { App } from '../core/contract.js';
import { runProgram } from './run-program.js';
import type { Server } from './start-server.js';

/**
 * A server as a script's last line: it reads the command line, the environment and the config file, says when it is
 * ready, and stops on signals.
 * @example await new WsgiServer(app, { bind: ':8060' }).start()
 */
export class WsgiServer {
  readonly #app: App;
  readonly #options: ServerOptions;
  #started: Promise<Server | undefined> | undefined;

  /** @throws {ImproperlyConfigured} for wrong options */
  constructor(app: App, options: ServerOptions = {}) {
    checkOptions(options);
    this.#app = app;
    this.#options = options;
  }

  /**
   * Serves until SIGTERM, SIGINT or SIGQUIT: then the requests under way are completed, and the process exits with 0. A
   * second signal exits at once. The command line comes before the environment (`VELA_*`), that before the config file
   * (`vela.config.js`), and that before the options given in code. `--print-config` and `--check-config` end the process.
   * @param args - the command line, without node and the script
   * @returns the server when it listens; undefined when the command line asked for help only
   */
  start(args: readonly string[] = process.argv.slice(2)): Promise<Server | undefined> {
    this.#started ??= runProgram(this.#app, this.#options, parseCommandLine(args, process.argv[1]));
    return this.#started;
  }
}
