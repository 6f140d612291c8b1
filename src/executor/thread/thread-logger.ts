import type { Logger } from '../../core/logger.js';
import { packError } from '../../core/wire-error.js';
import { packValue } from '../../core/wire-value.js';
import { type FromThread, LOG, type LogLevel, type WireDetail } from '../wire.js';
import { requestContext } from './request-context.js';

/**
 * Writes to the server's log, with the request that the code at hand works for.
 * @param server - its number
 * @param namespace - `''` for that of the request
 */
export function createThreadLogger(
  server: number,
  post: (entry: FromThread) => void,
  namespace = '',
): Logger {
  const write = (level: LogLevel) => (details: unknown, message?: unknown) => {
    const [record, text] = sort(details, message);
    post([LOG, server, level, packDetails(record), text, namespace]);
  };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    named: (name) => createThreadLogger(server, post, name),
  };
}

/** As pino does it, an error may stand in place of the details, and text alone is the message. */
function sort(details: unknown, message: unknown): [details: object, message: string] {
  if (details instanceof Error) return [{ err: details }, String(message ?? details.message)];
  if (typeof details === 'object' && details !== null) return [details, String(message ?? '')];
  return [{}, String(message ?? details)];
}

function packDetails(details: object): WireDetail[] {
  const own = Object.keys(details).map((key) => packDetail(details, key));
  const request = requestContext.getStore();
  if (request === undefined) return own;
  const { requestId, method, target } = request;
  const [path] = target.split('?', 1);
  return [
    ['requestId', [requestId], undefined],
    ['method', [method], undefined],
    ['uri', [path], undefined],
    ...own,
  ];
}

/** Whatever it is: a line must not fail for what it tells. */
function packDetail(details: object, key: string): WireDetail {
  try {
    const value: unknown = Reflect.get(details, key);
    if (value instanceof Error) return [key, undefined, packError(value)];
    return [key, packValue(value) ?? [String(value)], undefined];
  } catch {
    return [key, ['(cannot be shown)'], undefined];
  }
}
