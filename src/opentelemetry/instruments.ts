import type { Histogram, MeterProvider, Tracer, TracerProvider, UpDownCounter } from '@opentelemetry/api';
import { VERSION } from '../core/version.js';
import { createNoopMeter, metrics, propagation, trace } from './api.js';

const NAME = 'vela';
/** What the semantic conventions advise, in seconds. */
const BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** @see {@link https://opentelemetry.io/docs/specs/semconv/http/http-metrics/#http-server | HTTP server metrics} */
export interface Meters {
  /** In seconds. */
  readonly duration: Histogram;
  readonly active: UpDownCounter;
}

/** What an SDK has registered by now. It may do so after the server has started, so this is asked for each request. */
export class Instruments {
  #tracerProvider: TracerProvider | undefined;
  #tracer: Tracer | undefined;
  #meterProvider: MeterProvider | undefined;
  #meters: Meters | undefined;

  /** Undefined when nobody would hear of a span, nor pass a trace on. */
  findTracer(): Tracer | undefined {
    const provider = trace.getTracerProvider();
    if (provider !== this.#tracerProvider || this.#tracer === undefined) {
      this.#tracerProvider = provider;
      this.#tracer = findRealTracer(provider);
    }
    // Without an SDK the API's own tracer still passes a parent on to whom a propagator tells it.
    return this.#tracer ?? (propagation.fields().length > 0 ? provider.getTracer(NAME, VERSION) : undefined);
  }

  /** Undefined when nobody would hear of them. */
  findMeters(): Meters | undefined {
    const provider = metrics.getMeterProvider();
    if (provider !== this.#meterProvider) {
      this.#meterProvider = provider;
      this.#meters = createMeters(provider);
    }
    return this.#meters;
  }
}

/** The API gives a proxy, which has a tracer once an SDK is registered. */
function findRealTracer(provider: TracerProvider): Tracer | undefined {
  if (!('getDelegateTracer' in provider) || typeof provider.getDelegateTracer !== 'function')
    return provider.getTracer(NAME, VERSION);
  return provider.getDelegateTracer(NAME, VERSION) as Tracer | undefined;
}

function createMeters(provider: MeterProvider): Meters | undefined {
  const meter = provider.getMeter(NAME, VERSION);
  if (meter === createNoopMeter()) return undefined;
  return {
    duration: meter.createHistogram('http.server.request.duration', {
      description: 'Duration of HTTP server requests.',
      unit: 's',
      advice: { explicitBucketBoundaries: BOUNDARIES },
    }),
    active: meter.createUpDownCounter('http.server.active_requests', {
      description: 'Number of active HTTP server requests.',
      unit: '{request}',
    }),
  };
}
