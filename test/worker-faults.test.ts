/** What goes wrong around a server with workers, and what an operator does at the wrong moment. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import t from 'tap';
import { eventually } from './support/eventually.js';
import { plainEnvironment, runProgram } from './support/run-example.js';
import { makeFolder } from './support/run-in-folder.js';
import { ask, childrenOf, isAlive, PROGRAM, startServed } from './support/workers.js';

/** Whether a request is, at the worker that is asked. */
async function isUnderWay(url: string): Promise<boolean> {
  return (await ask(url, '/under-way')).text.startsWith('1 at ');
}

t.test('a server goes on when nobody reads its output', async (t) => {
  const child = spawn(process.execPath, [PROGRAM], {
    env: plainEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const [ready] = (await once(child.stdout, 'data')) as [Buffer];
  const url = /on (\S+)/.exec(String(ready))?.[1] ?? '';
  const pid = child.pid as number;
  const [first] = childrenOf(pid);
  child.stdout.destroy();
  child.stderr.destroy();
  for (const _ of [1, 2]) t.equal((await ask(url, '/print')).text, String(first), 'the worker is the same');
  child.kill('SIGHUP');
  await eventually('it is reloaded', () => first !== undefined && !isAlive(first));
  t.same(Number((await ask(url, '/print')).text), childrenOf(pid)[0]);
  const held = ask(url, '/hold');
  await eventually('the request is under way', () => isUnderWay(url));
  child.kill('SIGTERM');
  t.equal((await held).text, 'held', 'requests under way are answered');
  t.same(await once(child, 'exit'), [0, null]);
});

t.test(
  'a program that writes into the channel of its worker loses that worker, and nothing else',
  async (t) => {
    const served = await startServed(t);
    // Text that is none, what cannot be deserialized, a length that nobody sends.
    for (const bytes of [
      '0300000000' + '7b7b7b',
      '0200000001' + 'ffff',
      'ffffffff00',
      '7b22666f6f223a317d0a',
    ]) {
      const [worker] = childrenOf(served.pid) as [number];
      t.equal((await ask(served.url, `/scribble?${bytes}`)).text, String(worker), bytes);
      await eventually('another one answers', async () => {
        const { text } = await ask(served.url, '/').catch(() => ({ text: String(worker) }));
        return text !== String(worker);
      });
    }
    t.match(served.log(), /is down/);
    t.equal(await served.stop(), 0);
  },
);

t.test('a program that is forked is no worker, whatever its environment says', async (t) => {
  const child = spawn(process.execPath, [PROGRAM], {
    env: { ...plainEnvironment(), VELA_WORKER: 'wsgi' },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const ready = await Promise.race([once(child.stdout as Readable, 'data'), once(child, 'exit')]);
  t.match(String(ready[0]), /^vela: ready on/);
  child.kill('SIGTERM');
  t.same(await once(child, 'exit'), [0, null]);
});

t.test('a worker is added while another one is still leaving', async (t) => {
  const served = await startServed(t, ['-w', '1']);
  const [first] = childrenOf(served.pid) as [number];
  process.kill(served.pid, 'SIGTTIN');
  await eventually('two', () => childrenOf(served.pid).length === 2);
  const [last] = childrenOf(served.pid).filter((pid) => pid !== first) as [number];
  // Until one of them is at the worker that leaves.
  const held: Promise<{ text: string }>[] = [];
  await eventually('it has a request', async () => {
    held.push(ask(served.url, '/hold'));
    const { text } = await ask(served.url, '/under-way');
    return text.endsWith(` at ${last}`) && !text.startsWith('0');
  });
  process.kill(served.pid, 'SIGTTOU');
  await served.said(/has 1 workers?/);
  process.kill(served.pid, 'SIGTTIN');
  await eventually('three', () => childrenOf(served.pid).length === 3);
  t.ok(isAlive(last), 'the one that leaves is still there');
  process.kill(served.pid, 'SIGTERM');
  await Promise.all(held);
  t.equal(await served.ended, 0);
});

t.test('a worker that loads for ever does not hold up the end', async (t) => {
  const program = runProgram(t, [PROGRAM, '-w', '2'], { LOADS_FOREVER: '1' });
  await program.said(/loads for ever\nloads for ever/);
  const workers = childrenOf(program.pid);
  t.equal(workers.length, 2);
  process.kill(program.pid, 'SIGTERM');
  const startMs = performance.now();
  t.equal(await program.ended, 0);
  t.ok(performance.now() - startMs < 10_000, 'not the 30 s that requests have');
  t.notOk(workers.some(isAlive));
  t.notMatch(program.log(), /is down/, 'that is no failure');
});

for (const gateway of ['uws', 'node'] as const) {
  t.test(`a second signal leaves no files behind: ${gateway}`, async (t) => {
    const folder = makeFolder(t);
    const flags = ['-b', `unix:${join(folder, 'app.sock')}`, '--pid-file', join(folder, 'app.pid')];
    const served = await startServed(t, ['--gateway', gateway, ...flags]);
    t.equal(readdirSync(folder).length, 2);
    const held = ask(served.url, '/hold').catch((error: NodeJS.ErrnoException) => error.code);
    await eventually('it is under way', () => isUnderWay(served.url));
    process.kill(served.pid, 'SIGTERM');
    await served.said(/SIGTERM, stopping/);
    process.kill(served.pid, 'SIGQUIT');
    t.equal(await served.ended, 1);
    t.equal(await held, 'ECONNRESET');
    t.same(readdirSync(folder), []);
  });

  t.test(`of servers that start at once on an address one has it: ${gateway}`, async (t) => {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as { port: number };
    probe.close();
    const path = join(makeFolder(t), 'app.sock');
    for (const bind of [`127.0.0.1:${port}`, `unix:${path}`]) {
      const programs = [1, 2].map(() => runProgram(t, [PROGRAM, '-b', bind, '--gateway', gateway]));
      const ends = await Promise.all(
        programs.map(({ said, ended }) => Promise.race([said(/^vela: ready/m).then(() => 'ready'), ended])),
      );
      t.same([...ends].sort(), [2, 'ready'], bind);
      t.match(programs[ends.indexOf(2)]?.log(), /^vela: listen EADDRINUSE[^\n]*\n$/);
      t.equal(await programs[ends.indexOf('ready')]?.stop(), 0);
    }
    t.notOk(existsSync(path));
  });
}

t.test('clients that come while a server stops are refused at once', async (t) => {
  const served = await startServed(t, ['--gateway', 'node']);
  const held = ask(served.url, '/hold');
  await eventually('it is under way', () => isUnderWay(served.url));
  const end = served.stop();
  await eventually('refused', () =>
    ask(served.url).then(
      () => false,
      (error: NodeJS.ErrnoException) => error.code === 'ECONNREFUSED',
    ),
  );
  t.equal((await held).text, 'held');
  t.equal(await end, 0);
});
