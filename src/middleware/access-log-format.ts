import type { Environ, HeaderPair, RequestEnd } from '../core/contract.js';
import { LazyEnviron } from '../core/environ.js';
import { VelaError } from '../core/errors.js';
import { HttpError } from '../core/http-error.js';
import { TOKEN } from '../core/http-syntax.js';
import { fieldKey } from '../core/request-fields.js';
import { findHeader } from './put-header.js';

/** What is known of a request at its end. */
export interface LogRecord {
  readonly environ: Environ;
  /** What was read at its beginning, in the order of the format's fields. */
  readonly early: readonly string[];
  readonly end: RequestEnd;
  /** Of the response; undefined when there was none. */
  readonly headers: readonly HeaderPair[] | undefined;
}

/** A format, compiled. */
export interface LogFormat {
  /** Reads what cannot be read after the response. */
  readonly readEarly: (environ: Environ) => string[];
  readonly formatLine: (record: LogRecord) => string;
  /** The request headers that it reads. */
  readonly headers: readonly string[];
  readonly needsResponseHeaders: boolean;
}

/** What `proxyHeaders` may find out of the request after the log has read it. */
const ASSIGNABLE = ['REMOTE_ADDR', 'REMOTE_PORT', 'HTTP_HOST'] as const;
type AssignableKey = (typeof ASSIGNABLE)[number];
type Early = (environ: Environ) => string;
type Late = (record: LogRecord) => string;

const COMMON = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s';
/** The formats that have names. */
export const NAMED_FORMATS: Readonly<Record<string, string>> = {
  common: COMMON,
  combined: `${COMMON} "%(f)s" "%(a)s"`,
};
/** nginx's status for a client that left before it was answered. */
const CLIENT_CLOSED_REQUEST = 499;

const EARLY: Readonly<Record<string, Early>> = {
  t: (environ) => formatTime(environ['wsgi.timestamp']),
  r: ({ REQUEST_METHOD, RAW_URI, SERVER_PROTOCOL }) =>
    escapeField(`${REQUEST_METHOD} ${RAW_URI} ${SERVER_PROTOCOL}`),
  m: ({ REQUEST_METHOD }) => escapeField(REQUEST_METHOD),
  U: ({ RAW_URI }) => escapeField(RAW_URI.split('?', 1)[0] as string),
  q: ({ RAW_URI }) => escapeField(findQuery(RAW_URI)),
  H: ({ SERVER_PROTOCOL }) => escapeField(SERVER_PROTOCOL),
  f: (environ) => escapeField(LazyEnviron.readField(environ, 'HTTP_REFERER', 'referer')),
  a: (environ) => escapeField(LazyEnviron.readField(environ, 'HTTP_USER_AGENT', 'user-agent')),
};
const LATE: Readonly<Record<string, Late>> = {
  u: ({ environ }) => escapeField(findUser(environ)),
  s: ({ end }) => statusText(end),
  b: ({ end }) => (end.bodyBytes === 0 ? '-' : String(end.bodyBytes)),
  B: ({ end }) => String(end.bodyBytes),
  T: ({ end }) => String(Math.floor(end.durationMs / 1000)),
  M: ({ end }) => String(Math.floor(end.durationMs)),
  D: ({ end }) => String(Math.round(end.durationMs * 1000)),
  L: ({ end }) => (end.durationMs / 1000).toFixed(6),
};

/**
 * Compiles a format of gunicorn's: `%(h)s`, `%({user-agent}i)s`; `%%` is a percent sign.
 * @throws {TypeError} for a letter that it does not have
 */
export function compileFormat(format: string): LogFormat {
  const literals: string[] = [''];
  const early: Early[] = [];
  const fields: (Late | number)[] = [];
  const headers = new Set<string>();
  let needsResponseHeaders = false;
  let hasField = false;
  const addText = (text: string) => {
    literals[literals.length - 1] += text;
  };
  const addField = (field: Late | number) => {
    fields.push(field);
    literals.push('');
  };
  const addEarly = (read: Early) => addField(early.push(read) - 1);

  /** What a middleware behind the log assigned counts, as `proxyHeaders` does; the request itself may be gone by then. */
  const addAssignable = (key: AssignableKey) => {
    const index = early.push((environ) => escapeField(readEarly(environ, key))) - 1;
    addField(({ environ, early: values }) =>
      Object.hasOwn(environ, key) ? escapeField(environ[key]) : (values[index] as string),
    );
  };

  const pattern = /%%|%\((?:([A-Za-z])|\{([^{}]+)\}([ioe]))\)s|%|[^%]+/g;
  for (const [text, letter = '', name = '', kind] of format.matchAll(pattern)) {
    hasField ||= text.startsWith('%(');
    if (text === '%%') addText('%');
    else if (text === '%') throw badFormat(format);
    else if (kind === 'i') {
      headers.add(requireName(format, name));
      if (name.toLowerCase() === 'host') addAssignable('HTTP_HOST');
      else addEarly(headerReader(name));
    } else if (kind === 'o') {
      needsResponseHeaders = true;
      addField(responseHeaderReader(requireName(format, name)));
    } else if (kind === 'e') {
      if (name.startsWith('HTTP_')) headers.add(name.slice(5).replaceAll('_', '-'));
      if (isAssignable(name)) addAssignable(name);
      else if (isEarlyKey(name)) addEarly((environ) => escapeField(readEarly(environ, name)));
      else addField(({ environ }) => readLate(environ, name));
    } else if (letter === 'h') addAssignable('REMOTE_ADDR');
    else if (letter === 'l') addText('-');
    else if (letter === 'p') addText(`<${process.pid}>`);
    else if (EARLY[letter] !== undefined) {
      if (letter === 'f') headers.add('Referer');
      if (letter === 'a') headers.add('User-Agent');
      addEarly(EARLY[letter] as Early);
    } else if (LATE[letter] !== undefined) addField(LATE[letter] as Late);
    else if (letter !== '') throw badFormat(format);
    else addText(text);
  }
  if (!hasField) throw badFormat(format);
  if (/[\r\n]/.test(literals.join(''))) throw new TypeError('The format of accessLog() must be one line');

  return {
    readEarly(environ) {
      const values = new Array<string>(early.length);
      for (let i = 0; i < early.length; i++) values[i] = (early[i] as Early)(environ);
      return values;
    },
    formatLine(record) {
      let line = literals[0] as string;
      for (let i = 0; i < fields.length; i++) {
        const field = fields[i] as Late | number;
        line += typeof field === 'number' ? record.early[field] : field(record);
        line += literals[i + 1];
      }
      return line;
    },
    headers: [...headers],
    needsResponseHeaders,
  };
}

