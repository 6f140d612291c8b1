import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import perfHooks from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { Counter, collectDefaultMetrics, Gauge, type OpenMetricsContentType, Registry } from 'prom-client';
import t from 'tap';
import { Channels } from '../src/channels/index.js';
import { middlewareInExecutor } from '../src/executor/index.js';
import {
  type Environ,
  Http401,
  json,
  type Middleware,
  type RequestEnd,
  Router,
  serve,
  WsgiHandler,
  WsgiResponse,
} from '../src/index.js';
import { type PrometheusMetricsOptions, prometheusMetrics } from '../src/prometheus/index.js';
import { websocket } from '../src/websocket/index.js';
import { client, testClient } from './support/ask.js';
import { Exposition } from './support/exposition.js';
import { eventually, MODULE, threads } from './support/threads.js';
import { Wire } from './support/wire.js';
import { importWithout } from './support/without-package.js';

const GATEWAYS = ['uws', 'node'] as const;
const DURATION = 'http_server_request_duration_seconds';
const COUNT = `${DURATION}_count`;
const UNFINISHED = 'http_server_unfinished_responses_total';
const METHODS = ['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE', '_OTHER'];

const router = () =>
  new Router()
    .get('/users/:id', ({ params }) => `user ${params.id}\n`)
    .post('/users', () => new WsgiResponse({ status: 201, content: 'made\n' }));

/** The metrics before a router, or before what is given. */
const site = (options: PrometheusMetricsOptions = {}, ...behind: Middleware[]) =>
  new WsgiHandler([
    prometheusMetrics({ defaultMetrics: false, ...options }),
    ...(behind.length > 0 ? behind : [router()]),
  ]);

type Web = ReturnType<typeof client>;

/** Asks, and drinks the answer to its end. */
async function drain(web: Web, target: string, method = 'GET'): Promise<number> {
  const response = await web.request(target, { method });
  await response.text();
  return response.status;
}

async function read(web: Web, target = '/metrics'): Promise<Exposition> {
  const response = await web.get(target);
  if (response.status !== 200) throw new Error(`the metrics are ${response.statusLine}`);
  return new Exposition(await response.text());
}

/** A start context of no server. */
const context = () => ({
  config: { debug: false } as never,
  logger: { debug() {}, info() {}, warn() {}, error() {} },
  stopping: new AbortController().signal,
  webSockets: { maxPayloadBytes: 0, maxBackpressureBytes: 0, compression: false, widen() {} },
});

// The first test, as the metrics of the process are made once for all that follow.
t.test(
  'what is started and stopped ten times leaves nothing but one set of metrics of the process',
  async (t) => {
    const made: string[] = [];
    const { PerformanceObserver, monitorEventLoopDelay } = perfHooks;
    const hooks = perfHooks as { -readonly [K in keyof typeof perfHooks]: (typeof perfHooks)[K] };
    t.teardown(() => Object.assign(hooks, { PerformanceObserver, monitorEventLoopDelay }));
    hooks.PerformanceObserver = class extends PerformanceObserver {
      constructor(callback: ConstructorParameters<typeof PerformanceObserver>[0]) {
        super(callback);
        made.push('observer');
      }
    };
    hooks.monitorEventLoopDelay = (options) => {
      made.push('monitor');
      return monitorEventLoopDelay(options);
    };
    const shared = new Registry();
    const handlers = [site({ defaultMetrics: true }), site({ defaultMetrics: true, register: shared })];
    t.same(made, [], 'building it starts nothing');
    const calls = channel('vela:executor:call');
    const state = () => ({
      resources: process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length,
      metrics: shared.getMetricsAsArray().map(({ name }) => name),
      isHeard: calls.hasSubscribers,
    });
    const before = state();
    t.equal(before.isHeard, false);
    for (let turn = 0; turn < 10; turn++) {
      // One more of the same register, and one of its own, each time.
      const parts = [
        ...handlers,
        site({ defaultMetrics: true, register: shared }),
        site({ defaultMetrics: true }),
      ];
      for (const part of parts) await part.start(context());
      t.ok(calls.hasSubscribers);
      t.ok(shared.getSingleMetric('process_cpu_user_seconds_total'));
      await parts[0]?.stop();
      await parts[1]?.stop();
      t.ok(
        shared.getSingleMetric('process_cpu_user_seconds_total'),
        'another one of the register still runs',
      );
      await parts[2]?.stop();
      await parts[3]?.stop();
      t.same(state(), before);
    }
    t.same(made.sort(), ['monitor', 'observer']);
    for (const part of handlers) await part.stop();
    t.same(state(), before, 'a second stop does nothing');
  },
);

