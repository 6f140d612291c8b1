import { atOnce } from '../core/at-once.js';
import type { Environ, HeaderPair, MiddlewareFunction, RequestEnd } from '../core/contract.js';
import { refuseUnknown, requireOptions } from '../core/errors.js';
import { nameLogger } from '../core/logger.js';
import { compileFormat, findUser, type LogFormat, loggedStatus, NAMED_FORMATS } from './access-log-format.js';
import { type LineStream, LineWriter } from './line-writer.js';
import { optionError, requireMs } from './option-error.js';

/** Options of {@link accessLog}. */
export interface AccessLogOptions {
  /**
   * `common` and `combined` as Apache has them, `json`, one object a line, or a format of gunicorn's:
   * `%(h)s "%(r)s" %(s)s %(D)s`. @defaultValue `combined`
   */
  format?: string;
  /**
   * `logger`, the server's log, under the name `vela.access`; or a stream: lines are gathered, and written many at
   * once. The stream is never ended.
   * @defaultValue standard output
   */
  destination?: 'logger' | LineStream;
  /** Longest time that a line is held back, in ms. @defaultValue 100 */
  flushMs?: number;
  /** How much may wait for a slow stream, in bytes; further lines are dropped, and counted in a warning. @defaultValue 1 MiB */
  limitBytes?: number;
  /** Leaves requests out, such as those of a load balancer. Asked at the request's beginning. */
  skip?: (environ: Environ) => boolean;
}

const OWNER = 'accessLog';
const KNOWN = ['format', 'destination', 'flushMs', 'limitBytes', 'skip'];
const DEFAULT_FLUSH_MS = 100;
const DEFAULT_LIMIT_BYTES = 1_048_576;

/**
 * Writes a line for each request when it is over, however it ended. A client that left before it was answered has status
 * 499, as in nginx. The client's address is what `proxyHeaders()` found out, before this or behind it. Values are escaped, so that none can forge a line.
 * @example new WsgiHandler([accessLog({ format: 'json' }), app])
 */
export function accessLog(options: AccessLogOptions = {}): MiddlewareFunction {
  const {
    format = 'combined',
    destination = process.stdout,
    flushMs = DEFAULT_FLUSH_MS,
    limitBytes = DEFAULT_LIMIT_BYTES,
    skip,
    ...unknown
  } = requireOptions(OWNER, options);
  refuseUnknown(OWNER, unknown, KNOWN);
  if (typeof format !== 'string' || format === '')
    throw optionError(OWNER, 'format', "'common', 'combined', 'json' or a format", format);
  if (destination !== 'logger' && !isStream(destination))
    throw optionError(OWNER, 'destination', "'logger' or a stream", destination);
  requireMs(OWNER, 'flushMs', flushMs);
  if (!Number.isSafeInteger(limitBytes) || limitBytes < 0)
    throw optionError(OWNER, 'limitBytes', 'a whole number of bytes', limitBytes);
  if (skip !== undefined && typeof skip !== 'function')
    throw optionError(OWNER, 'skip', 'a function (environ) => boolean', skip);

  const isJson = format === 'json';
  const compiled: LogFormat = compileFormat(isJson ? JSON_FIELDS : (NAMED_FORMATS[format] ?? format));
  const { readEarly, formatLine, headers, needsResponseHeaders } = compiled;
  const writer = destination === 'logger' ? undefined : new LineWriter(destination, flushMs, limitBytes);

  function log(environ: Environ, early: readonly string[], given: GivenHeaders, end: RequestEnd): void {
    if (isJson) {
      const fields = jsonFields(environ, early, end);
      if (writer !== undefined) writer.write(toAscii(JSON.stringify(fields)));
      else nameLogger(environ['vela.logger'], 'vela.access').info(fields, 'request');
      return;
    }
    const line = formatLine({ environ, early, end, headers: given?.headers });
    if (writer !== undefined) writer.write(line);
    else nameLogger(environ['vela.logger'], 'vela.access').info({}, line);
  }

  const accessLogMiddleware: MiddlewareFunction = (environ) => {
    if (skip !== undefined && atOnce(OWNER, 'skip', skip(environ)) === true) return;
    const control = environ['vela.response'];
    const early = isJson ? readJson(environ) : readEarly(environ);
    if (!needsResponseHeaders) {
      control.onEnd((end) => log(environ, early, undefined, end));
      return;
    }
    let given: GivenHeaders;
    control.onStart((response) => {
      given = response;
    });
    control.onEnd((end) => log(environ, early, given, end));
  };
  accessLogMiddleware.headers = headers;
  accessLogMiddleware.start = ({ logger }) => writer?.start(logger);
  accessLogMiddleware.stop = () => writer?.stop();
  accessLogMiddleware.runsOn = 'request';
  return accessLogMiddleware;
}

type GivenHeaders = { readonly headers: readonly HeaderPair[] } | undefined;

/** A format that reads the same headers. */
const JSON_FIELDS = '%(f)s%(a)s';

/** Raw, as JSON escapes for itself. */
function readJson(environ: Environ): string[] {
  const { REMOTE_ADDR, REQUEST_METHOD, RAW_URI, SERVER_PROTOCOL, HTTP_REFERER, HTTP_USER_AGENT } = environ;
  const time = new Date(environ['wsgi.timestamp']).toISOString();
  return [
    time,
    REMOTE_ADDR,
    REQUEST_METHOD,
    RAW_URI,
    SERVER_PROTOCOL,
    HTTP_REFERER ?? '',
    HTTP_USER_AGENT ?? '',
  ];
}

function jsonFields(environ: Environ, early: readonly string[], end: RequestEnd): object {
  const [time, peer, method, uri, protocol, referer, userAgent] = early;
  return {
    time,
    requestId: environ['vela.request_id'],
    // As `proxyHeaders` behind this has found out.
    remoteAddress: Object.hasOwn(environ, 'REMOTE_ADDR') ? environ.REMOTE_ADDR : peer,
    user: findUser(environ),
    method,
    uri,
    protocol,
    status: loggedStatus(end),
    bodyBytes: end.bodyBytes,
    durationMs: Math.round(end.durationMs * 1000) / 1000,
    outcome: end.outcome,
    referer: referer === '' ? undefined : referer,
    userAgent: userAgent === '' ? undefined : userAgent,
    trace_id: environ['vela.trace_id'],
    span_id: environ['vela.span_id'],
  };
}

/** Line separators of Unicode end lines for some readers. */
function toAscii(json: string): string {
  return json.replace(/[\x7f-\uffff]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function isStream(value: unknown): value is LineStream {
  if (value === null || typeof value !== 'object') return false;
  return ['write', 'on', 'off'].every(
    (name) => typeof (value as Record<string, unknown>)[name] === 'function',
  );
}