/** The name of who was authenticated: CGI's key, or Vela's, where that is a name. */
export function findUser(environ: Environ): string | undefined {
  return findAssigned(environ, 'REMOTE_USER') ?? findAssigned(environ, 'vela.user');
}

/** A text that some middleware assigned. Asked for, a key that there is not goes through the whole chain of prototypes. */
function findAssigned(environ: Environ, key: string): string | undefined {
  const value = Object.hasOwn(environ, key) ? environ[key] : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** The status that is logged: 0 for a response that was never begun. */
export function loggedStatus(end: RequestEnd): number {
  return end.status === 0 && end.outcome === 'aborted' ? CLIENT_CLOSED_REQUEST : end.status;
}

/**
 * A value as it may stand in a line and between quotes: control characters, quotes, backslashes and what is not ASCII are
 * written byte by byte as `\xHH`, as nginx does; nothing is `-`.
 */
function escapeField(value: unknown): string {
  if (value === undefined || value === null || value === '') return '-';
  const text = typeof value === 'string' ? value : describe(value);
  return isPlain(text) ? text : text.replace(/[^ !#-[\]-~]+/g, escapeRun);
}

/** For the short texts of a log a loop is faster than a RegExp. */
function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 32 || code > 126 || code === 34 || code === 92) return false;
  }
  return true;
}

function escapeRun(run: string): string {
  let escaped = '';
  for (const byte of Buffer.from(run, isLatin1(run) ? 'latin1' : 'utf8'))
    escaped += `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return escaped;
}

/** Header values are bytes, one a character. */
function isLatin1(run: string): boolean {
  return !/[\u0100-\uffff]/.test(run);
}

/** Numbers and the like; what an object says of itself may be anything, and may throw. */
function describe(value: unknown): string {
  return typeof value === 'object' || typeof value === 'function' ? `[${typeof value}]` : String(value);
}

function statusText(end: RequestEnd): string {
  const status = loggedStatus(end);
  return status === 0 ? '-' : String(status);
}

function findQuery(uri: string): string {
  const mark = uri.indexOf('?');
  return mark === -1 ? '' : uri.slice(mark + 1);
}

function headerReader(name: string): Early {
  const key = fieldKey(name.toLowerCase());
  return (environ) => escapeField(readEarly(environ, key));
}

/** What cannot be read is logged as missing: a Host that is none, which is 400 for whoever needs it. */
function readEarly(environ: Environ, key: string): unknown {
  try {
    return environ[key];
  } catch (error) {
    if (error instanceof HttpError) return undefined;
    throw error;
  }
}

function responseHeaderReader(name: string): Late {
  return ({ headers = [] }) => escapeField(headers[findHeader(headers, name)]?.[1]);
}

function isAssignable(key: string): key is AssignableKey {
  return (ASSIGNABLE as readonly string[]).includes(key);
}

/** Keys that are read from the request, so not after it. */
function isEarlyKey(key: string): boolean {
  return /^(?:HTTP_.*|CONTENT_TYPE|QUERY_STRING|RAW_URI|PATH_INFO|SCRIPT_NAME)$/.test(key);
}

function readLate(environ: Environ, key: string): string {
  try {
    return escapeField(environ[key]);
  } catch (error) {
    if (error instanceof VelaError) return '-';
    throw error;
  }
}

function requireName(format: string, name: string): string {
  if (!TOKEN.test(name)) throw badFormat(format);
  return name;
}

function badFormat(format: string): TypeError {
  return new TypeError(
    `The format of accessLog() must be 'common', 'combined', 'json' or a text with fields: it takes %(X)s with X one of h l u t r m U q H s b B f a T M D L p, %({header}i)s, %({header}o)s, %({variable}e)s and %%; received ${JSON.stringify(format)}`,
  );
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
let lastSecond = -1;
let lastTime = '';

/** `[10/Oct/2000:13:55:36 -0700]`, in the time zone of the process; worked out once a second. */
function formatTime(timestamp: number): string {
  const second = Math.floor(timestamp / 1000);
  if (second === lastSecond) return lastTime;
  const date = new Date(timestamp);
  const two = (value: number) => String(value).padStart(2, '0');
  const zone = -date.getTimezoneOffset();
  const offset = `${zone < 0 ? '-' : '+'}${two(Math.floor(Math.abs(zone) / 60))}${two(Math.abs(zone) % 60)}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  lastTime = `[${two(date.getDate())}/${MONTHS[date.getMonth()]}/${date.getFullYear()}:${time} ${offset}]`;
  lastSecond = second;
  return lastTime;
}
