import { formatError } from './errors.js';
import type { Logger } from './logger.js';

/** Warnings and errors for people, on standard error: for what has no log of Vela's. */
export const stderrLogger: Logger = {
  debug() {},
  info() {},
  warn: (details, message) => write('warn ', details, message),
  error: (details, message) => write('error', details, message),
};

function write(level: string, details: object, message: string): void {
  const error = 'err' in details && details.err instanceof Error ? `: ${formatError(details.err)}` : '';
  process.stderr.write(`${new Date().toISOString()} ${level} ${message}${error}\n`);
}
