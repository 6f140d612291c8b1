import { context, propagation } from './api.js';

/**
 * The headers that carry the trace to another server, such as `traceparent`: those of the active span. Without an SDK that
 * has registered a propagator there are none.
 * @returns a new object, names in lower case
 * @see {@link https://www.w3.org/TR/trace-context/ | W3C Trace Context}
 * @example await fetch(url, { headers: { accept: 'application/json', ...traceHeaders() } });
 */
export function traceHeaders(): Record<string, string> {
  const headers: Record<string, string> = {};
  propagation.inject(context.active(), headers);
  return headers;
}
