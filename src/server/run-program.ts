import { describeReach } from '../app/address.js';
import type { CommandLine } from '../app/command-line.js';
import { formatSettings } from '../app/format-settings.js';
import { loadSettings } from '../app/load-settings.js';
import type { CombinedSettings } from '../app/resolve-settings.js';
import type { ServerOptions } from '../app/server-options.js';
import { nameOrigin } from '../app/setting-source.js';
import type { App } from '../core/contract.js';
import { VelaError } from '../core/errors.js';
import { checkCertificates } from '../gateway/certificates.js';
import { type Server, startServer } from './start-server.js';

/** Exit code of a program that could not start: the settings are wrong, or the address cannot be had. */
const EXIT_CONFIGURATION = 2;
/** System calls that fail when an address cannot be had. */
const LISTEN_CALLS: ReadonlySet<string> = new Set(['listen', 'bind', 'getaddrinfo']);
const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const;

/**
 * Serves as a program does: with the settings of the command line, the environment, the config file and code, until
 * SIGTERM, SIGINT or SIGQUIT. The process ends after `--print-config` and `--check-config`, and when it cannot start.
 * @returns the server when it listens; undefined when the command line asked for help or the version only
 */
export async function runProgram(
  app: App,
  code: ServerOptions,
  line: CommandLine,
): Promise<Server | undefined> {
  if (line.print !== undefined) {
    process.stdout.write(line.print);
    return undefined;
  }
  let origins: CombinedSettings['origins'] = new Map();
  let server: Server;
  try {
    const combined = await loadSettings(line, code);
    origins = combined.origins;
    if (line.only === 'print') {
      process.stdout.write(formatSettings(combined));
      process.exit(0);
    }
    if (line.only === 'check') {
      if (combined.settings.tls !== undefined) checkCertificates(combined.settings.tls);
      process.stdout.write('vela: the settings are good\n');
      process.exit(0);
    }
    server = await startServer(app, combined.settings);
  } catch (error) {
    if (!isOperational(error)) throw error;
    const lines = error.message.split('\n').map((message) => `vela: ${nameOrigin(message, origins)}\n`);
    process.stderr.write(lines.join(''));
    process.exit(EXIT_CONFIGURATION);
  }
  const where = server.addresses.map((address, index) => `${server.urls[index]}${describeReach(address)}`);
  process.stdout.write(`vela: ready on ${where.join(' and ')} (${server.gateway}, pid ${process.pid})\n`);
  stopOnSignals(server);
  return server;
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