t.test('requests are told by method, route and status', async (t) => {
  const web = client(t, site());
  t.equal(await drain(web, '/users/1'), 200);
  t.equal(await drain(web, '/users/2?x=1'), 200);
  t.equal(await drain(web, '/users/2', 'HEAD'), 200);
  t.equal(await drain(web, '/users', 'POST'), 201);
  t.equal(await drain(web, '/users', 'DELETE'), 405);
  t.equal(await drain(web, '/none/1'), 404);
  t.equal(await drain(web, '/none/2', 'PROPFIND'), 404);
  const metrics = await read(web);
  t.equal(metrics.families.get(DURATION)?.type, 'histogram');
  const told = metrics
    .find(COUNT)
    .map(({ labels: { method, route, status }, value }) => [method, route, status, value]);
  t.same(
    new Set(told.map((one) => one.join())),
    new Set([
      'GET,/users/:id,200,2',
      'HEAD,/users/:id,200,1',
      'POST,/users,201,1',
      'DELETE,,405,1',
      'GET,,404,1',
      '_OTHER,,404,1',
    ]),
  );
  t.equal(metrics.value('http_server_active_requests'), 0);
  t.equal(metrics.value(UNFINISHED, { outcome: 'aborted' }), 0);
  t.equal(metrics.value(UNFINISHED, { outcome: 'cut' }), 0);
  const sum = metrics.value(`${DURATION}_sum`, { method: 'POST' }) as number;
  t.ok(sum > 0 && sum < 60, `${sum} s`);
  t.same(
    metrics.find(`${DURATION}_bucket`, { method: 'POST' }).map(({ labels: { le } }) => le),
    [
      '0.005',
      '0.01',
      '0.025',
      '0.05',
      '0.075',
      '0.1',
      '0.25',
      '0.5',
      '0.75',
      '1',
      '2.5',
      '5',
      '7.5',
      '10',
      '+Inf',
    ],
  );
  const again = await read(web);
  t.same(again.find(COUNT), metrics.find(COUNT), 'asking for the metrics is not counted');
});

t.test('a duration falls into its bucket, and into all above', async (t) => {
  const { metrics, ends } = fake({ buckets: [0.001, 0.25, 2] });
  for (const durationMs of [0, 1, 1.5, 250, 250.1, 2000, 2001, 1e9]) ends({ durationMs });
  const text = await metrics();
  t.same(
    text.find(`${DURATION}_bucket`).map(({ labels: { le }, value }) => [le, value]),
    [
      ['0.001', 2],
      ['0.25', 4],
      ['2', 6],
      ['+Inf', 8],
    ],
  );
  t.equal(text.value(COUNT), 8);
  t.equal(text.value(`${DURATION}_sum`)?.toFixed(4), '1000004.5036');
});

t.test('a response that was never begun has a status all the same', async (t) => {
  const { ends, metrics } = fake();
  ends({ status: 0, outcome: 'aborted' });
  ends({ status: 0, outcome: 'taken' });
  ends({ status: 0, outcome: 'cut' });
  const text = await metrics();
  t.equal(text.value(COUNT, { status: '499' }), 1);
  t.equal(text.value(COUNT, { status: '0' }), 2);
  t.equal(text.value(UNFINISHED, { outcome: 'aborted' }), 1);
  t.equal(text.value(UNFINISHED, { outcome: 'cut' }), 1);
});

