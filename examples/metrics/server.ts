/**
 * Metrics for Prometheus at /metrics: of requests by route, of a handler in threads, of the process, and one of its own.
 */
import { Counter, Registry } from 'prom-client';
import { type Environ, html, offload, Router, WsgiHandler, WsgiServer } from 'vela';
import { prometheusMetrics } from 'vela/prometheus';

const register = new Registry();
const greetings = new Counter({
  name: 'example_greetings_total',
  help: 'Greetings, by language.',
  labelNames: ['language'],
  registers: [register],
});
const GREETINGS: ReadonlyMap<string, string> = new Map([
  ['de', 'Guten Tag'],
  ['en', 'Hello'],
  ['fr', 'Bonjour'],
]);

const router = new Router()
  .get(
    '/',
    () => html`<!doctype html>
<title>Metrics</title>
<h1>Metrics for Prometheus</h1>
<p>Ask for some of these, then look at <a href="/metrics">the metrics</a>.
<ul>
<li><a href="/greet/en/Ada">a greeting</a>
<li><a href="/primes?limit=3000000">primes, counted in a thread</a>
<li><a href="/nowhere">a page that is not there</a>
</ul>
`,
  )
  .get('/greet/:language/:name', ({ params }) => {
    const greeting = GREETINGS.get(params.language);
    // Nothing: 404. Only a language that is known becomes a label.
    if (greeting === undefined) return undefined;
    greetings.inc({ language: params.language });
    return `${greeting}, ${params.name}\n`;
  })
  .get('/primes', offload(new URL('./work.ts', import.meta.url), { name: 'countPrimes' }));

const isLocal = ({ REMOTE_ADDR }: Environ) => REMOTE_ADDR === '127.0.0.1' || REMOTE_ADDR === '::1';

await new WsgiServer(new WsgiHandler([prometheusMetrics({ register, isAllowed: isLocal }), router])).start();
