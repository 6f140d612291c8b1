import type { HeaderPair, MiddlewareFunction } from '../core/contract.js';
import { refuseUnknown, requireOptions, requireRecord } from '../core/errors.js';
import { MethodNotAllowed } from '../core/http-error.js';
import type { WsgiResponse } from '../core/wsgi-response.js';
import { json } from '../response/json.js';
import { type HealthCheck, HealthChecks, type HealthReport } from './health-checks.js';
import { optionError, requireMs, requirePath } from './option-error.js';

/** Options of {@link health}. */
export interface HealthOptions {
  /** Answers 200 as long as the process answers at all. @defaultValue `/livez` */
  livePath?: string;
  /** Answers 200 when all checks pass, else 503. @defaultValue `/readyz` */
  readyPath?: string;
  /** What readiness needs, by name: a check passes unless it throws, rejects or takes too long. @defaultValue none */
  checks?: Readonly<Record<string, HealthCheck>>;
  /** Longest time of a check, in ms; then its signal aborts, and it has failed. @defaultValue 1000 */
  timeoutMs?: number;
  /** How long a result serves for further requests, in ms; 0 checks anew. @defaultValue 1000 */
  cacheMs?: number;
}

const OWNER = 'health';
const KNOWN = ['livePath', 'readyPath', 'checks', 'timeoutMs', 'cacheMs'];
const NO_STORE: HeaderPair[] = [['Cache-Control', 'no-store']];

/**
 * Answers the probes of orchestrators and load balancers, in JSON: is the process alive, and is it ready for requests. From
 * the moment that the server begins to stop it is not ready. Put it first in the stack, so that probes need no credentials.
 *
 * What a check throws is logged, and not shown.
 * @example new WsgiHandler([health({ checks: { database: (signal) => database.ping({ signal }) } }), app])
 */
export function health(options: HealthOptions = {}): MiddlewareFunction {
  const {
    livePath = '/livez',
    readyPath = '/readyz',
    checks = {},
    timeoutMs = 1000,
    cacheMs = 1000,
    ...unknown
  } = requireOptions(OWNER, options);
  refuseUnknown(OWNER, unknown, KNOWN);
  requirePath(OWNER, 'livePath', livePath, '/livez');
  requirePath(OWNER, 'readyPath', readyPath, '/readyz');
  if (livePath === readyPath) throw optionError(OWNER, 'readyPath', 'another than "livePath"', readyPath);
  for (const [name, check] of Object.entries(
    requireRecord('health()', 'checks', 'name: (signal) => ...', checks),
  )) {
    if (typeof check !== 'function')
      throw optionError(OWNER, `checks.${name}`, 'a function (signal) => void or a promise', check);
  }
  requireMs(OWNER, 'timeoutMs', timeoutMs);
  if (cacheMs !== 0) requireMs(OWNER, 'cacheMs', cacheMs);
  const all = new HealthChecks(checks, timeoutMs, cacheMs);
  let stopping: AbortSignal | undefined;

  const healthMiddleware: MiddlewareFunction = (environ) => {
    const path = environ['vela.raw_path'];
    if (path !== livePath && path !== readyPath) return undefined;
    const method = environ.REQUEST_METHOD;
    if (method !== 'GET' && method !== 'HEAD') throw new MethodNotAllowed(['GET', 'HEAD']);
    if (path === livePath) return json({ status: 'ok' }, { headers: NO_STORE });
    if (stopping?.aborted === true || all.isStopped)
      return json({ status: 'stopping' }, { status: 503, headers: NO_STORE });
    return all.run(environ['vela.logger']).then(answer);
  };
  healthMiddleware.headers = [];
  healthMiddleware.start = (context) => {
    stopping = context.stopping;
    all.start();
  };
  healthMiddleware.stop = () => all.stop();
  healthMiddleware.describe = () => ({ name: OWNER, livePath, readyPath, checks: Object.keys(checks) });
  healthMiddleware.runsOn = 'request';
  return healthMiddleware;
}

function answer(report: HealthReport): WsgiResponse {
  return json(report, { status: report.status === 'ok' ? 200 : 503, headers: NO_STORE });
}
