import { formatError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';

/** Warnings and errors for people, on standard error. */
const stderrLogger: Logger = {
  debug() {},
  info() {},
  warn: (details, message) => write('warn ', details, message),
  error: (details, message) => write('error', details, message),
};

/** The logger of an arbiter that was given none: standard error, until there is a log to pass lines to. */
export function createDefaultLogger(): { readonly logger: Logger; passTo(log: Logger): void } {
  let target = stderrLogger;
  return {
    logger: {
      debug: (details, message) => target.debug(details, message),
      info: (details, message) => target.info(details, message),
      warn: (details, message) => target.warn(details, message),
      error: (details, message) => target.error(details, message),
    },
    passTo(log) {
      target = log;
    },
  };
}

function write(level: string, details: object, message: string): void {
  const error = 'err' in details && details.err instanceof Error ? `: ${formatError(details.err)}` : '';
  process.stderr.write(`${new Date().toISOString()} ${level} ${message}${error}\n`);
}