t.test('GET and HEAD of the path, and nothing else', async (t) => {
  const web = client(t, site({ path: '/internal/metrics' }));
  const whole = await web.get('/internal/metrics?format=text');
  t.equal(whole.status, 200);
  t.equal(whole.header('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  t.equal(whole.header('cache-control'), 'no-store');
  const text = await whole.text();
  t.ok(new Exposition(text).families.has(DURATION));
  const head = await web.head('/internal/metrics');
  t.same(
    [head.status, head.header('content-type'), await head.text()],
    [200, whole.header('content-type'), ''],
  );
  t.equal(head.header('content-length'), String(Buffer.byteLength(text)));
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND']) {
    const refused = await web.request('/internal/metrics', { method });
    t.same([refused.status, refused.header('allow')], [405, 'GET, HEAD'], method);
    await refused.text();
  }
  for (const path of ['/metrics', '/internal/metrics/', '/internal/Metrics', '/internal/metrics%20'])
    t.equal(await drain(web, path), 404, path);
  const metrics = await read(web, '/internal/metrics');
  t.same(metrics.labelValues(DURATION, 'status'), ['404'], 'what is refused there is not counted either');
});

t.test('isAllowed decides who reads', async (t) => {
  const cases: [answer: () => unknown, status: number][] = [
    [() => true, 200],
    [async () => true, 200],
    [() => false, 403],
    [async () => false, 403],
    [() => undefined, 403],
    [() => 'yes', 403],
    [async () => 1, 403],
    [
      () => {
        throw new Error('secret');
      },
      500,
    ],
    [() => Promise.reject(new Error('secret')), 500],
    [
      () => {
        throw new Http401('who are you?');
      },
      401,
    ],
    [() => Promise.reject(new Http401('who are you?')), 401],
  ];
  for (const [isAllowed, status] of cases) {
    const web = client(t, site({ isAllowed } as PrometheusMetricsOptions));
    for (const method of ['GET', 'HEAD']) {
      const response = await web.request('/metrics', { method });
      t.equal(response.status, status, `${method} ${isAllowed}`);
      const text = await response.text();
      t.notMatch(text, 'secret');
      t.equal(text.includes(DURATION), status === 200 && method === 'GET');
    }
    t.equal(await drain(web, '/metrics', 'POST'), 405);
    t.equal(await drain(web, '/users/1'), 200, 'it is not asked for other paths');
  }
  const byHeader = client(
    t,
    site({
      isAllowed: async (environ) => {
        await null;
        return environ.HTTP_AUTHORIZATION === 'Bearer abc';
      },
    }),
  );
  t.equal((await byHeader.get('/metrics')).status, 403);
  const headers = { authorization: 'Bearer abc' };
  t.equal((await byHeader.get('/metrics', { headers })).status, 200, 'it may read headers after an await');
});

t.test('a client that leaves, a response that is cut, and what is under way', async (t) => {
  let enter = () => {};
  const hanging: Middleware = async ({ PATH_INFO, 'vela.signal': signal }) => {
    if (PATH_INFO !== '/hang') return;
    enter();
    await once(signal, 'abort');
    throw signal.reason;
  };
  const streaming: Middleware = ({ PATH_INFO }, startResponse) => {
    if (PATH_INFO !== '/cut' && PATH_INFO !== '/stream') return undefined;
    startResponse('200 OK', [['Content-Type', 'text/plain']]);
    return (async function* () {
      yield 'first';
      if (PATH_INFO === '/cut') throw new Error('broken');
      await new Promise(() => {});
    })();
  };
  const web = testClient(site({}, hanging, streaming));
  t.teardown(() => web.close());

  const entered = new Promise<void>((resolve) => {
    enter = resolve;
  });
  const leaving = new AbortController();
  const left = web.get('/hang', { signal: leaving.signal });
  left.catch(() => {});
  await entered;
  t.equal((await read(web)).value('http_server_active_requests'), 1, 'but for the asking one');
  leaving.abort();
  await t.rejects(left);

  const parting = new AbortController();
  const response = await web.get('/stream', { signal: parting.signal });
  await response.body[Symbol.asyncIterator]().next();
  parting.abort();
  await t.rejects((await web.get('/cut')).text(), { code: 'ERR_TEST_CUT' });

  const metrics = await read(web);
  t.equal(metrics.value('http_server_active_requests'), 0);
  t.same(
    metrics
      .find(COUNT)
      .map(({ labels: { status }, value }) => [status, value])
      .sort(),
    [
      ['200', 2],
      ['499', 1],
    ],
  );
  t.equal(metrics.value(UNFINISHED, { outcome: 'aborted' }), 2);
  t.equal(metrics.value(UNFINISHED, { outcome: 'cut' }), 1);
});

t.test('whatever clients send, labels have no values but those of the program', async (t) => {
  const web = client(t, site());
  // Of no gateway, as these refuse much.
  const { begin, ends, metrics } = fake();
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), async (method, path) => {
      begin({ method, path });
      ends({ durationMs: 1 });
    }),
    { numRuns: 500 },
  );
  const anyMethod = await metrics();
  t.strictSame(
    anyMethod.labelValues(DURATION, 'method').filter((method) => !METHODS.includes(method)),
    [],
  );
  t.same(anyMethod.labelValues(DURATION, 'route'), ['']);
  await fc.assert(
    fc.asyncProperty(
      fc.webPath(),
      fc.constantFrom('GET', 'PURGE', 'SEARCH', 'POST'),
      async (path, method) => {
        if (path !== '/metrics') await drain(web, path === '' ? '/' : path, method);
      },
    ),
    { numRuns: 300 },
  );
  await drain(web, '/users/%22%0A%5C');
  const anyPath = await read(web);
  t.strictSame(
    anyPath.labelValues(DURATION, 'route').filter((route) => !['', '/users', '/users/:id'].includes(route)),
    [],
  );
});

