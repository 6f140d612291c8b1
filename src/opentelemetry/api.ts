import { createRequire } from 'node:module';
import { VelaError } from '../core/errors.js';

/** The API package of OpenTelemetry, which is an optional peer: nothing else of Vela loads it. */
export const {
  context,
  createNoopMeter,
  diag,
  metrics,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} = loadApi();

/** By `require`, as an import could be caught with a top-level `await` only, which `require('vela/opentelemetry')` refuses. */
function loadApi(): typeof import('@opentelemetry/api') {
  try {
    return createRequire(import.meta.url)('@opentelemetry/api');
  } catch (cause) {
    throw new VelaError(
      'ERR_OPENTELEMETRY_MISSING',
      'vela/opentelemetry needs the package @opentelemetry/api: npm install @opentelemetry/api',
      { cause },
    );
  }
}
