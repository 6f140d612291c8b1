import type { MiddlewareFunction } from '../core/contract.js';
import { MethodNotAllowed, PermissionDenied } from '../core/http-error.js';
import { addMetricsSource } from '../core/metrics-source.js';
import { WsgiResponse } from '../core/wsgi-response.js';
import {
  type MetricsRegister,
  OWNER,
  type PrometheusMetricsOptions,
  resolveMetricsOptions,
} from './metrics-options.js';
import { addProcessMetrics } from './process-metrics.js';
import { findVelaMetrics } from './vela-metrics.js';

/**
 * Tells Prometheus of requests, of the executors of this process, and of the process itself: it answers GET and HEAD of its
 * path, and counts and times every other request. Put it first in the stack, as what stands before it is not seen.
 *
 * No label has what a client can choose: the route is the pattern that a router found, never the path.
 * @throws {TypeError} for an option that there is not, for a value that does not fit, and for a register that has other metrics
 * of these names
 * @see docs/metrics.md
 * @see {@link https://prometheus.io/docs/instrumenting/exposition_formats/ | Exposition formats}
 * @example new WsgiHandler([prometheusMetrics({ isAllowed: (environ) => environ.REMOTE_ADDR === '10.0.0.9' }), router])
 */
export function prometheusMetrics(options: PrometheusMetricsOptions = {}): MiddlewareFunction {
  const { path, register, buckets, defaultMetrics, isAllowed } = resolveMetricsOptions(options);
  const { requests, executors } = findVelaMetrics(register, buckets);
  /** Of each start, what it took: one handler may be part of several servers. */
  const taken: (() => void)[][] = [];

  const metricsMiddleware: MiddlewareFunction = (environ) => {
    if (environ['vela.raw_path'] !== path) {
      requests.begin(environ);
      return undefined;
    }
    const method = environ.REQUEST_METHOD;
    if (method !== 'GET' && method !== 'HEAD') throw new MethodNotAllowed(['GET', 'HEAD']);
    return isAllowed === undefined ? format(register) : answerIf(isAllowed(environ), register);
  };
  // What `isAllowed` reads is not known, so all headers are kept then.
  if (isAllowed === undefined) metricsMiddleware.headers = [];
  metricsMiddleware.start = () => {
    taken.push([
      ...(defaultMetrics ? [addProcessMetrics(register)] : []),
      executors.record(),
      addMetricsSource(register),
    ]);
  };
  metricsMiddleware.stop = () => {
    for (const release of taken.pop() ?? []) release();
  };
  metricsMiddleware.describe = () => ({ name: OWNER, path });
  metricsMiddleware.runsOn = 'request';
  return metricsMiddleware;
}

type Allowed = ReturnType<NonNullable<PrometheusMetricsOptions['isAllowed']>>;

async function answerIf(allowed: Allowed, register: MetricsRegister): Promise<WsgiResponse> {
  if ((await allowed) !== true) throw new PermissionDenied();
  return format(register);
}

async function format(register: MetricsRegister): Promise<WsgiResponse> {
  return new WsgiResponse({
    content: await register.metrics(),
    contentType: register.contentType,
    headers: [['Cache-Control', 'no-store']],
  });
}
