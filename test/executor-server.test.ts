/** The executor over sockets: bodies, clients that leave, threads that die, deadlines, a stop. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import t from 'tap';
import { createExecutor, middlewareInExecutor, offload } from '../src/executor/index.js';
import {
  type App,
  createExecutor as createFromQuickStart,
  middlewareInExecutor as fromQuickStart,
  type Middleware,
  offload as offloadFromQuickStart,
  type Server,
  serve,
  WsgiHandler,
} from '../src/index.js';
import { mount, timeout } from '../src/middleware/index.js';
import { ask, counter, eventually, listen, MODULE, open, site, threads } from './support/threads.js';

const GATEWAYS = ['uws', 'node'] as const;
t.setTimeout(115_000);

for (const gateway of GATEWAYS) {
  t.test(`bodies over sockets: ${gateway}`, async (t) => {
    const executor = threads(t, { concurrency: 4 });
    const count = counter(executor);
    const names = [
      'hello',
      'reads',
      'readsSync',
      'readsByLines',
      'bodies',
      'endless',
      'show',
      'writesMuch',
    ] as const;
    const here: App = (_environ, start) => {
      start('200 OK', [['Content-Type', 'text/plain']]);
      return ['here'];
    };
    const app = new WsgiHandler([mount('/here', here), site(executor, names) as Middleware]);
    const server = await listen(t, app, { gateway });
    t.match(await ask(server, '/hello/x'), { status: 200, text: 'Hello /x' });
    t.match(await ask(server, '/hello', { method: 'HEAD' }), { status: 200, text: '' });
    t.match(JSON.parse((await ask(server, '/show?a=%20')).text), {
      SCRIPT_NAME: '/show',
      QUERY_STRING: 'a=%20',
      REMOTE_ADDR: '127.0.0.1',
      SERVER_PORT: new URL(server.url).port,
    });
    const text = 'x'.repeat(3_000_000);
    t.equal((await ask(server, '/readsByLines', { method: 'POST', body: text })).text, '3000000');
    t.equal((await ask(server, '/reads?iterate', { method: 'POST', body: text })).text.length, 3_000_000);
    t.equal((await ask(server, '/bodies?large')).text.length, 3_000_000);
    t.equal((await ask(server, '/bodies?breaks')).text, 'cut', 'an error in the middle cuts the response');

    const slow = open(server, '/readsSync', { method: 'POST', headers: { 'transfer-encoding': 'chunked' } });
    slow.request.write('abcd');
    await eventually('the call has begun', () => executor.metrics().running === 1);
    t.equal((await ask(server, '/here')).text, 'here', 'the loop goes on while a thread waits for a body');
    slow.request.end('ef');
    t.equal((await slow.answered).headers['x-first'], 'abcd');

    const cut = open(server, '/readsByLines', { method: 'POST', headers: { 'content-length': '100' } });
    cut.request.write('abc');
    await eventually('the call has begun', () => executor.metrics().running === 1);
    cut.request.destroy();
    await eventually(
      'an upload that breaks off lets go of its thread',
      () => executor.metrics().running === 0,
    );
    t.equal(await executor.run(MODULE, 'add', 1, 1), 2);

    const reader = open(server, '/endless').request;
    reader.end();
    const [response] = (await once(reader, 'response')) as [IncomingMessage];
    response.pause();
    let before = -1;
    await eventually('a reader that pauses stops the generator', async () => {
      const now = await count('chunks');
      const isStill = now === before;
      before = now;
      await new Promise((go) => setTimeout(go, 100));
      return isStill;
    });
    // In the kernel's buffers, the gateway's, the window of the executor: far from all that an hour would make.
    t.ok(before * 16_384 < 32 * 1_048_576, `${before * 16_384} bytes were made`);
    const endings = await count('endings');
    response.destroy();
    await eventually('the generator is ended', async () => (await count('endings')) === endings + 1);

    const writer = open(server, '/writesMuch?5000').request;
    writer.end();
    const [written] = (await once(writer, 'response')) as [IncomingMessage];
    written.pause();
    written.destroy();
    await eventually('a writer that waits for nothing is let go', () => executor.metrics().running === 0);
    t.ok((await count('writes')) <= 5000);
    await server.close();
  });
}

/** A request of another thread. */
async function pong(server: Server): Promise<string> {
  return (await ask(server, '/hello/ping')).text;
}

