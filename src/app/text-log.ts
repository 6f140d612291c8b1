import { styleText } from 'node:util';
import { pino } from 'pino';

interface Line {
  time: number;
  level: number;
  msg: string;
  pid: number;
  /** Its namespace. */
  logger?: string;
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

const COLORS = { debug: 'gray', info: 'green', warn: 'yellow', error: 'red' } as const;

/** A line of pino's as text for people, with its end. */
export function formatText(json: string, hasColors: boolean): string {
  const line = JSON.parse(json) as Line;
  const request = [line.logger, line.requestId && `[${line.requestId}]`, line.method, line.uri, line.status]
    .filter(Boolean)
    .join(' ');
  const stack = line.err?.stack;
  const text = stack === undefined ? line.msg : stack.includes(line.msg) ? stack : `${line.msg}\n${stack}`;
  const level = pino.levels.labels[line.level] ?? '';
  const entry = `${paint(level, hasColors)} ${escapeAll(request)}${request === '' ? '' : ' '}${escapeText(text)}`;
  return `${new Date(line.time).toISOString()} ${entry}\n`;
}

function paint(level: string, hasColors: boolean): string {
  const text = level.padEnd(5);
  if (!hasColors) return text;
  return Object.hasOwn(COLORS, level) ? styleText(COLORS[level as keyof typeof COLORS], text) : text;
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
