import type { Registry as ClientRegistry, OpenMetricsContentType } from 'prom-client';
import type { Environ } from '../core/contract.js';
import { refuseUnknown, requireOptions } from '../core/errors.js';
import { optionError, requireBoolean, requirePath } from '../middleware/option-error.js';
import { Registry } from './client.js';

/** A Registry of prom-client, of either text format. */
export type MetricsRegister = ClientRegistry | ClientRegistry<OpenMetricsContentType>;

/** Options of {@link prometheusMetrics}. */
export interface PrometheusMetricsOptions {
  /** Where the metrics are told. @defaultValue `/metrics` */
  path?: string;
  /**
   * What keeps the metrics: give one that has metrics of your own. Servers that share one share Vela's metrics too.
   * @defaultValue one of its own
   */
  register?: MetricsRegister;
  /**
   * Upper bounds of the buckets of request durations, in s, rising. Each is a series for each route, method and status.
   * @defaultValue 0.005 to 10, the fourteen that OpenTelemetry advises
   */
  buckets?: readonly number[];
  /** Whether prom-client's metrics of the process and of Node are told too. @defaultValue true */
  defaultMetrics?: boolean;
  /** Who may read the metrics: anything but true answers 403. @defaultValue everybody */
  isAllowed?: (environ: Environ) => boolean | PromiseLike<boolean>;
}

/** Options, checked and whole. */
export interface MetricsSettings {
  readonly path: string;
  readonly register: MetricsRegister;
  readonly buckets: readonly number[];
  readonly defaultMetrics: boolean;
  readonly isAllowed: PrometheusMetricsOptions['isAllowed'] | undefined;
}

export const OWNER = 'prometheusMetrics';
const KNOWN = ['path', 'register', 'buckets', 'defaultMetrics', 'isAllowed'];
/** In seconds, as the semantic conventions of HTTP metrics advise. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** @throws {TypeError} for an option that there is not, and for a value that does not fit */
export function resolveMetricsOptions(options: PrometheusMetricsOptions): MetricsSettings {
  const {
    path = '/metrics',
    register = new Registry(),
    buckets = BUCKETS,
    defaultMetrics = true,
    isAllowed,
    ...unknown
  } = requireOptions(OWNER, options);
  refuseUnknown(OWNER, unknown, KNOWN);
  requirePath(OWNER, 'path', path, '/metrics');
  if (!isRegister(register)) throw optionError(OWNER, 'register', 'a Registry of prom-client', register);
  if (!isRising(buckets))
    throw optionError(
      OWNER,
      'buckets',
      'a list of rising numbers above 0, in s, such as [0.1, 1, 10]',
      buckets,
    );
  requireBoolean(OWNER, 'defaultMetrics', defaultMetrics);
  if (isAllowed !== undefined && typeof isAllowed !== 'function')
    throw optionError(OWNER, 'isAllowed', 'a function (environ) => boolean', isAllowed);
  return { path, register, buckets: [...buckets], defaultMetrics, isAllowed };
}

/** Not by its class: a program may have prom-client twice. */
function isRegister(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return ['metrics', 'registerMetric', 'getSingleMetric', 'removeSingleMetric'].every(
    (name) => typeof (value as Record<string, unknown>)[name] === 'function',
  );
}

/** +Inf is no bound of its own: it is always there. */
function isRising(buckets: unknown): boolean {
  if (!Array.isArray(buckets) || buckets.length === 0) return false;
  return buckets.every(
    (bound: unknown, index) =>
      typeof bound === 'number' && Number.isFinite(bound) && bound > (index === 0 ? 0 : buckets[index - 1]),
  );
}
