import { atOnce } from '../core/at-once.js';
import type { BeginningResponse, Environ, MiddlewareFunction } from '../core/contract.js';
import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import { TOKEN } from '../core/http-syntax.js';
import { optionError } from './option-error.js';

/** Options of {@link serverTiming}. */
export interface ServerTimingOptions {
  /** Who may see: durations tell what a server does, cached answers from others, say. @defaultValue everybody */
  allow?: (environ: Environ) => boolean;
  /** Name of the time from this middleware to the response's beginning; `''` leaves it out. @defaultValue `total` */
  total?: string;
}

interface Mark {
  readonly name: string;
  readonly description: string | undefined;
  readonly beganMs: number;
  durationMs: number | undefined;
}

const OWNER = 'serverTiming';
const KEY = 'vela.timings';
/** What is more is left out: browsers keep few, and heads have a limit. */
const MAX_MARKS = 50;

/**
 * Tells the browser's developer tools how long things took, in the header Server-Timing: what {@link timing} measured
 * before the response began.
 * @see {@link https://www.w3.org/TR/server-timing/ | Server Timing}
 * @example new WsgiHandler([serverTiming(), app])
 */
export function serverTiming(options: ServerTimingOptions = {}): MiddlewareFunction {
  const { allow, total = 'total', ...unknown } = requireOptions(OWNER, options);
  refuseUnknown(OWNER, unknown, ['allow', 'total']);
  if (allow !== undefined && typeof allow !== 'function')
    throw optionError(OWNER, 'allow', 'a function (environ) => boolean', allow);
  if (typeof total !== 'string' || (total !== '' && !TOKEN.test(total)))
    throw optionError(OWNER, 'total', "a token such as 'total', or ''", total);

  const serverTimingMiddleware: MiddlewareFunction = (environ) => {
    if (allow !== undefined && atOnce(OWNER, 'allow', allow(environ)) !== true) return;
    const marks: Mark[] = [];
    environ[KEY] = marks;
    if (total !== '') begin(marks, total, undefined);
    environ['vela.response'].onStart((response) => addTimings(response, marks));
  };
  serverTimingMiddleware.headers = [];
  serverTimingMiddleware.runsOn = 'request';
  return serverTimingMiddleware;
}

/**
 * Begins to measure; the function that it returns ends that. What has not ended when the response begins is told with the
 * time until then. Without {@link serverTiming} before the handler nothing is measured.
 * @param name - a token: `db`
 * @throws {TypeError} for a name that is none
 * @example
 * const end = timing(environ, 'db', 'find the user');
 * const user = await find(id);
 * end();
 */
export function timing(environ: Environ, name: string, description?: string): () => void {
  if (typeof name !== 'string' || !TOKEN.test(name))
    throw new TypeError(`timing() needs as name a token, such as 'db'; received ${describeValue(name)}`);
  if (description !== undefined && typeof description !== 'string')
    throw new TypeError(`timing() takes a text as description; received ${describeValue(description)}`);
  const marks = environ[KEY];
  if (!Array.isArray(marks) || marks.length >= MAX_MARKS) return nothing;
  const mark = begin(marks as Mark[], name, description);
  return () => {
    mark.durationMs ??= performance.now() - mark.beganMs;
  };
}

function nothing(): void {}

function begin(marks: Mark[], name: string, description: string | undefined): Mark {
  const mark: Mark = { name, description, beganMs: performance.now(), durationMs: undefined };
  marks.push(mark);
  return mark;
}

function addTimings(response: BeginningResponse, marks: readonly Mark[]): void {
  if (marks.length === 0) return;
  const now = performance.now();
  response.headers.push(['Server-Timing', marks.map((mark) => formatMark(mark, now)).join(', ')]);
}

function formatMark({ name, description, beganMs, durationMs = -1 }: Mark, now: number): string {
  const duration = (durationMs === -1 ? now - beganMs : durationMs).toFixed(3);
  return `${name};dur=${Number(duration)}${description === undefined ? '' : `;desc="${quote(description)}"`}`;
}

/** As a quoted-string (RFC 9110 §5.6.4); what cannot stand in one becomes `?`. */
function quote(text: string): string {
  return text.replace(/[^\t -~]/g, '?').replace(/["\\]/g, '\\$&');
}
