import { once } from 'node:events';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { eventually } from './support/eventually.js';
import { runProgram, startProgram } from './support/run-example.js';
import { makeFolder } from './support/run-in-folder.js';
import { startScript } from './support/script.js';
import { ask, childrenOf, isAlive, PROGRAM, pidsOf, startServed } from './support/workers.js';

for (const gateway of ['uws', 'node'] as const) {
  t.test(`workers share an address: ${gateway}`, async (t) => {
    const served = await startServed(t, ['-w', '3', '--gateway', gateway], { HOOKS: '1' });
    await served.said(/hook whenReady/);
    t.match(
      served.lines.at(-2) ?? '',
      new RegExp(`^vela: ready on ${served.url} \\(${gateway}, 3 workers, pid ${served.pid}\\)$`),
    );
    const workers = childrenOf(served.pid);
    t.equal(workers.length, 3);
    await eventually('each worker answers', async () => {
      const pids = await pidsOf(served.url, 30);
      return pids.every((pid) => workers.includes(pid)) && pids.length === 3;
    });
    t.equal((await ask(served.url, '/multi')).text, 'true');
    t.equal(await served.stop(), 0);
    const started = workers.map((pid) => `hook workerStart ${pid}`);
    const stopped = workers.map((pid) => `hook workerStop ${pid}`);
    const sorted = [
      ...served.lines.slice(0, 1),
      ...served.lines.slice(1, 4).sort(),
      ...served.lines.slice(4, 8),
      ...served.lines.slice(8, 11).sort(),
      ...served.lines.slice(11),
    ];
    t.same(sorted, [
      'hook monitorStart',
      ...started.sort(),
      served.lines[4],
      'hook whenReady',
      'vela: SIGTERM, stopping',
      'hook monitorStop',
      ...stopped.sort(),
      'vela: bye (exit code = 0)',
    ]);
    for (const pid of workers) t.notOk(isAlive(pid));
  });

  t.test(`a server stops when its requests are done: ${gateway}`, async (t) => {
    const served = await startServed(t, ['--gateway', gateway]);
    const agent = new Agent({ keepAlive: true });
    t.teardown(() => agent.destroy());
    const { hostname, port } = new URL(served.url);
    const idle = connect(Number(port), hostname);
    await once(idle, 'connect');
    idle.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n');
    await once(idle, 'data');
    const idleEnd = once(idle.resume(), 'close');
    const slow = ask(served.url, '/slow', agent);
    const stream = ask(served.url, '/stream');
    // Both are under way.
    await sleep(300);
    const end = served.stop();
    await served.said(/SIGTERM, stopping/);
    const [slowly, streamed] = await Promise.all([slow, stream]);
    t.match(slowly.text, /^slow \d+$/);
    t.equal(slowly.response.headers.connection, 'close', 'a connection that could be kept is told to close');
    t.equal(streamed.text, '0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n');
    await idleEnd;
    t.equal(await end, 0);
    t.equal(served.lines.at(-1), 'vela: bye (exit code = 0)');
  });
}

t.test('a second signal does not wait', async (t) => {
  const served = await startServed(t);
  const cut = ask(served.url, '/slow').catch((error: NodeJS.ErrnoException) => error.code);
  await sleep(300);
  process.kill(served.pid, 'SIGINT');
  await served.said(/SIGINT, stopping/);
  process.kill(served.pid, 'SIGINT');
  t.equal(await served.ended, 1);
  t.equal(await cut, 'ECONNRESET');
});

t.test('a worker that dies is replaced, while the others serve', async (t) => {
  const served = await startServed(t, ['-w', '2']);
  for (const [path, said] of [
    ['/exit', /is down: exit/],
    ['/throw', /is down: error/],
  ] as const) {
    const before = childrenOf(served.pid);
    await ask(served.url, path).catch(() => undefined);
    await served.said(said);
    await eventually('there are two again', async () => (await pidsOf(served.url)).length === 2);
    t.equal(
      childrenOf(served.pid).filter((pid) => before.includes(pid)).length,
      1,
      `one of two after ${path}`,
    );
  }
  const [victim, other] = childrenOf(served.pid) as [number, number];
  process.kill(victim, 'SIGKILL');
  await eventually('the victim is gone', () => !isAlive(victim));
  t.equal((await ask(served.url)).text, String(other));
  await eventually('there are two again', async () => (await pidsOf(served.url)).length === 2);
  t.equal(await served.stop(), 0);
});

