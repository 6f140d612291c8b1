import type { Logger } from '../../core/logger.js';
import { type FromThread, LOG, type LogLevel } from '../wire.js';
import { crosses, packError } from '../wire-error.js';
import { requestContext } from './request-context.js';

/** Where an error stands among the details of a line. */
export const PACKED_ERROR = 'vela.packed_error';

/** Writes to the server's log, with the request that the code at hand works for. @param server - its number */
export function createThreadLogger(server: number, post: (entry: FromThread) => void): Logger {
  const write = (level: LogLevel) => (details: object, message: string) => {
    post([LOG, server, level, packDetails(details), String(message)]);
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

function packDetails(details: object): object {
  const request = requestContext.getStore();
  const bindings = request && { requestId: request.requestId, method: request.method, uri: request.path };
  const pairs = Object.entries({ ...bindings, ...details }).map(([key, value]: [string, unknown]) => {
    if (value instanceof Error) return [key, { [PACKED_ERROR]: packError(value) }];
    return [key, crosses(value) ? value : String(value)];
  });
  return Object.fromEntries(pairs);
}
