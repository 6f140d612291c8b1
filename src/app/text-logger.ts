import { pino } from 'pino';
import { formatError, toError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';

/** From the most to the least talkative. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
/** `text` is for people, `json` for machines: one object a line, as pino writes it. */
export const LOG_FORMATS = ['text', 'json'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** A logger that writes to standard error. */
export function createLogger(level: LogLevel, format: LogFormat): Logger {
  const options = { level, base: { pid: process.pid }, errorKey: 'err' };
  if (format === 'json') return pino(options, pino.destination({ dest: 2, sync: true }));
  const serializers = { err: (error: unknown) => ({ stack: formatError(toError(error)) }) };
  return pino({ ...options, serializers }, { write: writeText });
}

interface Line {
  time: number;
  level: number;
  msg: string;
  pid: number;
  requestId?: string;
  method?: string;
  uri?: string;
  status?: number;
  err?: { stack?: string };
}

function writeText(json: string): void {
  const line = JSON.parse(json) as Line;
  const request = [line.requestId && `[${line.requestId}]`, line.method, line.uri, line.status]
    .filter(Boolean)
    .join(' ');
  const stack = line.err?.stack;
  const text = stack === undefined ? line.msg : stack.includes(line.msg) ? stack : `${line.msg}\n${stack}`;
  const level = (pino.levels.labels[line.level] ?? '').padEnd(5);
  process.stderr.write(
    `${new Date(line.time).toISOString()} ${level} ${request}${request === '' ? '' : ' '}${text}\n`,
  );
}
