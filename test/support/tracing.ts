/** An SDK of OpenTelemetry that keeps what it is told, for tests. */
import { context, metrics, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import type { Test } from 'tap';

/** The spans that have ended; registered until the test ends. */
export function registerSdk(test: Test, sampler?: Sampler) {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    ...(sampler === undefined ? {} : { sampler }),
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(
    new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }),
  );
  trace.setGlobalTracerProvider(provider);
  test.teardown(async () => {
    unregisterSdk();
    await provider.shutdown();
  });
  const spans = () => exporter.getFinishedSpans();
  return {
    spans,
    servers: () => spans().filter((span) => span.kind === 1),
    /** The server span of the last request. */
    last: () => spans().findLast((span) => span.kind === 1) as ReadableSpan,
    clear: () => exporter.reset(),
  };
}

export function unregisterSdk(): void {
  trace.disable();
  context.disable();
  propagation.disable();
  metrics.disable();
}