t.test('a worker whose loop is held is killed, and the log says by what', async (t) => {
  const served = await startServed(t, ['-w', '2', '--worker-timeout-ms', '1500']);
  const startMs = performance.now();
  const held = ask(served.url, '/loop').catch((error: NodeJS.ErrnoException) => error.code);
  const [line] = await served.said(/.*has been held.*/);
  t.match(JSON.parse(line), {
    request: 'GET /loop',
    actor: /^wsgi-\d$/,
    frames: [/^at \/loop \(file:.*served\.mjs:\d+\)$/],
  });
  // A connection may go to the one that is held, too.
  const others = Array.from({ length: 8 }, () => pidsOf(served.url, 1).catch(() => []));
  t.equal((await Promise.race(others)).length, 1, 'others answer meanwhile');
  t.equal(await held, 'ECONNRESET');
  t.ok(performance.now() - startMs < 1500 + 3000, 'within its time and three seconds');
  // What had come to the one that was killed is reset.
  const pids = () => pidsOf(served.url).catch(() => []);
  await eventually('there are two again', async () => (await pids()).length === 2);
});

t.test('a worker without a watchdog is killed when its loop is held, and nobody says by what', async (t) => {
  const served = await startServed(t, ['--no-watchdog', '--worker-timeout-ms', '1500']);
  const [worker] = childrenOf(served.pid) as [number];
  t.equal(await ask(served.url, '/loop').catch((error: NodeJS.ErrnoException) => error.code), 'ECONNRESET');
  await served.said(/is down: timeout/);
  await served.said(/is there again/);
  t.notMatch(served.log(), /has been held/);
  t.not((await ask(served.url)).text, String(worker));
});

