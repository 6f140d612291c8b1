import { pino } from 'pino';
import { toError } from '../core/errors.js';
import type { LogConfig } from './log-config.js';

/**
 * Starts pino's transports, in a thread of their own. One that fails gets no more lines, which is told on standard error;
 * the log itself goes on. What it has not taken when the process exits is waited for, as pino does it.
 */
export function startTransport(transport: NonNullable<LogConfig['transport']>): {
  write(line: string): void;
} {
  const stream = pino.transport(transport as pino.TransportSingleOptions) as {
    write(line: string): unknown;
    on(event: 'error', listener: (error: Error) => void): unknown;
  };
  let hasFailed = false;
  const fail = (error: Error) => {
    if (hasFailed) return;
    hasFailed = true;
    process.stderr.write(
      `vela: the transport of the log has failed, and gets no more lines: ${error.message}\n`,
    );
  };
  stream.on('error', fail);
  return {
    write(line) {
      if (hasFailed) return;
      try {
        stream.write(line);
      } catch (error) {
        fail(toError(error));
      }
    },
  };
}
