/**
 * Traces with OpenTelemetry, printed to the console: GET /users/5, with a `traceparent` header or without.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { BasicTracerProvider, ConsoleSpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { Http404, json, type Middleware, WsgiHandler, WsgiServer } from 'vela';
import { accessLog } from 'vela/middleware';
import { traceRequests } from 'vela/opentelemetry';

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
propagation.setGlobalPropagator(new W3CTraceContextPropagator());
trace.setGlobalTracerProvider(
  new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(new ConsoleSpanExporter())] }),
);
const tracer = trace.getTracer('example');

async function findUser(id: string) {
  return tracer.startActiveSpan('find user', async (span) => {
    try {
      span.setAttribute('user.id', id);
      await sleep(5);
      return { id, name: 'Ada' };
    } finally {
      span.end();
    }
  });
}

const users: Middleware = async (environ) => {
  const [, id] = /^\/users\/(\d+)$/.exec(environ.PATH_INFO) ?? [];
  if (id === undefined) throw new Http404();
  environ['vela.route'] = '/users/{id}';
  return json(await findUser(id));
};

const site = new WsgiHandler([accessLog({ format: 'json' }), users]);
await new WsgiServer(traceRequests(site, { responseHeader: 'traceresponse' })).start();
