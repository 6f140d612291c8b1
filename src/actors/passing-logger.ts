import type { Logger } from '../core/logger.js';

/** A logger that can be told where to log: the program's log may be opened later. */
export function createPassingLogger(first: Logger): { readonly logger: Logger; passTo(log: Logger): void } {
  let target = first;
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
