import type { Attributes, Span } from '@opentelemetry/api';
import { atOnce } from '../core/at-once.js';
import type { Environ, RequestEnd } from '../core/contract.js';
import { VelaError } from '../core/errors.js';
import { HttpError } from '../core/http-error.js';
import { diag, SpanStatusCode } from './api.js';
import type { Meters } from './instruments.js';
import { nameSpan, readChanged } from './request-attributes.js';
import type { TraceSettings } from './trace-options.js';

const KEY = 'vela.opentelemetry';
const LONGEST_NAME = 200;

/** What is told of a request: its span, and its part in the metrics. */
export class RequestSpan {
  readonly span: Span | undefined;
  readonly #meters: Meters | undefined;
  readonly #method: string;
  readonly #settings: TraceSettings;
  readonly #active: Attributes;
  readonly #version: string;
  #error: Error | undefined;

  constructor(
    environ: Environ,
    method: string,
    span: Span | undefined,
    meters: Meters | undefined,
    settings: TraceSettings,
  ) {
    this.span = span;
    this.#meters = meters;
    this.#method = method;
    this.#settings = settings;
    this.#active = { 'http.request.method': method, 'url.scheme': environ['wsgi.url_scheme'] };
    this.#version = environ.SERVER_PROTOCOL.slice(5);
    meters?.active.add(1, this.#active);
    environ[KEY] = this;
  }

  /** An error became a response. Those below 500 are what a handler says to its client. */
  fail(error: Error, status: number): void {
    if (status >= 500) this.#record(error);
  }

  end(environ: Environ, end: RequestEnd): void {
    if (end.outcome === 'cut' && end.error !== undefined) this.#record(end.error);
    const type = findErrorType(end, this.#error);
    const given = environ['vela.route'];
    const route = typeof given === 'string' && given !== '' ? given : undefined;
    this.#measure(end, type, route);
    const { span } = this;
    if (span === undefined) return;
    try {
      if (span.isRecording()) this.#describe(span, environ, end, type, route);
    } finally {
      span.end();
    }
  }

  /** Once for the same error: what ends a response may have become one before. */
  #record(error: Error): void {
    if (this.#error === error) return;
    this.#error = error;
    this.span?.recordException(error);
  }

  #measure(end: RequestEnd, type: string | undefined, route: string | undefined): void {
    const meters = this.#meters;
    if (meters === undefined) return;
    meters.active.add(-1, this.#active);
    const attributes: Attributes = { ...this.#active, 'network.protocol.version': this.#version };
    if (end.status !== 0) attributes['http.response.status_code'] = end.status;
    if (type !== undefined) attributes['error.type'] = type;
    if (route !== undefined) attributes['http.route'] = route;
    meters.duration.record(end.durationMs / 1000, attributes);
  }

  #describe(
    span: Span,
    environ: Environ,
    end: RequestEnd,
    type: string | undefined,
    route: string | undefined,
  ): void {
    const attributes = readChanged(environ);
    if (end.status !== 0) attributes['http.response.status_code'] = end.status;
    if (type !== undefined) attributes['error.type'] = type;
    if (route !== undefined) {
      attributes['http.route'] = route;
      span.updateName(nameSpan(this.#method, route));
    }
    span.setAttributes(attributes);
    const { endAttributes } = this.#settings;
    if (endAttributes !== undefined) span.setAttributes(callHook(() => endAttributes(environ, end), {}));
    if (end.status < 500 && end.outcome !== 'cut') return;
    // A status says it all, an exception says more.
    const message = this.#error?.message;
    span.setStatus({ code: SpanStatusCode.ERROR, ...(typeof message === 'string' ? { message } : {}) });
  }
}

/**
 * The span of a request, for attributes of your own; undefined where the request is not traced, or not recorded. It ends
 * with the response.
 * @example requestSpan(environ)?.setAttribute('shop.order', id);
 */
export function requestSpan(environ: Environ): Span | undefined {
  return findRequestSpan(environ)?.span;
}

export function findRequestSpan(environ: Environ): RequestSpan | undefined {
  const known = environ[KEY];
  return known instanceof RequestSpan ? known : undefined;
}

/** What a function of the user's gives; what it throws is told to OpenTelemetry's log, and no request fails for it. */
export function callHook<T>(hook: () => T, otherwise: T): T {
  try {
    return atOnce('traceRequests', 'its functions', hook()) ?? otherwise;
  } catch (error) {
    diag.error('vela: a function given to traceRequests() threw', error);
    return otherwise;
  }
}

/** A status of its own has no other type; a name is cut off where it is no name. */
function findErrorType(end: RequestEnd, error: Error | undefined): string | undefined {
  if (end.outcome === 'aborted') return 'ERR_CLIENT_ABORTED';
  if (end.outcome !== 'cut' && end.status < 500) return undefined;
  if (error instanceof VelaError) return error.code;
  if (error === undefined) return String(end.status);
  if (error instanceof HttpError) return String(error.status);
  const { name } = error;
  return typeof name === 'string' && name !== '' && name.length <= LONGEST_NAME ? name : '_OTHER';
}