t.test('large streams come whole, in constant memory', async (t) => {
  const executor = threads(t);
  const server = await listen(t, site(executor, ['writesMuch', 'tiny', 'mixes']));
  // 256 MiB, by a writer that waits for nothing.
  const { answered, request } = open(server, '/writesMuch?4096');
  request.end();
  let bytes = 0;
  let mostBytes = 0;
  for await (const chunk of await answered) {
    bytes += (chunk as Buffer).length;
    mostBytes = Math.max(mostBytes, process.memoryUsage().rss);
  }
  const before = process.memoryUsage().rss;
  t.equal(bytes, 4096 * 65_536);
  t.ok(mostBytes - before < 256 * 1_048_576, `${mostBytes - before} bytes above`);
  t.equal((await ask(server, '/tiny?50000')).text.length, 50_000);
  t.equal((await ask(server, '/mixes')).text.length, 80 * 65_536);
});

t.test('a thread that dies costs its own requests, and is replaced', async (t) => {
  const executor = threads(t, {
    maxThreads: 2,
    minThreads: 2,
    resourceLimits: { maxOldGenerationSizeMb: 64 },
    timeoutMs: 4000,
    killAfterMs: 300,
  });
  const names = ['hello', 'exits', 'eats', 'leaves', 'forever', 'hangs', 'never'] as const;
  const server = await listen(t, site(executor, names), { stallTimeoutMs: 2000 });
  const others = async (work: Promise<unknown>) => {
    let isDone = false;
    let answered = 0;
    let wrong = '';
    void work.then(() => {
      isDone = true;
    });
    while (!isDone) {
      const text = await pong(server);
      if (text === 'Hello /ping') answered++;
      else wrong = text;
    }
    t.equal(wrong, '');
    return answered;
  };
  for (const [name, status] of [
    ['exits', 500],
    ['eats', 500],
    ['never', 504],
    ['forever', 504],
  ] as const) {
    const bad = ask(server, `/${name}`);
    t.ok((await others(bad)) > 0, 'others are answered meanwhile');
    t.equal((await bad).status, status, name);
    t.equal(await pong(server), 'Hello /ping', `after ${name}`);
  }
  t.match(await executor.run(MODULE, 'neverEnds').catch((error: unknown) => error), { status: 504 });
  for (const name of ['leaves', 'hangs'] as const) {
    t.match((await ask(server, `/${name}`)).text, 'cut', name);
    t.equal(await pong(server), 'Hello /ping', `after ${name}`);
  }
  await eventually('threads that were lost are counted', () => executor.metrics().lostThreads === 5);
  t.equal(executor.metrics().timedOut, 4);
});

t.test('a client that leaves, and a deadline, are told in the thread', async (t) => {
  const executor = threads(t, { concurrency: 3 });
  const count = counter(executor);
  const app = site(executor, ['watches', 'polls', 'hello'], [timeout({ timeoutMs: 1500 }) as App]);
  const server = await listen(t, app);
  await pong(server);
  for (const name of ['watches', 'polls']) {
    const before = await count('aborts');
    const { request } = open(server, `/${name}`);
    request.end();
    await eventually('the call has begun', () => executor.metrics().running === 1);
    request.destroy();
    await eventually(`${name}: an abort`, async () => (await count('aborts')) === before + 1);
    t.equal((await ask(server, `/${name}`)).status, 503, `${name}: a deadline`);
    await eventually(`${name}: a deadline`, async () => (await count('aborts')) === before + 2);
  }
  t.equal(executor.metrics().lostThreads, 0);
});

t.test('a thread that cannot come up is an error at once', async (t) => {
  const executor = threads(t, { resourceLimits: { maxOldGenerationSizeMb: 1 } });
  await t.rejects(executor.run(MODULE, 'add', 1, 1), {
    code: 'ERR_EXECUTOR_THREAD',
    message: /memory limit/,
  });
});

