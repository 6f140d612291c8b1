import { describeReach } from '../app/address.js';
import { nameFlag, parseCommandLine } from '../app/command-line.js';
import type { ServerOptions } from '../app/server-options.js';
import { resolveSettings } from '../app/settings.js';
import type { App } from '../core/contract.js';
import { VelaError } from '../core/errors.js';
import { type Server, serve } from './serve.js';

/** Exit code of a program that could not start: the settings are wrong, or the address cannot be had. */
const EXIT_CONFIGURATION = 2;
/** System calls that fail when an address cannot be had. */
const LISTEN_CALLS: ReadonlySet<string> = new Set(['listen', 'bind', 'getaddrinfo']);
const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const;

/**
 * A server as a script's last line: it reads the command line, says when it is ready, and stops on signals.
 * @example await new WsgiServer(app, { bind: ':8060' }).start()
 */
export class WsgiServer {
  readonly #app: App;
  readonly #options: ServerOptions;
  #started: Promise<Server | undefined> | undefined;

  /** @throws {ImproperlyConfigured} for wrong options */
  constructor(app: App, options: ServerOptions = {}) {
    resolveSettings(options);
    this.#app = app;
    this.#options = options;
  }

  /**
   * Serves until SIGTERM, SIGINT or SIGQUIT: then the requests under way are completed, and the process exits with 0.
   * The command line comes before the options given in code. A second signal exits at once.
   * @param args - the command line, without node and the script
   * @returns the server when it listens; undefined when the command line asked for help only
   */
  start(args: readonly string[] = process.argv.slice(2)): Promise<Server | undefined> {
    this.#started ??= this.#start(args);
    return this.#started;
  }

  async #start(args: readonly string[]): Promise<Server | undefined> {
    let server: Server;
    let flagged: ServerOptions = {};
    try {
      const line = parseCommandLine(args, process.argv[1]);
      if ('print' in line) {
        process.stdout.write(line.print);
        return undefined;
      }
      flagged = line.options;
      server = await serve(this.#app, { ...this.#options, ...flagged });
    } catch (error) {
      if (!isOperational(error)) throw error;
      process.stderr.write(`vela: ${nameFlag(error.message, flagged)}\n`);
      process.exit(EXIT_CONFIGURATION);
    }
    const where = `${server.url}${describeReach(server.address)}`;
    process.stdout.write(`vela: ready on ${where} (${server.gateway}, pid ${process.pid})\n`);
    stopOnSignals(server);
    return server;
  }
}

/** An error whose message says it all: its stack would not help the operator. */
function isOperational(error: unknown): error is Error {
  if (error instanceof VelaError) return true;
  return error instanceof Error && 'syscall' in error && LISTEN_CALLS.has(String(error.syscall));
}

function stopOnSignals(server: Server): void {
  let isStopping = false;
  for (const signal of STOP_SIGNALS) {
    process.on(signal, () => {
      if (isStopping) process.exit(1);
      isStopping = true;
      void stop(server, signal);
    });
  }
}

async function stop(server: Server, signal: string): Promise<void> {
  process.stdout.write(`vela: ${signal}, stopping\n`);
  try {
    await server.close();
  } catch (error) {
    process.stderr.write(`vela: ${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  }
  process.stdout.write('vela: bye (exit code = 0)\n');
  process.exit(0);
}
