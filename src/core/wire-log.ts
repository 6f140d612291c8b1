import { type Logger, nameLogger } from './logger.js';
import { packError, unpackError, type WireError } from './wire-error.js';
import { packValue, unpackValue, type WireValue } from './wire-value.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** One of the details of a log line: a value, or an error. */
export type WireDetail = readonly [key: string, value: WireValue | undefined, error: WireError | undefined];

/** A line on its way to the log of another thread or process. */
export interface WireLine {
  readonly level: LogLevel;
  readonly details: readonly WireDetail[];
  readonly message: string;
  /** `''` for none of its own. */
  readonly namespace: string;
}

/** A logger whose lines are written elsewhere. @param tell - is given each; it must not throw */
export function createWireLogger(tell: (line: WireLine) => void, namespace = ''): Logger {
  const write = (level: LogLevel) => (details: unknown, message?: unknown) => {
    const [record, text] = sort(details, message);
    tell({
      level,
      details: Object.keys(record).map((key) => packDetail(record, key)),
      message: text,
      namespace,
    });
  };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    named: (name) => createWireLogger(tell, name),
  };
}

/** Writes a line. @param more - details that come first */
export function writeLine(
  logger: Logger,
  { level, details, message, namespace }: WireLine,
  more: object = {},
): void {
  const pairs = details.map(([key, value, error]) => [
    key,
    error === undefined ? value && unpackValue(value) : unpackError(error),
  ]);
  const named = namespace === '' ? logger : nameLogger(logger, namespace);
  named[level]({ ...more, ...Object.fromEntries(pairs) }, message);
}

/** As pino does it, an error may stand in place of the details, and text alone is the message. */
function sort(details: unknown, message: unknown): [details: object, message: string] {
  if (details instanceof Error) return [{ err: details }, String(message ?? details.message)];
  if (typeof details === 'object' && details !== null) return [details, String(message ?? '')];
  return [{}, String(message ?? details)];
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
