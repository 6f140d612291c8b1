import { AsyncLocalStorage } from 'node:async_hooks';
import { execFile, spawn } from 'node:child_process';
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { metrics, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { AlwaysOffSampler } from '@opentelemetry/sdk-trace-base';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import {
  type App,
  type Body,
  type Environ,
  Http404,
  HttpError,
  html,
  json,
  lint,
  type Middleware,
  type StartResponse,
  serve,
  TAKEN,
  WsgiHandler,
  WsgiResponse,
  waitForBody,
} from '../src/index.js';
import { accessLog, compress, mount, proxyHeaders, timeout } from '../src/middleware/index.js';
import {
  requestSpan,
  type TraceRequestsOptions,
  traceHeaders,
  traceRequests,
} from '../src/opentelemetry/index.js';
import { MediaRouter } from '../src/static/index.js';
import { ask, client, recorder, testClient } from './support/ask.js';
import { registerSdk, unregisterSdk } from './support/tracing.js';
import { importWithout } from './support/without-package.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const GATEWAYS = ['uws', 'node'] as const;
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = `00-${TRACE}-b7ad6b7169203331-01`;

const hello: App = () => new WsgiResponse({ content: 'hello' });
const traced = (app: App | Middleware, options?: TraceRequestsOptions) =>
  lint(traceRequests(lint(app as App), options));

/** A span of an application's own. */
function child(name: string): void {
  trace.getTracer('test').startSpan(name).end();
}

/** Serves on both gateways, one after the other. */
async function onGateways(
  test: Test,
  app: App,
  check: (test: Test, url: string, port: number) => Promise<void>,
): Promise<void> {
  for (const gateway of GATEWAYS) {
    await test.test(gateway, async (t) => {
      const server = await serve(app, { bind: '127.0.0.1:0', gateway, logLevel: 'silent' });
      t.teardown(() => server.close({ timeoutMs: 100 }));
      await check(t, server.url, (server.address as { port: number }).port);
    });
  }
}

/** Waits, bounded, for what an event on the other side of a socket brings about. */
async function until(isTrue: () => boolean): Promise<void> {
  for (let turn = 0; turn < 300 && !isTrue(); turn++) await sleep(10);
}

t.test('a request is a SERVER span with the attributes of the conventions', async (t) => {
  const sdk = registerSdk(t);
  const app = traced(hello);
  await onGateways(t, app, async (t, url, port) => {
    const answer = await run('curl', ['-s', '-A', 'me', `${url}/a%2Fb/%C3%A9?q=1&sig=secret`]);
    t.equal(answer.stdout, 'hello');
    await until(() => sdk.servers().length > 0);
    const span = sdk.last();
    t.equal(span.name, 'GET');
    t.equal(span.kind, SpanKind.SERVER);
    t.same(span.status, { code: SpanStatusCode.UNSET });
    const { 'network.peer.port': peerPort, ...attributes } = span.attributes;
    t.equal(typeof peerPort, t.name === 'node' ? 'number' : 'undefined', 'uWebSockets.js does not tell it');
    t.same(attributes, {
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'url.scheme': 'http',
      'url.path': '/a%2Fb/%C3%A9',
      'url.query': 'q=1&sig=REDACTED',
      'server.address': '127.0.0.1',
      'server.port': port,
      'client.address': '127.0.0.1',
      'network.peer.address': '127.0.0.1',
      'network.protocol.name': 'http',
      'network.protocol.version': '1.1',
      'user_agent.original': 'me',
    });
    sdk.clear();
  });
});

t.test('the trace of the client goes on', async (t) => {
  const sdk = registerSdk(t);
  const app = traced((environ) => json([environ['vela.trace_id'], environ['vela.span_id'], traceHeaders()]));
  await onGateways(t, app, async (t, url) => {
    const headers = { traceparent: PARENT, tracestate: 'a=1,b=2', baggage: 'user=ada' };
    const answer = await (await fetch(url, { headers })).json();
    await until(() => sdk.servers().length > 0);
    const span = sdk.last();
    const { traceId, spanId } = span.spanContext();
    t.equal(traceId, TRACE);
    t.match(span.parentSpanContext, { traceId: TRACE, spanId: 'b7ad6b7169203331', isRemote: true });
    t.same(answer, [
      TRACE,
      spanId,
      { traceparent: `00-${TRACE}-${spanId}-01`, tracestate: 'a=1,b=2', baggage: 'user=ada' },
    ]);
    sdk.clear();
  });
});

const HOSTILE: Record<string, Record<string, string>> = {
  'no hex': { traceparent: `00-${'z'.repeat(32)}-b7ad6b7169203331-01` },
  'zero ids': { traceparent: `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01` },
  'version ff': { traceparent: `ff-${TRACE}-b7ad6b7169203331-01` },
  'more after version 00': { traceparent: `${PARENT}-more` },
  'upper case': { traceparent: PARENT.toUpperCase() },
  'two of them': { traceparent: `${PARENT}, ${PARENT}` },
  'any bytes': { traceparent: '\x80\xff\xe9-\t-"\'' },
  long: { traceparent: `00-${'a'.repeat(3000)}` },
  dashes: { traceparent: '-'.repeat(3000) },
  blank: { traceparent: '  ' },
  'a state alone': { tracestate: 'a=1' },
  'bad baggage': { baggage: '%=%,%zz=%zz;;;,=,,a=%E0%A4%A' },
  'much baggage': { baggage: 'a=1,'.repeat(900) },
};

t.test('a bad traceparent begins a trace of its own, and harms nobody', async (t) => {
  const sdk = registerSdk(t);
  await onGateways(t, traced(hello), async (t, url, port) => {
    for (const [name, headers] of Object.entries(HOSTILE)) {
      sdk.clear();
      const socket = connect(port, '127.0.0.1');
      const lines = Object.entries(headers).map(([key, value]) => `${key}: ${value}\r\n`);
      socket.write(`GET / HTTP/1.1\r\nHost: a\r\n${lines.join('')}Connection: close\r\n\r\n`, 'latin1');
      let text = '';
      for await (const bytes of socket.setEncoding('latin1')) text += bytes;
      t.match(text, /^HTTP\/1.1 (?:200|4\d\d) /, name);
      if (text.startsWith('HTTP/1.1 4')) continue;
      await until(() => sdk.servers().length > 0);
      t.equal(sdk.servers().length, 1, name);
      t.equal(sdk.last().parentSpanContext, undefined, name);
    }
    sdk.clear();
    const many = Array.from({ length: 300 }, (_, index) => `k${index}=v`).join(',');
    await (await fetch(url, { headers: { traceparent: PARENT, tracestate: many } })).text();
    await until(() => sdk.servers().length > 0);
    t.equal(sdk.last().spanContext().traceId, TRACE, 'too much state is cut, the trace goes on');
    const state = sdk.last().spanContext().traceState?.serialize() ?? '';
    t.ok(state.length <= 512, `${state.length}`);
    sdk.clear();
  });
});

t.test('whatever is in the trace headers, the answer is 200', async (t) => {
  const sdk = registerSdk(t);
  const web = client(t, traceRequests(hello));
  const anyValue = fc
    .array(fc.integer({ min: 0x20, max: 0xff }), { maxLength: 300 })
    .map((codes) => String.fromCharCode(...codes.filter((code) => code !== 0x7f)).trim());
  const header = fc.constantFrom('traceparent', 'tracestate', 'baggage', 'host', 'user-agent');
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(header, anyValue), { maxLength: 8 }), async (headers) => {
      sdk.clear();
      const response = await web.get('/', { headers: [['traceparent', PARENT], ...headers] });
      t.equal(response.status, 200);
      await response.text();
      t.equal(sdk.servers().length, 1);
      const { 'server.port': port, 'server.address': address } = sdk.last().attributes;
      t.ok(typeof port === 'number' && port <= 99_999 && typeof address === 'string');
    }),
    { numRuns: 200 },
  );
});

