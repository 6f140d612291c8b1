import { formatError } from './errors.js';
import type { Logger } from './logger.js';

/** Warnings and errors on standard error, for servers that have no log of Vela's. */
export const consoleLogger: Logger = {
  debug() {},
  info() {},
  warn: (_details, message) => console.error(message),
  error: (details, message) =>
    console.error('err' in details && details.err instanceof Error ? formatError(details.err) : message),
};
