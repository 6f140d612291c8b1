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

/** Control and format characters, Unicode's line ends, and what is no character: terminals obey some of them. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;
/** A line end within an entry, and the tab. */
const LAYOUT = '\n\t';

function writeText(json: string): void {
  const line = JSON.parse(json) as Line;
  const request = [line.requestId && `[${line.requestId}]`, line.method, line.uri, line.status]
    .filter(Boolean)
    .join(' ');
  const stack = line.err?.stack;
  const text = stack === undefined ? line.msg : stack.includes(line.msg) ? stack : `${line.msg}\n${stack}`;
  const level = (pino.levels.labels[line.level] ?? '').padEnd(5);
  const entry = `${level} ${escapeAll(request)}${request === '' ? '' : ' '}${escapeText(text)}`;
  process.stderr.write(`${new Date(line.time).toISOString()} ${entry}\n`);
}

/** Stacks keep their line ends. A line that would look like an entry of its own is indented. */
function escapeText(text: string): string {
  return text
    .replace(UNPRINTABLE, (one) => (LAYOUT.includes(one) ? one : escapeOne(one)))
    .replace(/\n(?=\d{4}-\d\d-\d\dT)/g, '\n    ');
}

function escapeAll(text: string): string {
  return text.replace(UNPRINTABLE, escapeOne);
}

/** As JavaScript spells it: `\\u202e`. */
function escapeOne(one: string): string {
  const code = (one.codePointAt(0) as number).toString(16);
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`;
}