t.test('spans of handlers have the span of their own request as parent, also after awaits', async (t) => {
  const sdk = registerSdk(t);
  const inner: Middleware = async (environ) => {
    child(`sync ${environ.QUERY_STRING}`);
    await sleep(Math.random() * 20);
    child(`slept ${environ.QUERY_STRING}`);
    await environ['wsgi.input'].read();
    child(`read ${environ.QUERY_STRING}`);
    await new Promise((resolve) => setImmediate(resolve));
    return new WsgiResponse({ content: 'done' });
  };
  const waiting: Middleware = async () => {
    await null;
  };
  const app = traced(new WsgiHandler([lint(waiting), lint(waitForBody()), lint(inner)]));
  await onGateways(t, app, async (t, url) => {
    const ids = Array.from({ length: 60 }, (_, index) => `n${index}`);
    await Promise.all(
      ids.map(async (id, index) => {
        const traceparent = `00-${(index + 1).toString(16).padStart(32, '0')}-b7ad6b7169203331-01`;
        const body = index % 3 === 0 ? slowBody() : 'x'.repeat(index * 1000);
        const init = { method: 'POST', body, headers: { traceparent }, duplex: 'half' } as RequestInit;
        await (await fetch(`${url}/?${id}`, init)).text();
      }),
    );
    await until(() => sdk.servers().length === ids.length);
    t.equal(sdk.servers().length, ids.length);
    for (const server of sdk.servers()) {
      const id = server.attributes['url.query'];
      const names = sdk
        .spans()
        .filter((span) => span.parentSpanContext?.spanId === server.spanContext().spanId)
        .map((span) => span.name);
      t.same(names, [`sync ${id}`, `slept ${id}`, `read ${id}`]);
    }
    sdk.clear();
  });
  async function* slowBody() {
    for (let i = 0; i < 3; i++) {
      await sleep(5);
      yield new TextEncoder().encode('part');
    }
  }
});

t.test('a synchronous stack behind waitForBody keeps its span', async (t) => {
  const sdk = registerSdk(t);
  const app = traced(
    new WsgiHandler([
      waitForBody(),
      () => {
        child('handler');
        return new WsgiResponse({ content: 'done' });
      },
    ]),
  );
  await onGateways(t, app, async (t, _url, port) => {
    const socket = connect(port, '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nConnection: close\r\n\r\n');
    await sleep(30);
    socket.write('body');
    socket.resume();
    await once(socket, 'close');
    await until(() => sdk.servers().length > 0);
    const parent = sdk.last().spanContext().spanId;
    t.equal(sdk.spans().find((span) => span.name === 'handler')?.parentSpanContext?.spanId, parent);
    sdk.clear();
  });
});

