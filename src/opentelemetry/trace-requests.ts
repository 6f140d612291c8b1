import type { Context, Link, Span, TextMapGetter, Tracer } from '@opentelemetry/api';
import type {
  App,
  AppFunction,
  BeginningResponse,
  Environ,
  Middleware,
  MiddlewareFunction,
} from '../core/contract.js';
import { environKeys } from '../core/environ-keys.js';
import { VelaError } from '../core/errors.js';
import { describeParts, resolveCallable } from '../core/parts.js';
import { fieldKey, fieldName } from '../core/request-fields.js';
import { ResponseHooks } from '../core/response-hooks.js';
import { context, propagation, ROOT_CONTEXT, SpanKind, trace } from './api.js';
import { Instruments } from './instruments.js';
import { recordErrors } from './record-errors.js';
import { nameMethod, nameSpan, readAttributes } from './request-attributes.js';
import { callHook, findRequestSpan, RequestSpan } from './request-span.js';
import { resolveTraceOptions, type TraceRequestsOptions, type TraceSettings } from './trace-options.js';

/**
 * Wraps an application, so that OpenTelemetry has a SERVER span of each request: it goes on with the trace that the request's
 * headers tell of, is active while the application runs, after its awaits and while its body is sent, and ends with the
 * response. Metrics are recorded beside it. While no SDK is registered it hands the request on.
 *
 * In a request that is traced already it does nothing.
 * @throws {TypeError} for something that is no application, and for wrong options
 * @see {@link https://opentelemetry.io/docs/specs/semconv/http/http-spans/ | semantic conventions of HTTP spans}
 * @example await new WsgiServer(traceRequests(app)).start();
 */
export function traceRequests(app: App, options?: TraceRequestsOptions): AppFunction;
export function traceRequests(middleware: Middleware, options?: TraceRequestsOptions): MiddlewareFunction;
export function traceRequests(app: App | Middleware, options: TraceRequestsOptions = {}): MiddlewareFunction {
  const call = resolveCallable(app as Middleware, 'What traceRequests() is given') as MiddlewareFunction;
  const settings = resolveTraceOptions(options);
  const { skip } = settings;
  const instruments = new Instruments();
  let endRecording: (() => void) | undefined;

  const traced: MiddlewareFunction = (environ, startResponse) => {
    const tracer = instruments.findTracer();
    const meters = instruments.findMeters();
    if (tracer === undefined && meters === undefined) return call(environ, startResponse);
    if (findRequestSpan(environ) !== undefined || callHook(() => skip?.(environ), false) === true)
      return call(environ, startResponse);
    endRecording ??= recordErrors();
    const method = nameMethod(environ, settings);
    const begun = tracer === undefined ? undefined : beginSpan(environ, method, tracer, settings);
    const request = new RequestSpan(environ, method, begun?.span, meters, settings);
    environ['vela.response'].onEnd((end) => request.end(environ, end));
    if (begun === undefined) return call(environ, startResponse);
    tellTrace(environ, begun.span, settings);
    return context.with(begun.active, () => {
      ResponseHooks.keepContext(environ['vela.response']);
      return call(environ, startResponse);
    });
  };

  traced.headers = app.headers && [
    ...app.headers,
    ...READ,
    ...settings.requestHeaders.map(([, , name]) => name),
  ];
  traced.start = (startContext) => app.start?.(startContext);
  traced.stop = () => {
    endRecording?.();
    endRecording = undefined;
    return app.stop?.();
  };
  traced.describe = () => ({ name: 'traceRequests', parts: describeParts([app]) });
  return traced;
}

/** The headers that are read where this stands behind a middleware that waits. */
const READ = ['Host', 'User-Agent', 'traceparent', 'tracestate', 'baggage'];

function beginSpan(
  environ: Environ,
  method: string,
  tracer: Tracer,
  settings: TraceSettings,
): { span: Span; active: Context } {
  // Not the active context, which may be that of whoever started the server.
  const incoming = callHook(
    () => propagation.extract(ROOT_CONTEXT, environ, fromEnviron),
    ROOT_CONTEXT as Context,
  );
  const { acceptParent } = settings;
  const isAccepted =
    typeof acceptParent === 'function'
      ? callHook(() => acceptParent(environ), false) === true
      : acceptParent === true;
  const attributes = readAttributes(environ, method, settings);
  const { attributes: further } = settings;
  if (further !== undefined)
    Object.assign(
      attributes,
      callHook(() => further(environ), {}),
    );
  const parent = isAccepted ? incoming : ROOT_CONTEXT;
  const links = isAccepted ? [] : linkTo(incoming);
  const span = tracer.startSpan(
    nameSpan(method, undefined),
    { kind: SpanKind.SERVER, attributes, links },
    parent,
  );
  return { span, active: trace.setSpan(parent, span) };
}

function linkTo(incoming: Context): Link[] {
  const spanContext = trace.getSpanContext(incoming);
  return spanContext === undefined ? [] : [{ context: spanContext }];
}

/** Reads what a propagator asks for. */
const fromEnviron: TextMapGetter<Environ> = {
  get: (environ, name) => {
    const value = readHeader(environ, fieldKey(name));
    return typeof value === 'string' ? value : undefined;
  },
  keys: (environ) => environKeys(environ).flatMap((key) => fieldName(key) ?? []),
};

/** A header that is not declared, for a propagator of another kind, counts as none once it cannot be read. */
function readHeader(environ: Environ, key: string): unknown {
  try {
    return environ[key];
  } catch (error) {
    if (error instanceof VelaError) return undefined;
    throw error;
  }
}

/** Tells others of the trace: the environ, where logs find it, and the client, if it is to know. */
function tellTrace(environ: Environ, span: Span, settings: TraceSettings): void {
  const { traceId, spanId, traceFlags } = span.spanContext();
  if (!trace.isSpanContextValid(span.spanContext())) return;
  environ['vela.trace_id'] = traceId;
  environ['vela.span_id'] = spanId;
  const { responseHeader, responseHeaders } = settings;
  if (responseHeader === 'none' && responseHeaders.length === 0) return;
  environ['vela.response'].onStart((response) => {
    recordHeaders(span, response, responseHeaders);
    const parent = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
    if (responseHeader === 'traceresponse') response.headers.push(['traceresponse', parent]);
    if (responseHeader === 'server-timing')
      response.headers.push(['Server-Timing', `traceparent;desc="${parent}"`]);
  });
}

function recordHeaders(
  span: Span,
  { headers }: BeginningResponse,
  recorded: TraceSettings['responseHeaders'],
): void {
  if (recorded.length === 0 || !span.isRecording()) return;
  for (const [name, attribute] of recorded) {
    const values = headers.flatMap(([key, value]) =>
      typeof key === 'string' && key.toLowerCase() === name ? [String(value)] : [],
    );
    if (values.length > 0) span.setAttribute(attribute, values);
  }
}