t.test('an upload may take longer than a call, and one that stops is 408', async (t) => {
  const executor = threads(t, { timeoutMs: 1200 });
  const server = await listen(t, site(executor, ['readsByLines', 'hello']));
  await pong(server);
  const { request, answered } = open(server, '/readsByLines', {
    method: 'POST',
    headers: { 'transfer-encoding': 'chunked' },
  });
  for (let i = 0; i < 20; i++) {
    request.write('x'.repeat(500));
    await new Promise((go) => setTimeout(go, 100));
  }
  request.end();
  t.equal((await answered).statusCode, 200);
  const stopped = open(server, '/readsByLines', { method: 'POST', headers: { 'content-length': '10' } });
  stopped.request.write('x');
  t.equal((await stopped.answered).statusCode, 408);
  stopped.request.destroy();
});

t.test('a fast call does not wait behind a slow one while a thread is idle', async (t) => {
  const executor = threads(t, { maxThreads: 2, minThreads: 2 });
  const warm = [1, 2, 3, 4].map(() => executor.run(MODULE, 'sleepSync', 300));
  await Promise.all(warm);
  t.equal(executor.metrics().threads, 2);
  const ended: string[] = [];
  const slow = executor.run(MODULE, 'sleepSync', 2000).then(() => ended.push('slow'));
  const fast = Array.from({ length: 10 }, () =>
    executor.run(MODULE, 'add', 1, 1).then(() => ended.push('fast')),
  );
  await Promise.all([slow, ...fast]);
  t.same(ended, [...fast.map(() => 'fast'), 'slow']);
});

t.test('calls of all kinds spread over threads, and idle threads end', async (t) => {
  const executor = threads(t, { maxThreads: 3, minThreads: 1, idleTimeoutMs: 100 });
  const used = await Promise.all(Array.from({ length: 12 }, () => executor.run(MODULE, 'sleepSync', 500)));
  t.ok(new Set(used).size > 1, `${new Set(used).size} threads`);
  await eventually('threads end', () => executor.metrics().threads === 1);
  t.equal(await executor.run(MODULE, 'add', 1, 1), 2);
});

t.test('an upload has its turn, however many other calls come', async (t) => {
  const executor = threads(t);
  const server = await listen(t, site(executor, ['readsByLines', 'hello']));
  let isDone = false;
  const flood = Promise.all(
    Array.from({ length: 8 }, async () => {
      while (!isDone) await executor.run(MODULE, 'add', 1, 1);
    }),
  );
  const upload = await ask(server, '/readsByLines', { method: 'POST', body: 'x'.repeat(200_000) });
  isDone = true;
  await flood;
  t.equal(upload.text, '200000');
});

t.test('close drains, and ends what does not end', async (t) => {
  const own = createFromQuickStart({ maxThreads: 1 });
  t.equal(createFromQuickStart, createExecutor);
  t.same([fromQuickStart, offloadFromQuickStart], [middlewareInExecutor, offload]);
  const app = new WsgiHandler([
    mount('/wait', fromQuickStart(MODULE, { name: 'wait' })),
    mount('/forever', fromQuickStart(MODULE, { name: 'forever' })),
    mount('/own', fromQuickStart(MODULE, { name: 'hello', executor: own })),
  ]);
  const server = await serve(app, { bind: '127.0.0.1:0', logLevel: 'silent', threadWorkers: 2 });
  await ask(server, '/wait?1');
  const last = ask(server, '/wait?400');
  const endless = fetch(new URL('/forever', server.url)).then(
    () => 'answered',
    () => 'cut',
  );
  await ask(server, '/own');
  const began = performance.now();
  await server.close({ timeoutMs: 1500 });
  t.equal((await last).status, 200);
  t.equal(await endless, 'cut');
  t.ok(performance.now() - began < 15_000);
  t.equal(await own.run(MODULE, 'add', 1, 1), 2, 'a pool of its own is not closed');
  await own.close();
});