const STREAMS: Record<string, App> = {
  'an async generator': (_environ, start) => {
    start('200 OK', [['Content-Type', 'text/plain']]);
    return chunks();
  },
  'a generator': (_environ, start) => {
    start('200 OK', [['Content-Type', 'text/plain']]);
    return (function* () {
      for (let n = 0; n < 3; n++) {
        child(`chunk ${n}`);
        yield 'x'.repeat(40_000);
      }
    })();
  },
  'a promise of a response with a generator': async () => {
    await sleep(1);
    return new WsgiResponse({ content: chunks() });
  },
  'an iterable with close': (_environ, start) => {
    start('200 OK', [['Content-Type', 'text/plain']]);
    return {
      [Symbol.asyncIterator]: chunks,
      close() {
        child('closed');
      },
    };
  },
};
async function* chunks() {
  for (let n = 0; n < 3; n++) {
    child(`chunk ${n}`);
    yield 'x'.repeat(40_000);
    await sleep(2);
  }
}

t.test('a body that runs while it is sent has the span as parent, and the span ends after it', async (t) => {
  const sdk = registerSdk(t);
  for (const [name, app] of Object.entries(STREAMS)) {
    for (const wrap of [traceRequests, traced]) {
      await onGateways(t, wrap(app), async (t, url) => {
        t.equal((await (await fetch(url)).text()).length, 120_000);
        await until(() => sdk.servers().length > 0);
        const parent = sdk.last();
        const children = sdk.spans().filter((span) => span.kind !== SpanKind.SERVER);
        const expected = ['chunk 0', 'chunk 1', 'chunk 2', ...(name.includes('close') ? ['closed'] : [])];
        t.same(
          children.map((span) => [span.name, span.parentSpanContext?.spanId]),
          expected.map((one) => [one, parent.spanContext().spanId]),
          name,
        );
        t.equal(sdk.spans().at(-1)?.kind, SpanKind.SERVER, 'the server span is the last to end');
        sdk.clear();
      });
    }
  }
});

