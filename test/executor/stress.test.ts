/** The executor under strain: many calls, many aborts, operations at random, and what is left after them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';
import { createExecutor, middlewareInExecutor } from '../../src/executor/index.js';
import { type App, serve, WsgiHandler, waitForBody } from '../../src/index.js';
import { ask, createGate, eventually, listen, MODULE, open, site, threads } from '../support/threads.js';

t.setTimeout(280_000);

t.test('a fast call does not wait behind a slow one while a thread is idle', async (t) => {
  const executor = threads(t, { maxThreads: 2, minThreads: 2 });
  const both = createGate();
  const held = [1, 2].map(() => executor.run(MODULE, 'holdAt', both.shared));
  await eventually('two threads', () => executor.metrics().running === 2);
  both.open();
  await Promise.all(held);
  const one = createGate();
  const slow = executor.run(MODULE, 'holdAt', one.shared);
  // Before the gate opens: one that waited behind the slow call would wait for ever.
  await Promise.all(Array.from({ length: 10 }, () => executor.run(MODULE, 'add', 1, 1)));
  one.open();
  await slow;
});

t.test('calls of all kinds spread over threads, and idle threads end', async (t) => {
  const executor = threads(t, { maxThreads: 3, minThreads: 1, idleTimeoutMs: 100 });
  const gate = createGate();
  const held = [1, 2, 3].map(() => executor.run(MODULE, 'holdAt', gate.shared));
  await eventually('three threads', () => executor.metrics().running === 3);
  gate.open();
  t.equal(new Set(await Promise.all(held)).size, 3, 'each has a thread of its own');
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

t.test('an upload may take longer than a call, and one that stops is 408', async (t) => {
  const timeoutMs = 1500;
  const executor = threads(t, { timeoutMs });
  const server = await listen(t, site(executor, ['readsByLines', 'hello']));
  await eventually('a thread', async () => (await ask(server, '/hello')).status === 200);
  const upload = async () => {
    const { request, answered } = open(server, '/readsByLines', {
      method: 'POST',
      headers: { 'transfer-encoding': 'chunked' },
    });
    let last = performance.now();
    let longestMs = 0;
    for (const end = last + 1.5 * timeoutMs; last < end; ) {
      request.write('x'.repeat(500));
      await new Promise((go) => setTimeout(go, 50));
      longestMs = Math.max(longestMs, performance.now() - last);
      last = performance.now();
    }
    request.end();
    return { status: (await answered).statusCode, longestMs };
  };
  // On a machine that has stood still meanwhile it means nothing.
  let { status, longestMs } = await upload();
  while (status !== 200 && longestMs > timeoutMs / 4) ({ status, longestMs } = await upload());
  t.equal(status, 200);
  const stopped = open(server, '/readsByLines', { method: 'POST', headers: { 'content-length': '10' } });
  stopped.request.write('x');
  t.equal((await stopped.answered).statusCode, 408);
  stopped.request.destroy();
});

t.test('nothing is left: timers, listeners, ports', async (t) => {
  const executor = createExecutor({ maxThreads: 1, concurrency: 2 });
  const server = await serve(site(executor, ['hello', 'watches', 'reads'], [waitForBody() as App]), {
    bind: '127.0.0.1:0',
    logLevel: 'silent',
  });
  await ask(server, '/hello');
  for (let i = 0; i < 100; i++) {
    await Promise.all(Array.from({ length: 100 }, () => executor.run(MODULE, 'add', i, 1)));
  }
  for (let i = 0; i < 20; i++) {
    const held = Array.from({ length: 10 }, () => open(server, '/watches').request.end());
    await eventually('calls have begun', () => executor.metrics().running > 0);
    for (const one of held) one.destroy();
    await eventually('calls are over', () => {
      const { running, waiting } = executor.metrics();
      return running + waiting === 0;
    });
  }
  t.match(executor.metrics(), { lostThreads: 0, threads: 1, waiting: 0 });
  t.ok(executor.metrics().completed >= 10_000);
  await server.close();
  await executor.close();
  // What is left would keep a process up.
  const script = `
    import { createExecutor } from ${JSON.stringify(new URL('../../dist/executor/index.js', import.meta.url).href)};
    const executor = createExecutor({ maxThreads: 2 });
    const url = ${JSON.stringify(MODULE.href)};
    await Promise.all([1, 2, 3].map((n) => executor.run(url, 'add', n, n)));
    await executor.close();
    process.stdout.write('closed');
  `;
  const child = spawn(process.execPath, ['--max-old-space-size=300', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (bytes) => {
    output += String(bytes);
  });
  const [code] = await once(child, 'close');
  t.same([code, output], [0, 'closed']);
});

t.test('operations at random settle, each with its own answer', async (t) => {
  const executor = threads(t, { maxThreads: 3, ahead: 3, timeoutMs: 8000, killAfterMs: 100, maxQueue: 50 });
  const names = ['hello', 'reads', 'readsFirst', 'bodies', 'throws', 'endless', 'exits', 'watches'] as const;
  const echo: App = async ({ 'wsgi.input': input }, start) => {
    const bytes = await input.read();
    start('200 OK', [['Content-Type', 'text/plain']]);
    return [bytes];
  };
  const server = await listen(
    t,
    new WsgiHandler([
      site(
        executor,
        names.filter((n) => n !== 'readsFirst'),
      ) as App,
    ]),
  );
  const passing = await listen(
    t,
    new WsgiHandler([middlewareInExecutor(MODULE, { name: 'readsFirst', executor }), echo]),
  );
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * below);
  };
  let calls = 0;
  const wrong: string[] = [];
  const expect = (isRight: boolean, what: string) => {
    calls++;
    if (!isRight) wrong.push(what);
  };
  // A thread that died, or a queue that is full, are among the answers.
  const failed = (status: number) => [408, 500, 503, 504].includes(status);
  const operations: (() => Promise<void>)[] = [
    async () => {
      const n = random(1000);
      const sum = await executor.run(MODULE, 'add', n, 1).catch(() => n + 1);
      expect(sum === n + 1, `add ${String(sum)}`);
    },
    async () => {
      const path = `/p${random(1_000_000)}`;
      const { status, text } = await ask(server, `/hello${path}`);
      expect(text === `Hello ${path}` || failed(status), `hello ${status} ${text}`);
    },
    async () => {
      const body = String(random(10)).repeat(random(200_000));
      const { status, text } = await ask(server, '/reads?read', { method: 'POST', body });
      expect(text === body || failed(status), `reads ${status} ${text.length}`);
    },
    async () => {
      const body = Array.from({ length: random(40_000) }, (_, i) => i).join(',');
      const { status, text } = await ask(passing, '/', { method: 'POST', body });
      expect(text === body.slice(5) || failed(status) || text === 'cut', `passed ${status} ${text.length}`);
    },
    async () => {
      const { status, text } = await ask(server, '/bodies?large');
      expect(text.length === 3_000_000 || failed(status) || text === 'cut', `large ${status} ${text.length}`);
    },
    async () => {
      const { status } = await ask(server, '/throws?http');
      expect(status === 404 || failed(status), `throws ${status}`);
    },
    async () => {
      const { request } = open(server, random(2) === 0 ? '/endless' : '/watches');
      request.end();
      await new Promise((go) => setTimeout(go, random(60)));
      request.destroy();
      expect(true, '');
    },
    async () => {
      if (random(12) === 0) expect(failed((await ask(server, '/exits')).status), 'exits');
    },
    async () => {
      if (random(25) === 0) await executor.reload();
    },
  ];
  let left = 300;
  await Promise.all(
    Array.from({ length: 12 }, async () => {
      while (left-- > 0) await operations[random(operations.length)]?.();
    }),
  );
  t.same(wrong, []);
  t.ok(calls > 150, `${calls} calls`);
  await eventually('all is over', () => {
    const { running, waiting } = executor.metrics();
    return running + waiting === 0;
  });
  t.equal(await executor.run(MODULE, 'add', 1, 1), 2);
});
