import type { Counter as ClientCounter } from 'prom-client';
import type { Environ, RequestEnd } from '../core/contract.js';
import { METHODS } from '../core/http-syntax.js';
import { loggedStatus } from '../middleware/access-log-format.js';
import { Counter, Gauge } from './client.js';
import { DurationHistogram } from './duration-histogram.js';
import type { MetricsRegister } from './metrics-options.js';

/** Whoever asks can invent as many as they like. */
const NAMES = [...METHODS, '_OTHER'];
const OTHER = NAMES.length - 1;
const PLACES: ReadonlyMap<string, number> = new Map(METHODS.map((name, place) => [name, place]));

/** The metrics of requests. */
export class RequestMetrics {
  readonly #durations: DurationHistogram;
  readonly #unfinished: ClientCounter<'outcome'>;
  #active = 0;

  constructor(register: MetricsRegister, buckets: readonly number[]) {
    this.#durations = new DurationHistogram(register, NAMES, buckets);
    const active = () => this.#active;
    new Gauge({
      name: 'http_server_active_requests',
      help: 'Requests under way.',
      registers: [register],
      collect() {
        this.set(active());
      },
    });
    const countNone = (counter: ClientCounter<'outcome'>) => {
      for (const outcome of ['aborted', 'cut']) counter.inc({ outcome }, 0);
    };
    this.#unfinished = new Counter({
      name: 'http_server_unfinished_responses_total',
      help: 'Requests that the client aborted, and responses that were cut.',
      labelNames: ['outcome'],
      registers: [register],
      // So that the first one is an increase, after a reset too.
      collect() {
        countNone(this);
      },
    });
  }

  begin(environ: Environ): void {
    const method = PLACES.get(environ.REQUEST_METHOD) ?? OTHER;
    this.#active++;
    environ['vela.response'].onEnd((end) => this.#end(environ, method, end));
  }

  #end(environ: Environ, method: number, end: RequestEnd): void {
    this.#active--;
    // Asked for, a key that there is not goes through the whole chain of prototypes.
    const route = Object.hasOwn(environ, 'vela.route') ? environ['vela.route'] : undefined;
    const known = typeof route === 'string' ? route : '';
    this.#durations.add(method, known, loggedStatus(end), end.durationMs / 1000);
    const { outcome } = end;
    if (outcome === 'aborted' || outcome === 'cut') this.#unfinished.inc({ outcome });
  }
}