t.test('SIGHUP puts new workers in the place of the old ones', async (t) => {
  const folder = makeFolder(t);
  const broken = join(folder, 'broken');
  const config = join(folder, 'vela.config.json');
  writeFileSync(config, '{ "workers": 2 }');
  const served = await startServed(t, ['--config', config], { BROKEN_WHEN: broken, VELA_LOG_FORMAT: 'text' });
  const first = childrenOf(served.pid);
  t.equal(first.length, 2);
  process.kill(served.pid, 'SIGHUP');
  await served.said(/^vela: reloaded$/m);
  const second = childrenOf(served.pid);
  t.equal(second.length, 2);
  t.notOk(second.some((pid) => first.includes(pid)));

  writeFileSync(broken, '');
  process.kill(served.pid, 'SIGHUP');
  await served.said(/"wsgi" was not reloaded, and serves on as it was/);
  t.match(served.log(), /broken at load/);
  t.notMatch(served.log(), /was not reloaded.*\n +at /, 'the stack of it is there once');
  t.same(await pidsOf(served.url), second, 'a version that does not start changes nothing');

  rmSync(broken);
  writeFileSync(config, '{ "workers": "many" }');
  process.kill(served.pid, 'SIGHUP');
  await served.said(/not reloaded[^\n]*workers" in [^\n]*vela\.config\.json must be a whole number/);
  t.same(childrenOf(served.pid), second);

  writeFileSync(config, '{ "workers": 3 }');
  process.kill(served.pid, 'SIGHUP');
  await eventually('settings are read anew', () => childrenOf(served.pid).length === 3);
  t.equal(await served.stop(), 0);
});

t.test('no request fails while workers are replaced one after the other', async (t) => {
  for (const gateway of ['uws', 'node']) {
    const served = await startServed(t, ['-w', '2', '--gateway', gateway]);
    const agent = new Agent({ keepAlive: true, maxSockets: 4 });
    const codes: (number | undefined)[] = [];
    const failures: string[] = [];
    let isOver = false;
    const load = Array.from({ length: 4 }, async () => {
      while (!isOver)
        await ask(served.url, '/', agent).then(
          ({ response }) => codes.push(response.statusCode),
          (error: Error) => failures.push(error.message),
        );
    });
    for (let round = 1; round <= 3; round++) {
      process.kill(served.pid, 'SIGHUP');
      await eventually(
        'it is reloaded',
        () => served.lines.filter((line) => line === 'vela: reloaded').length === round,
      );
    }
    isOver = true;
    await Promise.all(load);
    agent.destroy();
    t.ok(codes.length > 100, `${codes.length} requests on ${gateway}`);
    t.ok(codes.every((code) => code === 200));
    // A connection that is kept may be closed in the moment in which a client writes (RFC 9112 section 9.5).
    t.ok(failures.length <= 3, `${failures.length} failures: ${failures.join(', ')}`);
    t.equal(await served.stop(), 0);
  }
});

t.test('SIGTTIN and SIGTTOU change how many there are', async (t) => {
  const served = await startServed(t, ['-w', '1']);
  process.kill(served.pid, 'SIGTTIN');
  await eventually('two', () => childrenOf(served.pid).length === 2);
  await served.said(/wsgi.* has 2 workers/);
  for (const _ of [1, 2]) process.kill(served.pid, 'SIGTTOU');
  await eventually('one is the least', () => childrenOf(served.pid).length === 1);
  t.match(await pidsOf(served.url), childrenOf(served.pid));
});

t.test('one more that does not come up leaves the number as it was', async (t) => {
  const broken = join(makeFolder(t), 'broken');
  const served = await startServed(t, [], { BROKEN_WHEN: broken });
  writeFileSync(broken, '');
  process.kill(served.pid, 'SIGTTIN');
  await served.said(/could not be scaled to 2, and has 1: /);
  rmSync(broken);
  process.kill(served.pid, 'SIGTTIN');
  await eventually('two', async () => (await pidsOf(served.url)).length === 2);
  t.notMatch(served.log(), /has 3 workers/);
  t.equal(childrenOf(served.pid).length, 2);
  t.equal(await served.stop(), 0);
});

t.test('workers have no inspector', async (t) => {
  const script = startScript(
    t,
    makeFolder(t),
    `import { WsgiServer } from 'DIST/index.js';
    console.log(JSON.stringify(process.env.NODE_OPTIONS ?? 'none'));
    process.env.NODE_OPTIONS = '--no-warnings --inspect=127.0.0.1:0 --inspect-port 0 --max-http-header-size=20000 --inspect-brk';
    const hooks = { whenReady: () => process.send('ready') };
    await new WsgiServer(() => [], { bind: '127.0.0.1:0', hooks }).start();`,
  );
  t.equal(await script.next(), 'ready');
  process.kill(script.pid, 'SIGTERM');
  const { code, stdout, stderr } = await script.ended;
  t.same([code, stderr], [0, '']);
  t.match(stdout, /^"none"\n"--no-warnings +--max-http-header-size=20000"\n/);
});

t.test('workers are replaced after so many requests, with so much memory, at such an age', async (t) => {
  for (const [flags, path, why] of [
    [['--max-requests', '10', '--max-requests-jitter', '5'], '/', /it has served 1[0-5] requests/],
    [['--max-worker-memory-bytes', '300000000'], '/leak', /\d+ bytes are resident/],
    [['--max-worker-age-ms', '1000'], '/', /"maxWorkerAgeMs\\?"/],
  ] as const) {
    const served = await startServed(t, ['-w', '1', ...flags]);
    const [first] = childrenOf(served.pid);
    let last = 0;
    await eventually(`another one answers ${flags.join(' ')}`, async () => {
      await sleep(30);
      // A connection that waits at a listener that closes is reset, unless net.ipv4.tcp_migrate_req is 1.
      last = Number((await ask(served.url, path).catch(() => ({ text: String(first) }))).text);
      return last !== first;
    });
    t.match(served.log(), why);
    t.equal(await served.stop(), 0);
  }
});

t.test('a program whose workers do not come up ends, and says why', async (t) => {
  const broken = join(makeFolder(t), 'broken');
  writeFileSync(broken, '');
  for (const [env, flags, pattern] of [
    [
      { BROKEN_WHEN: broken },
      [],
      /Error: broken at load[\s\S]*^vela: The worker "wsgi-1" did not start: its process ended with exit code 1/m,
    ],
    [
      { NEVER_STARTS: '1' },
      [],
      /^vela: The worker "wsgi-1" did not start: its process ended with exit code 0 [^\n]*start\(\)/m,
    ],
    [{}, ['--worker-start-timeout-ms', '1'], /^vela: .*"workerStartTimeoutMs", 1 ms/m],
  ] as const) {
    const program = runProgram(t, [PROGRAM, ...flags], env);
    t.equal(await program.ended, 1);
    t.match(program.log(), pattern);
    t.equal(program.lines.filter((line) => line.startsWith('vela: ready')).length, 0);
  }
  const piece = `import { WsgiServer } from 'vela'; await new WsgiServer(() => [], { bind: 0 }).start();`;
  const program = runProgram(t, ['--input-type=module', '-e', piece], { VELA_WORKERS: '2' });
  t.equal(await program.ended, 2);
  t.match(program.log(), /^vela: Option "workers" \(VELA_WORKERS\) needs a script that can be run again/m);
  const alone = await startProgram(t, ['--input-type=module', '-e', piece]);
  t.same(childrenOf(alone.pid), [], 'by default it serves in its only process then');
});

t.test('workers do not outlive the main process', async (t) => {
  const served = await startServed(t, ['-w', '2']);
  const workers = childrenOf(served.pid);
  void ask(served.url, '/loop').catch(() => undefined);
  await sleep(200);
  process.kill(served.pid, 'SIGKILL');
  await served.ended;
  const startMs = performance.now();
  await eventually('they are gone', () => !workers.some(isAlive));
  t.ok(performance.now() - startMs < 5000, 'after five seconds, also one whose loop is held');
  const { hostname, port } = new URL(served.url);
  const probe = createServer().listen(Number(port), hostname);
  await once(probe, 'listening');
  probe.close();
});

t.test('workers on a unix socket', async (t) => {
  const path = join(makeFolder(t), 'app.sock');
  const two = runProgram(t, [PROGRAM, '-w', '2', '-b', `unix:${path}`]);
  t.equal(await two.ended, 2);
  t.match(
    two.log(),
    /^vela: Option "bind" \(--bind\) has a unix socket, which 2 workers can share on the node gateway only/,
  );
  for (const [gateway, workers] of [
    ['uws', '1'],
    ['node', '2'],
  ] as const) {
    const served = await startServed(t, ['-w', workers, '-b', `unix:${path}`, '--gateway', gateway]);
    t.equal(served.url, `unix:${path}`);
    const before = Number((await ask(served.url)).text);
    process.kill(served.pid, 'SIGHUP');
    await served.said(/^vela: reloaded$/m);
    t.not(Number((await ask(served.url)).text), before, `it goes on after a reload: ${gateway}`);
    t.equal(await served.stop(), 0);
    t.notOk(existsSync(path), 'and its file goes with it');
  }
});

t.test('workers: 0 serves in the main process', async (t) => {
  const served = await startServed(t, ['-w', '0'], { HOOKS: '1' });
  t.same(childrenOf(served.pid), []);
  t.same(await pidsOf(served.url, 2), [served.pid]);
  t.equal((await ask(served.url, '/multi')).text, 'false');
  process.kill(served.pid, 'SIGHUP');
  await served.said(/has no workers of its own/);
  const slow = ask(served.url, '/slow');
  await sleep(200);
  t.equal(await served.stop(), 0);
  t.equal((await slow).text, `slow ${served.pid}`);
  t.same(
    served.lines.filter((line) => line.startsWith('hook')),
    [
      'hook monitorStart',
      `hook workerStart ${served.pid}`,
      'hook whenReady',
      `hook workerStop ${served.pid}`,
      'hook monitorStop',
    ],
  );
});
