import { createRequire } from 'node:module';
import { VelaError } from '../core/errors.js';

/** The package prom-client, which is an optional peer: nothing else of Vela loads it. */
export const { AggregatorRegistry, collectDefaultMetrics, Counter, Gauge, Histogram, Registry } =
  loadClient();

/** By `require`, as an import could be caught with a top-level `await` only, which `require('vela/prometheus')` refuses. */
function loadClient(): typeof import('prom-client') {
  try {
    return createRequire(import.meta.url)('prom-client');
  } catch (cause) {
    throw new VelaError(
      'ERR_PROMETHEUS_MISSING',
      'vela/prometheus needs the package prom-client: npm install prom-client',
      { cause },
    );
  }
}