t.test('a response that is given again has the span of each request', async (t) => {
  const sdk = registerSdk(t);
  class Own extends WsgiResponse {
    readonly #made = 'by a class of the user';
    override start(...args: Parameters<WsgiResponse['start']>): Body {
      this.setHeader('X-Made', this.#made);
      return super.start(...args);
    }
  }
  for (const kind of [WsgiResponse, Own]) {
    const shared = new kind({ content: { [Symbol.asyncIterator]: chunks }, contentType: 'text/plain' });
    const web = client(
      t,
      traceRequests(() => shared),
    );
    for (let n = 0; n < 3; n++) {
      sdk.clear();
      const response = await web.get('/');
      t.equal((await response.text()).length, 120_000);
      t.equal(response.header('x-made'), kind === Own ? 'by a class of the user' : undefined);
      const parents = sdk.spans().filter((span) => span.kind !== SpanKind.SERVER);
      t.same(
        parents.map((span) => span.parentSpanContext?.spanId),
        Array(3).fill(sdk.last().spanContext().spanId),
      );
    }
  }
});

t.test('what classes of the user make of a response stays as it is, and has the span', async (t) => {
  const sdk = registerSdk(t);
  const content = { [Symbol.asyncIterator]: chunks };
  class Frozen extends WsgiResponse {
    constructor() {
      super({ content, contentType: 'text/plain' });
      Object.freeze(this);
    }
  }
  class Picky extends Frozen {
    override start(startResponse: StartResponse): Body {
      if (this.content !== content) throw new Error('This content is not mine');
      startResponse('203 Mine', [['Content-Type', 'text/plain']]);
      return chunks();
    }
  }
  for (const [kind, status] of [
    [Frozen, 200],
    [Picky, 203],
  ] as const) {
    for (const app of [() => new kind(), async () => new kind()]) {
      const seen: unknown[] = [];
      const handler = new WsgiHandler([traceRequests(app)], {
        responseMiddleware: [(_environ, response) => void seen.push(response.constructor, response.content)],
      });
      for (const traced of [traceRequests(app), handler]) {
        sdk.clear();
        const { response, text } = await ask(t, traced);
        t.same([response.status, text.length], [status, 120_000]);
        const parents = sdk.spans().filter((span) => span.kind !== SpanKind.SERVER);
        t.same(
          parents.map((span) => span.parentSpanContext?.spanId),
          Array(3).fill(sdk.last().spanContext().spanId),
        );
      }
      t.strictSame(seen, [kind, content]);
    }
  }
});

t.test('compress() knows of what a traced 206 is a part', async (t) => {
  registerSdk(t);
  const root = t.testdir({ 'a.txt': 'x'.repeat(100_000) });
  const handler = new WsgiHandler([traceRequests(new MediaRouter({ root, cache: false }))], {
    responseMiddleware: [compress()],
  });
  const { response } = await ask(t, handler, '/a.txt', {
    headers: { Range: 'bytes=0-9,50-59', 'Accept-Encoding': 'gzip' },
  });
  t.same([response.status, response.header('vary')], [206, 'Accept-Encoding']);
});

t.test('OpenTelemetry and the stores of another tracer go together', async (t) => {
  const sdk = registerSdk(t);
  const store = new AsyncLocalStorage<string>();
  const start = channel('vela:request:start');
  start.bindStore(store, () => 'stored');
  t.teardown(() => start.unbindStore(store));
  const seen: (string | undefined)[] = [];
  const app: App = () =>
    new WsgiResponse({
      content: (async function* () {
        seen.push(store.getStore());
        yield* chunks();
      })(),
    });
  await onGateways(t, traceRequests(app), async (t, url) => {
    sdk.clear();
    await (await fetch(url)).text();
    await until(() => sdk.servers().length > 0);
    t.equal(seen.pop(), 'stored');
    t.equal(sdk.spans()[0]?.parentSpanContext?.spanId, sdk.last().spanContext().spanId);
  });
});

t.test('bodies of other kinds arrive as they are', async (t) => {
  registerSdk(t);
  const bodies: Record<string, () => WsgiResponse> = {
    text: () => new WsgiResponse({ content: 'abc' }),
    list: () => new WsgiResponse({ content: ['a', Promise.resolve('bc')] }),
    html: () => new WsgiResponse({ content: html`${'abc'}` }),
    node: () => new WsgiResponse({ content: Readable.from(['a', 'bc']), contentType: 'text/plain' }),
    web: () => new WsgiResponse({ content: new Blob(['abc']).stream(), contentType: 'text/plain' }),
  };
  for (const [name, make] of Object.entries(bodies)) {
    const { text } = await ask(t, traceRequests(make as App));
    t.equal(text, 'abc', name);
  }
  const zipped = new WsgiHandler(
    [traceRequests(() => new WsgiResponse({ content: chunks(), contentType: 'text/plain' }))],
    {
      responseMiddleware: [compress()],
    },
  );
  const { response } = await ask(t, zipped, '/', { headers: { 'Accept-Encoding': 'gzip' } });
  t.equal(response.header('content-encoding'), 'gzip');
});

t.test('statuses and errors', async (t) => {
  const sdk = registerSdk(t);
  class Broken extends Error {
    override name = 'Broken';
  }
  const odd = new Error('odd');
  Object.defineProperty(odd, 'name', { value: 'x'.repeat(500) });
  const apps: Record<string, [App, object, object, string[]]> = {
    'a 404 that nobody answers': [new WsgiHandler([]), { 'http.response.status_code': 404 }, { code: 0 }, []],
    'a 404 thrown': [
      () => {
        throw new Http404();
      },
      { 'http.response.status_code': 404 },
      { code: 0 },
      [],
    ],
    'a 500 given': [
      () => new WsgiResponse({ status: 500 }),
      { 'http.response.status_code': 500, 'error.type': '500' },
      { code: 2 },
      [],
    ],
    'a 503 thrown': [
      () => {
        throw new HttpError(503, 'busy');
      },
      { 'http.response.status_code': 503, 'error.type': '503' },
      { code: 2, message: 'busy' },
      ['HttpError'],
    ],
    'an error in a handler': [
      new WsgiHandler([
        lint(async () => {
          await null;
          throw new Broken('it is');
        }),
      ]),
      { 'http.response.status_code': 500, 'error.type': 'Broken' },
      { code: 2, message: 'it is' },
      ['Broken'],
    ],
    'an error with a long name': [
      () => {
        throw odd;
      },
      { 'http.response.status_code': 500, 'error.type': '_OTHER' },
      { code: 2, message: 'odd' },
      ['x'.repeat(500)],
    ],
    'a breach of the contract': [
      (_environ, start) => {
        start('nothing', []);
        return [];
      },
      { 'http.response.status_code': 500, 'error.type': 'ERR_CONTRACT_STATUS' },
      { code: 2 },
      ['ERR_CONTRACT_STATUS'],
    ],
    'a body that throws before it is sent': [
      () =>
        new WsgiResponse({
          content: (function* () {
            yield '';
            throw new Broken('late');
          })(),
        }),
      { 'http.response.status_code': 500, 'error.type': 'Broken' },
      { code: 2, message: 'late' },
      ['Broken'],
    ],
    'a time-out': [
      new WsgiHandler([timeout({ timeoutMs: 20 }), () => new Promise<never>(() => {})]),
      { 'http.response.status_code': 503, 'error.type': '503' },
      { code: 2, message: 'The request took too long' },
      ['HttpError'],
    ],
  };
  for (const [name, [app, attributes, status, exceptions]] of Object.entries(apps)) {
    sdk.clear();
    const web = testClient(traceRequests(app));
    await (await web.get('/')).text();
    await web.close();
    t.equal(sdk.servers().length, 1, name);
    const span = sdk.last();
    t.match(span.attributes, attributes, name);
    t.match(span.status, status, name);
    if (!('error.type' in attributes)) t.equal(span.attributes['error.type'], undefined, name);
    t.same(
      span.events.map((event) => event.attributes?.['exception.type']),
      exceptions,
      name,
    );
  }
});

t.test('a response that is cut is an error of the server, one that the client leaves is not', async (t) => {
  const sdk = registerSdk(t);
  const app: App = (environ, start) => {
    start('200 OK', [['Content-Type', 'text/plain']]);
    return (async function* () {
      yield 'first';
      if (environ.PATH_INFO === '/throw') throw new TypeError('broken');
      await sleep(10_000, undefined, { signal: environ['vela.signal'] });
    })();
  };
  const hang: App = (environ) => sleep(10_000, undefined, { signal: environ['vela.signal'] }).then(() => []);
  const both: App = (environ, start) => (environ.PATH_INFO === '/hang' ? hang : app)(environ, start);
  await onGateways(t, traceRequests(both), async (t, url, port) => {
    await t.rejects(fetch(`${url}/throw`).then((response) => response.text()));
    await until(() => sdk.servers().length === 1);
    t.match(sdk.last(), {
      attributes: { 'http.response.status_code': 200, 'error.type': 'TypeError' },
      status: { code: SpanStatusCode.ERROR, message: 'broken' },
    });
    t.equal(sdk.last().events.length, 1);
    for (const path of ['/stream', '/hang']) {
      sdk.clear();
      const socket = connect(port, '127.0.0.1');
      socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      if (path === '/stream') await once(socket, 'data');
      else await sleep(50);
      socket.resetAndDestroy();
      await until(() => sdk.servers().length > 0);
      await sleep(20);
      t.equal(sdk.servers().length, 1, 'once');
      const span = sdk.last();
      t.equal(span.attributes['error.type'], 'ERR_CLIENT_ABORTED');
      t.equal(span.attributes['http.response.status_code'], path === '/stream' ? 200 : undefined);
      t.same(span.status, { code: SpanStatusCode.UNSET });
      t.same(span.events, []);
    }
    sdk.clear();
  });
  await t.test('a server that stops', async (t) => {
    const server = await serve(traceRequests(both), { bind: '127.0.0.1:0', logLevel: 'silent' });
    const response = await fetch(`${server.url}/stream`);
    await server.close({ timeoutMs: 0 });
    await t.rejects(response.text());
    t.match(sdk.last(), {
      attributes: { 'error.type': 'ERR_SERVER_STOPPED' },
      status: { code: SpanStatusCode.ERROR },
    });
  });
});

t.test('a connection that is taken over ends the span', async (t) => {
  const sdk = registerSdk(t);
  const app: App = (environ) => {
    const { socket } = environ['vela.tunnel']!();
    socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nmine');
    return TAKEN;
  };
  const server = await serve(traced(app), {
    bind: '127.0.0.1:0',
    gateway: 'node',
    allowTunnels: true,
    logLevel: 'silent',
  });
  t.teardown(() => server.close({ timeoutMs: 100 }));
  const socket = connect((server.address as { port: number }).port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
  let text = '';
  for await (const bytes of socket.setEncoding('latin1')) text += bytes;
  t.match(text, /mine$/);
  t.equal(sdk.servers().length, 1);
  t.equal(sdk.last().attributes['http.response.status_code'], undefined);
  t.same(sdk.last().status, { code: SpanStatusCode.UNSET });
});

t.test('methods that are not known do not multiply', async (t) => {
  const sdk = registerSdk(t);
  const web = client(t, traceRequests(hello));
  const own = client(t, traceRequests(hello, { knownMethods: ['GET', 'PURGE'] }));
  const name = async (from: typeof web, method: string) => {
    await (await from.request('/', { method })).text();
    const { attributes, name } = sdk.last();
    return [name, attributes['http.request.method'], attributes['http.request.method_original']];
  };
  t.same(await name(web, 'POST'), ['POST', 'POST', undefined]);
  t.same(await name(web, 'PURGE'), ['HTTP', '_OTHER', 'PURGE']);
  t.same(await name(web, 'M-SEARCH'), ['HTTP', '_OTHER', 'M-SEARCH']);
  t.same(await name(own, 'PURGE'), ['PURGE', 'PURGE', undefined]);
  t.same(await name(own, 'POST'), ['HTTP', '_OTHER', 'POST']);
});

t.test('a route that somebody sets names the span', async (t) => {
  const sdk = registerSdk(t);
  const route = (value: unknown): App =>
    traced(async (environ) => {
      await null;
      environ['vela.route'] = value as string;
      return new WsgiResponse({ content: 'x' });
    });
  await ask(t, route('/users/{id}'), '/users/5');
  t.match(sdk.last(), { name: 'GET /users/{id}', attributes: { 'http.route': '/users/{id}' } });
  for (const value of ['', 5, { toString: () => '/x' }]) {
    await ask(t, route(value));
    t.equal(sdk.last().name, 'GET');
  }
});

t.test('a mount does not change the path, and proxyHeaders changes who it is', async (t) => {
  const sdk = registerSdk(t);
  const app = traced(
    new WsgiHandler([proxyHeaders({ trusted: ['127.0.0.1'] }), mount('/shop', hello as Middleware)]),
  );
  await onGateways(t, app, async (t, url) => {
    const headers = {
      'X-Forwarded-For': '203.0.113.7',
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Host': 'shop.example',
    };
    await (await fetch(`${url}/shop/a?b=c`, { headers })).text();
    await until(() => sdk.servers().length > 0);
    t.match(sdk.last().attributes, {
      'url.path': '/shop/a',
      'url.query': 'b=c',
      'url.scheme': 'https',
      'client.address': '203.0.113.7',
      'network.peer.address': '127.0.0.1',
      'server.address': 'shop.example',
      'server.port': 443,
    });
    sdk.clear();
  });
});

t.test('secrets of signed URLs are hidden', async (t) => {
  const sdk = registerSdk(t);
  const web = client(t, traceRequests(hello, { sensitiveParameters: ['Token'] }));
  const hide = async (query: string) => {
    await (await web.get(`/?${query}`)).text();
    return sdk.last().attributes['url.query'];
  };
  const cases: Record<string, string> = {
    'a=1': 'a=1',
    'sig=s': 'sig=REDACTED',
    'AWSAccessKeyId=k&Signature=s&x=1': 'AWSAccessKeyId=REDACTED&Signature=REDACTED&x=1',
    'q=OpenTelemetry&X-Goog-Signature=a%26b': 'q=OpenTelemetry&X-Goog-Signature=REDACTED',
    'x-amz-signature=s&SIG=t': 'x-amz-signature=REDACTED&SIG=REDACTED',
    '%73ig=s&tok%65n=t&a=b': '%73ig=REDACTED&tok%65n=REDACTED&a=b',
    'sig&sig=&sig=a=b&&=&%zz=1': 'sig&sig=REDACTED&sig=REDACTED&&=&%zz=1',
    'design=s&sigma=2': 'design=s&sigma=2',
  };
  for (const [query, expected] of Object.entries(cases)) t.equal(await hide(query), expected);
  const names = fc.constantFrom('sig', 'a', 'Signature', 'token', '', 'sigx', '%73IG', '+', '%');
  const pairs = fc.array(fc.tuple(names, fc.constantFrom('secret', '', '=', 'x=secret')), { maxLength: 9 });
  const isHidden = (name: string) => ['sig', 'signature', 'token'].includes(decode(name).toLowerCase());
  const decode = (name: string) => new URLSearchParams(`${name}=`).keys().next().value ?? '';
  await fc.assert(
    fc.asyncProperty(pairs, async (list) => {
      const expected = list
        .map(([name, value]) => `${name}=${isHidden(name) ? 'REDACTED' : value}`)
        .join('&');
      t.equal((await hide(list.map((pair) => pair.join('=')).join('&'))) ?? '', expected);
    }),
    { numRuns: 200 },
  );
  const began = performance.now();
  await hide('a&'.repeat(7000));
  await hide('sig=1&'.repeat(1300));
  t.ok(performance.now() - began < 500);
});

t.test('skip leaves requests out', async (t) => {
  const sdk = registerSdk(t);
  const app = traceRequests(
    (environ) => new WsgiResponse({ content: String(requestSpan(environ) !== undefined) }),
    { skip: (environ) => environ.PATH_INFO === '/healthz' },
  );
  t.equal((await ask(t, app, '/healthz')).text, 'false');
  t.equal(sdk.servers().length, 0);
  t.equal((await ask(t, app, '/')).text, 'true');
  t.equal(sdk.servers().length, 1);
});

t.test('hooks add attributes, and one that throws breaks no request', async (t) => {
  const sdk = registerSdk(t);
  const app = traceRequests(
    (environ) => {
      requestSpan(environ)?.setAttribute('in', 'handler');
      return new WsgiResponse({
        content: 'x',
        headers: [
          ['X-Cache', 'hit'],
          ['X-Cache', 'again'],
        ],
      });
    },
    {
      attributes: () => ({ begin: 1 }),
      endAttributes: (_environ, { bodyBytes }) => ({ bytes: bodyBytes }),
      requestHeaders: ['X-Tenant', 'Content-Type', 'X-Missing'],
      responseHeaders: ['x-cache', 'x-missing'],
    },
  );
  await ask(t, app, '/', { headers: { 'X-Tenant': 'a', 'Content-Type': 'text/x' } });
  t.match(sdk.last().attributes, {
    begin: 1,
    in: 'handler',
    bytes: 1,
    'http.request.header.x-tenant': ['a'],
    'http.request.header.content-type': ['text/x'],
    'http.response.header.x-cache': ['hit', 'again'],
  });
  t.notOk(Object.keys(sdk.last().attributes).some((key) => key.includes('missing')));
  const fail = () => {
    throw new Error('hook');
  };
  const failing = { skip: fail, attributes: fail, endAttributes: fail, acceptParent: fail };
  t.equal(
    (await ask(t, traceRequests(hello, failing), '/', { headers: { traceparent: PARENT } })).text,
    'hello',
  );
  t.not(sdk.last().spanContext().traceId, TRACE, 'an acceptParent that throws accepts nothing');
  t.equal(sdk.servers().length, 2);
});

t.test('a trace of a client that is not believed is linked', async (t) => {
  const sdk = registerSdk(t);
  const headers = { traceparent: PARENT, baggage: 'user=ada' };
  const app = (acceptParent: boolean | ((environ: Environ) => boolean)) =>
    traceRequests(() => json(traceHeaders()), { acceptParent });
  for (const accept of [false, (environ: Environ) => environ.REMOTE_ADDR === '10.0.0.1']) {
    const { text } = await ask(t, app(accept), '/', { headers });
    t.notMatch(text, 'baggage');
    const span = sdk.last();
    t.equal(span.parentSpanContext, undefined);
    t.not(span.spanContext().traceId, TRACE);
    t.match(span.links, [{ context: { traceId: TRACE } }]);
  }
  await ask(t, app(false));
  t.same(sdk.last().links, []);
});

t.test('the client is told of the trace where that is asked for', async (t) => {
  const sdk = registerSdk(t);
  const told = async (responseHeader: TraceRequestsOptions['responseHeader'] & string, name: string) => {
    const { response } = await ask(t, traced(hello, { responseHeader }), '/', {
      headers: { traceparent: PARENT },
    });
    return response.header(name);
  };
  const parent = () => `00-${TRACE}-${sdk.last().spanContext().spanId}-01`;
  t.equal(await told('traceresponse', 'traceresponse'), parent());
  t.equal(await told('server-timing', 'server-timing'), `traceparent;desc="${parent()}"`);
  t.equal(await told('none', 'traceresponse'), undefined);
});

t.test('the access log says which trace a request belongs to', async (t) => {
  const sdk = registerSdk(t);
  const logger = recorder();
  const app = (format: string) =>
    new WsgiHandler([accessLog({ format, destination: 'logger' }), hello as Middleware]);
  const line = async (one: App) => {
    const web = testClient(one, { logger });
    await (await web.get('/')).text();
    await web.close();
    return logger.lines.pop();
  };
  const json = await line(traced(app('json')));
  const { traceId, spanId } = sdk.last().spanContext();
  t.match(json?.details, { trace_id: traceId, span_id: spanId, status: 200 });
  t.equal((await line(traced(app('%({vela.trace_id}e)s'))))?.message, sdk.last().spanContext().traceId);
  t.notOk('trace_id' in JSON.parse(JSON.stringify((await line(app('json')))?.details)));
});

t.test('a request is traced once, and by the process of one server', async (t) => {
  const sdk = registerSdk(t);
  const twice = testClient(traced(new WsgiHandler([traced(hello)])));
  await (await twice.get('/')).text();
  await twice.close();
  t.equal(sdk.servers().length, 1);
  const broken: App = () => {
    throw new Error('once');
  };
  const web = [testClient(traceRequests(broken)), testClient(traceRequests(broken))];
  for (const one of web) await (await one.get('/')).text();
  t.equal(sdk.last().events.length, 1, 'two wrapped applications record an error once');
  for (const one of web) await one.close();
  t.notOk(channel('vela:request:error').hasSubscribers, 'nobody listens after stop');
});

t.test('an application that is traced starts, stops and declares as before', async (t) => {
  const sdk = registerSdk(t);
  const calls: string[] = [];
  const app: App = {
    handle: async (environ) => {
      await null;
      return new WsgiResponse({ content: String(environ.HTTP_X_A) });
    },
    headers: ['X-A'],
    start: () => void calls.push('start'),
    stop: () => void calls.push('stop'),
    describe: () => ({ name: 'mine' }),
  };
  const wrapped = traceRequests(app, { requestHeaders: ['X-B'] });
  t.same(wrapped.describe?.(), { name: 'traceRequests', parts: [{ name: 'mine' }] });
  t.same(wrapped.headers, ['X-A', 'Host', 'User-Agent', 'traceparent', 'tracestate', 'baggage', 'X-B']);
  t.equal(traceRequests(hello).headers, undefined);
  const late: Middleware = async () => {
    await null;
  };
  late.headers = [];
  const server = await serve(new WsgiHandler([late, wrapped]), { bind: '127.0.0.1:0', logLevel: 'silent' });
  const headers = { 'X-A': 'a', 'X-B': 'b', traceparent: PARENT };
  t.equal(await (await fetch(server.url, { headers })).text(), 'a');
  await server.close();
  t.same(calls, ['start', 'stop']);
  t.equal(sdk.last().spanContext().traceId, TRACE, 'behind a middleware that waits');
  t.match(sdk.last().attributes, { 'http.request.header.x-b': ['b'] });
});

t.test('a request that is not sampled is not recorded, and its trace goes on', async (t) => {
  const sdk = registerSdk(t, new AlwaysOffSampler());
  const { text } = await ask(
    t,
    traced(() => json(traceHeaders())),
    '/',
    { headers: { traceparent: PARENT } },
  );
  t.match(text, new RegExp(`00-${TRACE}-[0-9a-f]{16}-00`));
  t.same(sdk.spans(), []);
});

t.test('without an SDK the request passes', async (t) => {
  unregisterSdk();
  const app = traced((environ) =>
    json([requestSpan(environ) ?? null, environ['vela.trace_id'] ?? null, traceHeaders()]),
  );
  await onGateways(t, app, async (t, url) => {
    const answer = await fetch(url, { headers: { traceparent: PARENT } });
    t.same(await answer.json(), [null, null, {}]);
    t.notOk(channel('vela:request:error').hasSubscribers);
  });
  const web = testClient(app);
  await (await web.get('/')).text();
  const sdk = registerSdk(t);
  await (await web.get('/')).text();
  t.equal(sdk.servers().length, 1, 'an SDK may come later');
  await web.close();
});

t.test('a propagator alone passes the trace on', async (t) => {
  registerSdk(t);
  trace.disable();
  propagation.disable();
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  const { text } = await ask(
    t,
    traced(() => json(traceHeaders())),
    '/',
    { headers: { traceparent: PARENT } },
  );
  t.same(JSON.parse(text), { traceparent: PARENT });
});

t.test('metrics of the conventions', async (t) => {
  unregisterSdk();
  const told: [name: string, value: number, attributes: object][] = [];
  const made: [string, object][] = [];
  const instrument = (name: string, options: object) => {
    made.push([name, options]);
    const tell = (value: number, attributes: object) => void told.push([name, value, { ...attributes }]);
    return { add: tell, record: tell };
  };
  const meter = { createHistogram: instrument, createUpDownCounter: instrument };
  metrics.setGlobalMeterProvider({ getMeter: () => meter } as never);
  t.teardown(unregisterSdk);
  const app = traced(
    new WsgiHandler([
      (environ) => {
        environ['vela.route'] = '/x';
        if (environ.PATH_INFO === '/throw') throw new RangeError('far');
      },
      hello as Middleware,
    ]),
  );
  await ask(t, app, '/?a=b');
  await ask(t, app, '/throw', {}, { logLevel: 'silent' });
  const common = { 'http.request.method': 'GET', 'url.scheme': 'http' };
  const ended = { ...common, 'network.protocol.version': '1.1', 'http.route': '/x' };
  t.match(told, [
    ['http.server.active_requests', 1, common],
    ['http.server.active_requests', -1, common],
    ['http.server.request.duration', Number, { ...ended, 'http.response.status_code': 200 }],
    ['http.server.active_requests', 1, common],
    ['http.server.active_requests', -1, common],
    [
      'http.server.request.duration',
      Number,
      { ...ended, 'http.response.status_code': 500, 'error.type': 'RangeError' },
    ],
  ]);
  t.ok((told[2]?.[1] as number) < 1, 'in seconds');
  t.match(made, [
    ['http.server.request.duration', { unit: 's', advice: { explicitBucketBoundaries: [0.005] } }],
    ['http.server.active_requests', { unit: '{request}' }],
  ]);
});

t.test('options are checked when it is built', async (t) => {
  const bad: [options: unknown, message: RegExp][] = [
    [{ filter: () => true }, /traceRequests has no option "filter"/],
    [
      { skip: true },
      /Option "skip" of traceRequests\(\) must be a function \(environ\) => boolean; received true/,
    ],
    [{ attributes: {} }, /"attributes"/],
    [{ endAttributes: 1 }, /"endAttributes"/],
    [{ acceptParent: 'yes' }, /"acceptParent"/],
    [{ requestHeaders: 'x' }, /"requestHeaders"/],
    [{ requestHeaders: ['a b'] }, /"requestHeaders"/],
    [{ responseHeaders: [1] }, /"responseHeaders"/],
    [{ sensitiveParameters: [''] }, /"sensitiveParameters"/],
    [{ knownMethods: ['G T'] }, /"knownMethods"/],
    [{ responseHeader: 'x-trace' }, /'none', 'traceresponse' or 'server-timing'; received "x-trace"/],
    [null, /takes its options as an object/],
  ];
  for (const [options, message] of bad)
    t.throws(() => traceRequests(hello, options as TraceRequestsOptions), { name: 'TypeError', message });
  t.throws(() => traceRequests(undefined as never), /What traceRequests\(\) is given must be a function/);
});

t.test('vela:request:start runs the application within the stores of other tracers', async (t) => {
  const store = new AsyncLocalStorage<string>();
  const start = channel('vela:request:start');
  start.bindStore(store, (message) => (message as { environ: Environ }).environ.QUERY_STRING);
  t.teardown(() => start.unbindStore(store));
  const seen = () => store.getStore() ?? 'lost';
  const app = new WsgiHandler([
    waitForBody(),
    async () => {
      await sleep(1);
    },
    (_environ, startResponse) => {
      startResponse('200 OK', [['Content-Type', 'text/plain']]);
      const first = seen();
      return (async function* () {
        yield `${first} ${seen()} `;
        await sleep(2);
        yield seen();
      })();
    },
  ]);
  await onGateways(t, app, async (t, url) => {
    await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const body = 'x'.repeat(n * 5000);
        t.equal(await (await fetch(`${url}/?${n}`, { method: 'POST', body })).text(), `${n} ${n} ${n}`);
      }),
    );
  });
  t.equal(store.getStore(), undefined);
});