t.test('over sockets, odd methods and targets make no labels either', async (t) => {
  for (const gateway of GATEWAYS) {
    const server = await serve(site(), { bind: '127.0.0.1:0', gateway, logLevel: 'silent' });
    t.teardown(() => server.close({ timeoutMs: 0 }));
    const { port } = server.address as { port: number };
    for (const line of [
      'GET /users/1',
      'BREW /users/1',
      'get /users/1',
      'GET /%ff',
      'GET /users/%00',
      'GET //metrics',
      `GET /${'x'.repeat(3000)}`,
      'PROPFIND *',
      'OPTIONS *',
      'GET http://other/users/1',
    ]) {
      const wire = await Wire.open({ host: '127.0.0.1', port });
      wire.write(`${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      await wire.until(() => wire.received.length > 0 || wire.isEnded, `an answer to ${line}`);
      wire.destroy();
    }
    const metrics = new Exposition(await (await fetch(`${server.url}/metrics`)).text());
    t.strictSame(
      metrics.labelValues(DURATION, 'method').filter((method) => !METHODS.includes(method)),
      [],
    );
    t.strictSame(
      metrics.labelValues(DURATION, 'route').filter((route) => route !== '' && route !== '/users/:id'),
      [],
    );
    t.ok(
      (metrics.value(COUNT, { method: 'GET', route: '/users/:id', status: '200' }) as number) >= 1,
      gateway,
    );
  }
});

t.test('a million different paths take no memory', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const { begin, ends, metrics } = fake();
  const ask = (from: number, to: number) => {
    for (let n = from; n < to; n++) {
      begin({ method: `M${n}`, path: `/${n}` });
      ends({ durationMs: n / 1000 });
    }
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = ask(0, 10_000);
  const { length } = (await metrics()).families.get(DURATION)?.samples ?? [];
  const after = ask(10_000, 1_010_000);
  t.equal((await metrics()).families.get(DURATION)?.samples.length, length);
  t.ok(after - before < 5_000_000, `${after - before} bytes more`);
});

t.test('routes, names and labels of any text keep the format', async (t) => {
  const odd = 'a"b\\c\nd\\n{}=,# é🦋';
  const register = new Registry();
  register.setDefaultLabels({ app: odd });
  new Gauge({ name: 'own', help: 'An\nown \\ one.', registers: [register], labelNames: ['odd'] }).set(
    { odd },
    -0.5,
  );
  const web = client(
    t,
    site({ register }, (environ) => {
      environ['vela.route'] = environ.QUERY_STRING === 'odd' ? odd : (5 as never);
      return json(null);
    }),
  );
  await drain(web, '/?odd');
  await drain(web, '/?five');
  const executor = threads(t, { name: odd });
  await executor.run(MODULE, 'add', 1, 2);
  const metrics = await read(web);
  t.same(metrics.labelValues(DURATION, 'route'), ['', odd], 'what is no text is no route');
  t.same(metrics.labelValues(DURATION, 'app'), [odd]);
  t.equal(metrics.value('own', { odd }), -0.5);
  t.equal(metrics.families.get('own')?.help, 'An\nown \\ one.');
  t.equal(metrics.value('vela_executor_threads', { executor: odd }), 1);
  t.equal(metrics.value('vela_executor_call_run_seconds_count', { executor: odd, export: 'add' }), 1);
});

t.test('the reader of these tests refuses what is no exposition', async (t) => {
  const histogram = (...lines: string[]) => `# HELP h x\n# TYPE h histogram\n${lines.join('\n')}\n`;
  const good = ['h_bucket{le="1"} 1', 'h_bucket{le="+Inf"} 2', 'h_sum 3', 'h_count 2'];
  t.ok(new Exposition(histogram(...good)));
  const gauge = (...lines: string[]) => `# HELP g x\n# TYPE g gauge\n${lines.join('\n')}\n`;
  t.ok(new Exposition(gauge('g{a="\\\\\\"\\n",b=""} +Inf', 'g{a="1"} 1e-7')));
  for (const text of [
    'g 1\n',
    '# TYPE g gauge\ng 1\n',
    '# HELP g x\ng 1\n',
    gauge('g 1').trimEnd(),
    gauge('g 1', 'g 2'),
    gauge('g{a="1",b="2"} 1', 'g{b="2",a="1"} 1'),
    gauge('g{a="1",a="2"} 1'),
    gauge('g{a="\\x"} 1'),
    gauge('g{a="b"c"} 1'),
    gauge('g{1a="b"} 1'),
    gauge('g{__a="b"} 1'),
    gauge('g{a="b"}1'),
    gauge('g{a="b",} 1'),
    gauge('g 1 2'),
    gauge('g one'),
    gauge('g '),
    gauge('other 1'),
    `${gauge('g 1')}${histogram(...good)}# HELP g x\n`,
    '# HELP c_total x\n# TYPE c_total counter\nc_total -1\n',
    '# HELP c x\n# TYPE c count\nc 1\n',
    histogram(...good.slice(1, 3)),
    histogram(...good.slice(0, 1), ...good.slice(2)),
    histogram('h_bucket{le="1"} 3', ...good.slice(1)),
    histogram('h_bucket{le="2"} 1', ...good),
    histogram(...good.slice(0, 3), 'h_count 3'),
    histogram('h_bucket{le="1"} NaN', ...good.slice(1)),
  ])
    t.throws(() => new Exposition(text), text);
});

t.test('the metrics of the process', async (t) => {
  const own = client(t, site({ defaultMetrics: true }));
  const metrics = await read(own);
  t.ok((metrics.value('process_cpu_seconds_total') as number) > 0);
  t.ok((metrics.value('process_resident_memory_bytes') as number) > 1_000_000);
  t.ok(metrics.families.has('nodejs_eventloop_lag_seconds'));
  t.ok(metrics.families.has('nodejs_gc_duration_seconds'));
  t.notOk((await read(client(t, site()))).families.has('process_cpu_seconds_total'));

  const register = new Registry();
  collectDefaultMetrics({ register });
  const theirs = register.getSingleMetric('process_cpu_seconds_total');
  const web = testClient(site({ register, defaultMetrics: true }));
  t.ok((await read(web)).families.has('process_cpu_seconds_total'), 'those that are there already are left');
  await web.close();
  t.equal(register.getSingleMetric('process_cpu_seconds_total'), theirs);
});

t.test('a register of OpenMetrics has its own form, and leaves the others theirs', async (t) => {
  const open = () => {
    const register = new Registry<OpenMetricsContentType>();
    register.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    return register;
  };
  const plain = client(t, site({ defaultMetrics: true }));
  for (const register of [open(), open()]) {
    const web = testClient(site({ register, defaultMetrics: true }));
    for (let turn = 0; turn < 2; turn++) {
      const response = await web.get('/metrics');
      t.equal(response.header('content-type'), 'application/openmetrics-text; version=1.0.0; charset=utf-8');
      const text = await response.text();
      t.match(text, /\n# EOF\n$/);
      t.match(text, /^# TYPE process_cpu_seconds counter\nprocess_cpu_seconds_total [\d.]+$/m);
      t.match(text, /^http_server_unfinished_responses_total\{outcome="cut"\} 0$/m);
    }
    const count = register.getMetricsAsArray().length;
    await web.close();
    t.notOk(register.getMetricsAsArray().some(({ name }) => name.startsWith('process_cpu')));
    t.ok(register.getMetricsAsArray().length < count);
  }
  t.ok((await read(plain)).families.has('process_cpu_seconds_total'));
});

t.test('servers of one register share the metrics; those of two do not', async (t) => {
  const register = new Registry();
  const orders = new Counter({ name: 'orders_total', help: 'Orders.', registers: [register] });
  orders.inc(3);
  const [first, second, other] = [site({ register }), site({ register, path: '/m' }), site()].map((app) =>
    client(t, app),
  ) as [Web, Web, Web];
  await drain(first, '/users/1');
  await drain(second, '/users/2');
  await drain(other, '/users/3');
  const metrics = await read(first);
  t.same((await read(second, '/m')).find(COUNT), metrics.find(COUNT));
  t.equal(metrics.value(COUNT), 2);
  t.equal(metrics.value('orders_total'), 3);
  const separate = await read(other);
  t.equal(separate.value(COUNT), 1);
  t.notOk(separate.families.has('orders_total'));

  t.throws(() => site({ register, buckets: [1, 2] }), {
    name: 'TypeError',
    message:
      /Option "buckets" of prometheusMetrics\(\) must be those of the server that its register is shared with, 0\.005, /,
  });
  const taken = new Registry();
  new Gauge({ name: 'http_server_active_requests', help: 'Theirs.', registers: [taken] });
  t.throws(() => site({ register: taken }), {
    name: 'TypeError',
    message:
      /Option "register" of prometheusMetrics\(\) must be one that has no other metric named http_server_active_requests/,
  });
  t.equal(taken.getMetricsAsArray().length, 1, 'and nothing of it was changed');

  register.clear();
  const anew = client(t, site({ register, buckets: [1], defaultMetrics: true }));
  await drain(anew, '/users/1');
  const begun = await read(anew);
  t.equal(begun.value(COUNT), 1, 'a register that was cleared begins anew');
  t.ok(begun.families.has('process_cpu_seconds_total'));
  register.clear();
  const last = client(t, site({ register, defaultMetrics: true }));
  t.ok((await read(last)).families.has('process_cpu_seconds_total'), 'while another one runs, too');
});

t.test('what a register of others does counts for its reset', async (t) => {
  const register = new Registry();
  const web = client(t, site({ register }));
  await drain(web, '/users/1');
  const [histogram] = (await register.getMetricsAsJSON()).filter(({ name }) => name === DURATION);
  const counted = histogram?.values.filter((one) => (one as { metricName?: string }).metricName === COUNT);
  t.same(
    counted?.map(({ value, labels }) => [value, labels]),
    [[1, { method: 'GET', route: '/users/:id', status: '200' }]],
  );
  register.resetMetrics();
  t.same((await read(web)).find(COUNT), []);
});

t.test('WebSockets are counted, their messages, and how they close', async (t) => {
  const channels = new Channels();
  const sockets = websocket('/ws', {
    open: (socket) => void channels.subscribe('all', socket),
    message(socket, message) {
      const text = message.text();
      if (text === 'quit') socket.close(4401);
      else if (text === 'others') void channels.publish('all', text, { except: socket });
      else if (text === 'all') void channels.publish('all', text);
      else socket.send(message);
    },
  });
  const web = client(t, new WsgiHandler([prometheusMetrics({ defaultMetrics: false }), channels, sockets]));
  const prefix = 'vela_websocket';
  const count = async () => {
    const metrics = await read(web);
    const [received, sent] = ['received', 'sent'].map((one) =>
      metrics.value(`${prefix}_messages_${one}_total`),
    );
    return [metrics.value(`${prefix}_connections`), received, sent];
  };
  t.same(await count(), [0, 0, 0]);
  const all = [await web.websocket('/ws'), await web.websocket('/ws'), await web.websocket('/ws')] as const;
  const [one, two, three] = all;
  one.send('echo');
  t.equal(await one.next(), 'echo');
  two.send('all');
  for (const socket of all) t.equal(await socket.next(), 'all');
  three.send('others');
  for (const socket of [one, two]) t.equal(await socket.next(), 'others');
  t.same(await count(), [3, 3, 1 + 3 + 2]);
  one.send('quit');
  await one.closed();
  await two.close(1000);
  await three.close(4999);
  for (const socket of [two, three]) await socket.closed();
  t.same(await count(), [0, 4, 6]);
  const closes = (await read(web)).find(`${prefix}_closes_total`);
  t.same(closes.map(({ labels, value }) => [labels.code, value]).sort(), [
    ['1000', 1],
    ['4xxx', 2],
  ]);
});

t.test('executors appear by their names while they are open', async (t) => {
  const web = client(t, site());
  const named = (metrics: Exposition, name: string) =>
    metrics.labelValues(name, 'executor').filter((one) => one.startsWith('prom-'));
  t.same(named(await read(web), 'vela_executor_threads'), []);
  const executor = threads(t, { name: 'prom-a', ahead: 0, maxQueue: 1 });
  const other = threads(t, { name: 'prom-b' });
  const idle = await read(web);
  for (const name of ['threads', 'busy_threads', 'running_calls', 'waiting_calls', 'utilization_ratio'])
    t.equal(idle.value(`vela_executor_${name}`, { executor: 'prom-a' }), 0, name);
  for (const name of ['completed_calls', 'refused_calls', 'timed_out_calls', 'lost_threads'])
    t.equal(idle.value(`vela_executor_${name}_total`, { executor: 'prom-a' }), 0, name);

  await other.run(MODULE, 'add', 1, 2);
  await executor.run(MODULE, 'add', 1, 2);
  await executor.run(MODULE, 'sleepSync', 50);
  const endless = executor.run(MODULE, 'neverEnds');
  endless.catch(() => {});
  await eventually('the call runs', () => executor.metrics().running === 1);
  executor.run(MODULE, 'add', 1, 2).catch(() => {});
  await t.rejects(executor.run(MODULE, 'add', 1, 2), { message: 'Too many requests wait for a thread' });
  const busy = await read(web);
  const a = { executor: 'prom-a' };
  t.equal(busy.value('vela_executor_threads', a), 1);
  t.equal(busy.value('vela_executor_busy_threads', a), 1);
  t.equal(busy.value('vela_executor_running_calls', a), 1);
  t.equal(busy.value('vela_executor_waiting_calls', a), 1);
  t.equal(busy.value('vela_executor_completed_calls_total', a), 2);
  t.equal(busy.value('vela_executor_refused_calls_total', a), 1);
  const utilization = busy.value('vela_executor_utilization_ratio', a) as number;
  t.ok(utilization > 0 && utilization <= 1, `${utilization}`);
  const sleeps = { ...a, export: 'sleepSync' };
  t.equal(busy.value('vela_executor_call_run_seconds_count', sleeps), 1);
  t.equal(busy.value('vela_executor_call_wait_seconds_count', sleeps), 1);
  const seconds = busy.value('vela_executor_call_run_seconds_sum', sleeps) as number;
  t.ok(seconds >= 0.04 && seconds < 40, `${seconds} s`);
  t.equal(busy.value('vela_executor_call_run_seconds_count', { executor: 'prom-b' }), 1);

  await executor.close({ timeoutMs: 0 });
  const closed = await read(web);
  for (const name of closed.families.keys())
    if (name.startsWith('vela_executor_')) t.same(named(closed, name), ['prom-b'], name);
});

t.test('calls whose time is up, and threads that die, are counted', async (t) => {
  const web = client(t, site());
  const late = threads(t, { name: 'prom-late', timeoutMs: 50 });
  const dying = threads(t, { name: 'prom-dying' });
  await t.rejects(late.run(MODULE, 'neverEnds'));
  await t.rejects(dying.run(MODULE, 'exit', 1));
  const metrics = await read(web);
  t.equal(metrics.value('vela_executor_timed_out_calls_total', { executor: 'prom-late' }), 1);
  t.equal(metrics.value('vela_executor_lost_threads_total', { executor: 'prom-late' }), 0);
  t.equal(metrics.value('vela_executor_timed_out_calls_total', { executor: 'prom-dying' }), 0);
  t.equal(metrics.value('vela_executor_lost_threads_total', { executor: 'prom-dying' }), 1);
});

t.test('executors of one name are told as one, and what they counted does not shrink', async (t) => {
  const web = client(t, site());
  await read(web);
  const [first, second] = [threads(t, { name: 'twin' }), threads(t, { name: 'twin' })] as const;
  for (const executor of [first, first, second]) await executor.run(MODULE, 'add', 1, 2);
  const twin = { executor: 'twin' };
  const both = await read(web);
  t.equal(both.value('vela_executor_threads', twin), 2);
  t.equal(both.value('vela_executor_completed_calls_total', twin), 3);
  t.equal(both.value('vela_executor_call_run_seconds_count', twin), 3);
  await first.close();
  await second.run(MODULE, 'add', 1, 2);
  const one = await read(web);
  t.equal(one.value('vela_executor_threads', twin), 1);
  t.equal(one.value('vela_executor_completed_calls_total', twin), 4);
  t.equal(one.value('vela_executor_call_run_seconds_count', twin), 4);
});

t.test('the executor that handlers of a server share is there too, and two servers hear of it', async (t) => {
  const [first, second] = [site({}, middlewareInExecutor(MODULE, { name: 'hello' })), site()].map((app) =>
    client(t, app),
  ) as [Web, Web];
  await drain(second, '/');
  t.equal(await drain(first, '/'), 200);
  for (const web of [first, second]) {
    const metrics = await read(web);
    t.equal(metrics.value('vela_executor_completed_calls_total', { executor: 'executor' }), 1);
    t.equal(
      metrics.value('vela_executor_call_wait_seconds_count', { executor: 'executor', export: 'hello' }),
      1,
    );
  }
  await first.close();
  t.same((await read(second)).labelValues('vela_executor_threads', 'executor'), []);
});

t.test('options are checked', async (t) => {
  const bad: [options: unknown, message: RegExp][] = [
    [{ patch: '/m' }, /prometheusMetrics has no option "patch" \(did you mean "path"\?\); it has "path", /],
    [
      { path: 'metrics' },
      /Option "path" of prometheusMetrics\(\) must be a path such as '\/metrics'; received "metrics"/,
    ],
    [{ path: '/a b' }, /"path"/],
    [{ path: 5 }, /"path"/],
    [
      { register: {} },
      /Option "register" of prometheusMetrics\(\) must be a Registry of prom-client; received/,
    ],
    [{ register: null }, /"register"/],
    [{ buckets: [] }, /Option "buckets" of prometheusMetrics\(\) must be a list of rising numbers above 0/],
    [{ buckets: [0, 1] }, /"buckets"/],
    [{ buckets: [1, 1] }, /"buckets"/],
    [{ buckets: [2, 1] }, /"buckets"/],
    [{ buckets: [1, Number.POSITIVE_INFINITY] }, /"buckets"/],
    [{ buckets: ['1'] }, /"buckets"/],
    [{ buckets: 1 }, /"buckets"/],
    [
      { defaultMetrics: 1 },
      /Option "defaultMetrics" of prometheusMetrics\(\) must be true or false; received 1/,
    ],
    [
      { isAllowed: true },
      /Option "isAllowed" of prometheusMetrics\(\) must be a function \(environ\) => boolean/,
    ],
    [null, /takes its options as an object/],
  ];
  for (const [options, message] of bad)
    t.throws(() => prometheusMetrics(options as PrometheusMetricsOptions), { name: 'TypeError', message });
  const middleware = prometheusMetrics({ path: '/m' });
  t.same(middleware.describe?.(), { name: 'prometheusMetrics', path: '/m' });
  t.same(middleware.headers, []);
  t.equal(prometheusMetrics({ isAllowed: () => true }).headers, undefined, 'it may read any header');
  t.throws(() => new WsgiHandler([], { responseMiddleware: [middleware as never] }), /is middleware/);
});

t.test('without the package, vela works and vela/prometheus says what to do', async (t) => {
  const missing = {
    missing: 'prom-client',
    entry: 'vela/prometheus',
    others: ['vela', 'vela/middleware', 'vela/executor'],
  };
  t.equal(
    await importWithout(t, missing),
    'ERR_PROMETHEUS_MISSING | vela/prometheus needs the package prom-client: npm install prom-client | MODULE_NOT_FOUND',
  );
});

/** The middleware by itself: what begins there ends when the test says so. */
function fake(options: PrometheusMetricsOptions = {}) {
  const register = new Registry();
  const middleware = prometheusMetrics({ register, defaultMetrics: false, ...options });
  let end: ((end: RequestEnd) => void) | undefined;
  const response = {
    onEnd: (listener: (end: RequestEnd) => void) => {
      end = listener;
    },
  };
  const begin = ({ method = 'GET', path = '/x' }) => {
    const environ = { REQUEST_METHOD: method, 'vela.raw_path': path, 'vela.response': response };
    void middleware(environ as unknown as Environ, (() => {}) as never);
  };
  const ends = (given: Partial<RequestEnd>) => {
    if (end === undefined) begin({});
    end?.({ status: 200, bodyBytes: 0, durationMs: 0, outcome: 'sent', error: undefined, ...given });
    end = undefined;
  };
  return { begin, ends, metrics: async () => new Exposition(await register.metrics()) };
}
