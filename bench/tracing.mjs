/**
 * What traceRequests costs: CPU time per request of a server process on the uws gateway, without it and with it, in rounds
 * of a new order each: `node bench/tracing.mjs [rounds]`. It needs wrk, and a built dist.
 */
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const CASES = ['plain', 'no SDK', 'not sampled', 'sampled', 'sampled, parent'];
const SECONDS = 1;

if (process.argv[2] === 'serve') await serveCase(process.argv[3]);
else await measure(Number(process.argv[2] ?? 9));

async function serveCase(name) {
  const { serve } = await import('../dist/index.js');
  const { traceRequests } = await import('../dist/opentelemetry/index.js');
  if (name !== 'plain' && name !== 'no SDK') await registerSdk(name !== 'not sampled');
  const hello = (_environ, startResponse) => {
    startResponse('200 OK', [['Content-Type', 'text/plain']]);
    return ['Hello World!\n'];
  };
  const app = name === 'plain' ? hello : traceRequests(hello);
  const server = await serve(app, { bind: '127.0.0.1:0' });
  process.on('message', () => process.send({ usage: process.cpuUsage() }));
  process.send({ url: server.url });
}

/** Spans are gathered and handed to an exporter that drops them: sending them costs what the exporter costs. */
async function registerSdk(isSampled) {
  const { context, propagation, trace } = await import('@opentelemetry/api');
  const { AsyncLocalStorageContextManager } = await import('@opentelemetry/context-async-hooks');
  const { W3CTraceContextPropagator } = await import('@opentelemetry/core');
  const sdk = await import('@opentelemetry/sdk-trace-base');
  const exporter = { export: (_spans, done) => done({ code: 0 }), shutdown: async () => {} };
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(
    new sdk.BasicTracerProvider({
      sampler: isSampled ? new sdk.AlwaysOnSampler() : new sdk.AlwaysOffSampler(),
      spanProcessors: [new sdk.BatchSpanProcessor(exporter)],
    }),
  );
}

async function measure(rounds) {
  const results = new Map(CASES.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const order = CASES.map((_, index) => CASES[(index + round) % CASES.length]);
    for (const name of order) results.get(name).push(await measureCase(name));
  }
  const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
  const base = median(results.get('plain'));
  for (const [name, list] of results) {
    const value = median(list);
    console.log(`${name.padEnd(18)} ${value.toFixed(2)} µs  +${(value - base).toFixed(2)} µs`);
  }
}

/** CPU time per request, in µs. */
async function measureCase(name) {
  const child = fork(fileURLToPath(import.meta.url), ['serve', name]);
  const [{ url }] = await once(child, 'message');
  const headers = name.includes('parent')
    ? ['-H', 'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01']
    : [];
  load(url, headers);
  const before = await usage(child);
  const requests = load(url, headers);
  const after = await usage(child);
  child.kill();
  await once(child, 'exit');
  return (after - before) / requests;
}

async function usage(child) {
  child.send('usage');
  const [{ usage }] = await once(child, 'message');
  return usage.user + usage.system;
}

function load(url, headers) {
  const output = execFileSync('wrk', ['-t1', '-c64', `-d${SECONDS}s`, ...headers, url], { encoding: 'utf8' });
  return Number(/(\d+) requests in/.exec(output)[1]);
}