t.test('the start of a request is told before the application runs, and its end after', async (t) => {
  const order: string[] = [];
  for (const name of ['start', 'finish']) {
    const listener = () => void order.push(name);
    subscribe(`vela:request:${name}`, listener);
    t.teardown(() => unsubscribe(`vela:request:${name}`, listener));
  }
  await ask(t, (() => {
    order.push('app');
    return new WsgiResponse({ content: 'x' });
  }) as App);
  t.same(order, ['start', 'app', 'finish']);
});

t.test('without the package, vela works and vela/opentelemetry says what to do', async (t) => {
  const missing = {
    missing: '@opentelemetry',
    entry: 'vela/opentelemetry',
    others: ['vela', 'vela/middleware', 'vela/testing'],
  };
  t.equal(
    await importWithout(t, missing),
    'ERR_OPENTELEMETRY_MISSING | vela/opentelemetry needs the package @opentelemetry/api: npm install @opentelemetry/api | MODULE_NOT_FOUND',
  );
});

t.test('examples/tracing prints the spans of a request that belongs to a trace', async (t) => {
  const child = spawn(
    'npm',
    ['run', '--silent', 'example', '--', 'tracing', '--bind', '127.0.0.1:0', '--workers', '0'],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    },
  );
  const exited = once(child, 'exit');
  let output = '';
  const lines = createInterface(child.stdout).on('line', (line) => {
    output += `${line}\n`;
  });
  try {
    const deadline = AbortSignal.timeout(60_000);
    while (!/http:\/\/\S+/.test(output)) await once(lines, 'line', { signal: deadline });
    const [url = ''] = /http:\/\/\S+/.exec(output) ?? [];
    const answer = await run('curl', ['-si', '-H', `traceparent: ${PARENT}`, `${url}/users/5`]);
    t.match(answer.stdout, `traceresponse: 00-${TRACE}-`);
    await until(() => output.includes("name: 'GET /users/{id}'") && output.includes('"trace_id"'));
    t.match(output, `traceId: '${TRACE}'`);
    t.match(output, "'http.route': '/users/{id}'");
    t.match(output, "name: 'find user'");
    t.match(output, `"trace_id":"${TRACE}"`);
  } finally {
    process.kill(-(child.pid as number), 'SIGTERM');
    await exited;
  }
});
