/** Monitors: what becomes of actors that die. */
import { spawn as spawnProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import {
  type ActorProxy,
  type ChildOptions,
  type CommandRequest,
  type MonitorOptions,
  send,
  spawn,
  watch,
} from '../../src/actors/index.js';
import { compile } from '../support/compile.js';
import { eventually } from '../support/eventually.js';
import { plainEnvironment } from '../support/run-example.js';
import { quiet, refusal, startArbiter } from '../support/start-arbiter.js';

const MODULE = compile('actors');
const PROGRAM = compile('actors-program');
// Without what tap adds to them.
const execArgv: string[] = [];
t.setTimeout(240_000);

/** A file in which actors note when they come up and go down. */
function notes(t: Test) {
  const file = `${t.testdir()}/notes`;
  const read = () => (existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : []);
  const child = (name: string, options: Partial<ChildOptions> = {}): ChildOptions => ({
    module: MODULE,
    export: 'noted',
    name,
    kind: 'thread',
    config: { file },
    execArgv,
    stopTimeoutMs: 30_000,
    ...options,
  });
  return { read, child, file };
}

/** Has an actor leave its thread or process. */
async function leave(target: string | ActorProxy, code: number): Promise<void> {
  const down = watch(target);
  await refusal(() => send(target, 'run', MODULE, 'exits', code));
  await down;
}

const strategies = {
  'one-for-one': ['b up'],
  'one-for-all': ['c down', 'a down', 'a up', 'b up', 'c up'],
  'rest-for-one': ['c down', 'b up', 'c up'],
} as const;

for (const [strategy, expected] of Object.entries(strategies)) {
  t.test(`${strategy}: who is restarted, in which order`, async (t) => {
    const one = await startArbiter(t);
    const { read, child } = notes(t);
    const children = ['a', 'b', 'c'].map((name) => child(name));
    const options = { name: 'pool', strategy, children } as MonitorOptions;
    const monitor = await one.addMonitor(options);
    const before = monitor.workers;
    t.same(read(), ['a up', 'b up', 'c up']);
    await leave('b', 1);
    await eventually('all are there again', () => read().length === 3 + expected.length);
    await eventually('three workers', () => monitor.workers.length === 3);
    t.same(read().slice(3), expected);
    t.not(monitor.workers[1]?.id, before[1]?.id, 'the new one has an id of its own');
    t.equal(monitor.workers[0]?.id === before[0]?.id, strategy !== 'one-for-all');
    await monitor.stop();
    t.same(read().slice(-3), ['c down', 'b down', 'a down'], 'they stop in reverse');
    t.match(await watch('pool'), { reason: 'stopped', actor: { kind: 'monitor' } });
  });
}

t.test('permanent, transient and temporary', async (t) => {
  const one = await startArbiter(t);
  const { read, child } = notes(t);
  const monitor = await one.addMonitor({
    name: 'pool',
    children: (['permanent', 'transient', 'temporary'] as const).map((restart) =>
      child(restart, { restart }),
    ),
  });
  const names = () => monitor.workers.map(({ name }) => name).join();
  await leave('temporary', 1);
  await leave('permanent', 0);
  await eventually('one is back', () => names() === 'permanent,transient');
  await leave('transient', 1);
  await eventually('it is back', () => names() === 'permanent,transient');
  await leave('transient', 0);
  await leave('permanent', 1);
  await eventually('the other is back', () => read().at(-1) === 'permanent up');
  await eventually('only it', () => names() === 'permanent');
  t.equal(read().filter((line) => line === 'temporary up').length, 1);
});

t.test('a monitor gives up, says so, and stops its actors in reverse', async (t) => {
  const lines: unknown[] = [];
  const one = await startArbiter(t, {
    logger: { ...quiet, error: (details, message) => lines.push([details, message]) },
  });
  const { read, child, file } = notes(t);
  const children = [child('a'), child('b'), child('leaves', { export: 'leaves', config: { file, code: 7 } })];
  await one.addMonitor({ name: 'pool', maxRestarts: 2, children });
  const down = await watch('pool');
  t.match(down, { reason: 'gave-up', error: { code: 'ERR_ACTOR_GAVE_UP' } });
  t.same(
    read().filter((line) => line !== 'leaves down'),
    ['a up', 'b up', 'leaves up', 'leaves up', 'leaves up', 'b down', 'a down'],
  );
  t.match(lines, [
    [{ actor: 'pool' }, /^The monitor "pool" gives up, .*"leaves" died, .* 2 restarts within 10000 ms$/],
  ]);
  t.match(await refusal(() => send('pool', 'ping')), { code: 'ERR_ACTOR_DIED', reason: 'gave-up' });
  t.match(await one.info(), { monitors: {}, workers: [] });
});

t.test('a monitor whose actors do not come up is not added', async (t) => {
  const one = await startArbiter(t);
  const { read, child, file } = notes(t);
  const children = [
    child('a'),
    child('b', { export: 'diesFirst', config: { file, dies: true } }),
    child('c'),
  ];
  t.match(await refusal(() => one.addMonitor({ name: 'pool', children })), { message: 'as told' });
  t.same(read(), ['a up', 'b up', 'a down']);
  t.match(await refusal(() => send('pool', 'ping')), { code: 'ERR_ACTOR_DIED' });
  t.ok(await one.addMonitor({ name: 'pool' }), 'the name is free again');
  t.match(await refusal(() => one.addMonitor({ name: 'pool' })), { code: 'ERR_ACTOR_NAME' });
});

t.test('monitors are actors: commands, settings, info', async (t) => {
  const one = await startArbiter(t);
  const { child } = notes(t);
  const heard: (string | undefined)[] = [];
  const code = {
    commands: {
      hear: ({ actor, sender }: CommandRequest) => {
        heard.push(sender?.name);
        return actor.name;
      },
      make: () => spawn({ module: MODULE, export: 'plain', kind: 'thread', execArgv }),
    },
  };
  const monitor = await one.addMonitor({ name: 'pool', code, children: [child('worker', { workers: 2 })] });
  t.same(
    monitor.workers.map(({ name }) => name),
    ['worker-1', 'worker-2'],
  );
  t.equal(await send('worker-1', 'run', MODULE, 'askMonitor'), 'pool');
  t.equal(await send(monitor, 'hear'), 'pool');
  t.same(heard, ['arbiter']);
  t.equal(await send('pool', 'config', 'get', 'workers'), 2);
  t.equal(await send('pool', 'config', 'set', 'workers', 4), true);
  await eventually('four workers', async () => (await monitor.info()).workers?.length === 4);
  t.match(await one.info(), {
    monitors: { pool: { actor: { kind: 'monitor' }, workers: Array(4).fill({}) } },
  });
  await Promise.all(monitor.workers.map((worker) => leave(worker, 1)));
  await eventually('all four again', async () => (await monitor.info()).workers?.length === 4);
  await monitor.scale(1);
  t.same(
    monitor.workers.map(({ name }) => name),
    ['worker-1'],
  );
  t.match(await refusal(() => send('pool', 'config', 'set', 'workers', -1)), /"workers" of config must be/);
  t.match(await refusal(() => monitor.scale(1.5)), /"workers" of scale must be an integer/);
  const made = (await send('pool', 'make')) as ActorProxy;
  t.same(monitor.workers.at(-1), made, 'it looks after those that its own code spawns');
  t.equal(await send('arbiter', 'kill_actor', monitor.proxy), `killed ${monitor.proxy.id}`);
  t.match(await watch('worker-1'), { reason: 'stopped' });
  t.match(await watch(made), { reason: 'stopped' });
});

t.test('mistakes in monitors are told at once', async (t) => {
  const one = await startArbiter(t);
  const { child } = notes(t);
  const cases: [options: object, message: RegExp][] = [
    [{}, /"name" of addMonitor must be text other than/],
    [
      { name: 'a', strategy: 'all' },
      /"strategy" of addMonitor must be 'one-for-one', 'one-for-all', 'rest-for-one'/,
    ],
    [{ name: 'a', maxRestarts: -1 }, /"maxRestarts" of addMonitor must be an integer from 0/],
    [{ name: 'a', children: child('b') }, /"children" of addMonitor must be an array/],
    [
      { name: 'a', children: [child('b', { restart: 'never' as never })] },
      /"restart" of children\[0\] of addMonitor/,
    ],
    [
      { name: 'a', children: [{ ...child('b'), worker: 5 }] },
      /no option "worker" \(did you mean "workers"\?\)/,
    ],
    [{ name: 'a', childs: [] }, /no option "childs"/],
  ];
  for (const [options, message] of cases)
    t.match(await refusal(() => one.addMonitor(options as never)), { message });
});

/** Process ids that are there. */
const alive = (ids: readonly number[]) => ids.filter((id) => existsSync(`/proc/${id}`) && !isZombie(id));
const isZombie = (id: number) => {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${id}/status`, 'utf8'));
  } catch {
    return true;
  }
};
const hasProc = existsSync('/proc/self/fd');

/** Starts a program with an arbiter. */
async function startProgram(t: Test, file: string, ...flags: string[]) {
  const child = spawnProcess(process.execPath, [fileURLToPath(PROGRAM), file, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: plainEnvironment(),
  });
  t.teardown(() => child.kill('SIGKILL'));
  const ended = once(child, 'close');
  const [line] = await once(createInterface(child.stdout), 'line');
  const ids = JSON.parse(line as string) as number[];
  return { child, ended, ids: ids.filter((id) => id !== child.pid) };
}

t.test('no process is left when the arbiter is killed', { skip: !hasProc && 'needs /proc' }, async (t) => {
  const { read, file } = notes(t);
  const { child, ended, ids } = await startProgram(t, file);
  t.equal(alive(ids).length, 3);
  const began = performance.now();
  child.kill('SIGKILL');
  await ended;
  await eventually('all are gone', () => alive(ids).length === 0);
  t.comment(`gone after ${Math.round(performance.now() - began)} ms`);
  t.same(read().slice(4).sort(), ['a down', 'b down', 'c down'], 'their hooks were called');
});

t.test('nor one whose loop is blocked', { skip: !hasProc && 'needs /proc' }, async (t) => {
  const { child, ended, ids } = await startProgram(t, notes(t).file, 'blocks');
  t.equal(alive(ids).length, 3);
  const began = performance.now();
  child.kill('SIGKILL');
  await ended;
  await eventually('all are gone', () => alive(ids).length === 0);
  t.comment(`gone after ${Math.round(performance.now() - began)} ms`);
});

t.test('a signal stops all, with 0', { skip: !hasProc && 'needs /proc' }, async (t) => {
  const { file } = notes(t);
  const signals = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const;
  await Promise.all(
    signals.map(async (signal) => {
      const { child, ended, ids } = await startProgram(t, `${file}-${signal}`);
      child.kill(signal);
      t.same(await ended, [0, null], signal);
      t.same(alive(ids), []);
      const lines = readFileSync(`${file}-${signal}`, 'utf8').trimEnd().split('\n').slice(4);
      t.same(lines.slice(0, 2), ['b down', 'a down'], 'monitors come first, and stop theirs in reverse');
      t.same(lines.slice(2).sort(), ['c down', 'd down']);
    }),
  );
});

t.test('every send settles while actors are killed, and every watcher hears once', async (t) => {
  const one = await startArbiter(t);
  const { child } = notes(t);
  const names = ['t1', 't2', 'p1', 'p2'];
  const children = names.map((name) =>
    child(name, { export: 'plain', kind: name.startsWith('t') ? 'thread' : 'process' }),
  );
  await one.addMonitor({ name: 'pool', children, maxRestarts: 1000, restartWindowMs: 1 });
  const common = { module: MODULE, export: 'plain', execArgv };
  const senders = await Promise.all([
    spawn({ ...common, kind: 'thread' }),
    spawn({ ...common, kind: 'process' }),
  ]);
  const storms = senders.map((to) => send({ to, timeoutMs: 120_000 }, 'run', MODULE, 'storms', names));
  let heard = 0;
  for (let round = 0; round < 8; round++) {
    const name = names[round % names.length] as string;
    const id = await idOf(name);
    const down = watch(id).then(() => heard++);
    if (round % 3 === 0) void refusal(() => send(id, 'run', MODULE, 'exits', 1));
    else if (round % 3 === 1) void send('arbiter', 'kill_actor', id, 0);
    else void send(id, 'stop');
    await down;
  }
  t.equal(heard, 8);
  await Promise.all(senders.map((to) => send(to, 'config', 'set', 'isOver', true)));
  for (const counts of (await Promise.all(storms)) as Record<string, number>[]) {
    const { answer = 0, ERR_ACTOR_DIED: died = 0, ...rest } = counts;
    t.same(rest, {}, 'nothing but answers and deaths');
    t.ok(answer > 0, `${answer} answers, ${died} deaths`);
  }
});

/** The id of an actor, once it is there. */
async function idOf(name: string): Promise<string> {
  let id = '';
  await eventually(`${name} is there`, async () => {
    id = await send(name, 'info').then(
      ({ actor }) => actor.id,
      () => '',
    );
    return id !== '';
  });
  return id;
}

t.test('threads speak with each other while the main program is held', async (t) => {
  await startArbiter(t);
  const common = { module: MODULE, kind: 'thread', export: 'plain', execArgv } as const;
  const [a] = await Promise.all([spawn(common), spawn({ ...common, name: 'b' })]);
  const shared = new Int32Array(new SharedArrayBuffer(8));
  const pinging = send(a, 'run', MODULE, 'pings', 'b', shared);
  await eventually('they speak', () => Atomics.load(shared, 1) > 0);
  const enough = Atomics.load(shared, 1) + 50;
  const end = Date.now() + 20_000;
  while (Atomics.load(shared, 1) < enough && Date.now() < end);
  t.ok(Atomics.load(shared, 1) >= enough);
  Atomics.store(shared, 0, 1);
  await pinging;
});

for (const kind of ['thread', 'process'] as const) {
  t.test(`${kind}: four senders lose and reorder nothing`, async (t) => {
    await startArbiter(t);
    const count = Number(process.env.VELA_TEST_MESSAGES ?? 2000);
    const common = { module: MODULE, kind, execArgv, sendTimeoutMs: 120_000 };
    await spawn({ ...common, export: 'Counter', name: 'counter', mailboxLimit: 100_000 });
    const senders = await Promise.all([1, 2, 3, 4].map(() => spawn({ ...common, export: 'plain' })));
    const runs = senders.map((sender, at) => {
      const wide = at % 2 === 0 ? count : 100;
      return send({ to: sender, timeoutMs: 120_000 }, 'run', MODULE, 'floods', 'counter', count, wide);
    });
    t.same(await Promise.all(runs), Array(4).fill(count));
    t.same(await send('counter', 'counted'), { counts: Array(4).fill(count), outOfOrder: 0 });
  });

  t.test(
    `${kind}: actors that come and go leave nothing behind`,
    { skip: !hasProc && 'needs /proc' },
    (t) => {
      const actors = process.env.VELA_TEST_ACTORS ?? '6';
      const rounds = process.env.VELA_TEST_ROUNDS ?? '3';
      const program = spawnSync(process.execPath, ['test/support/churn.mjs', kind, actors, rounds], {
        encoding: 'utf8',
        env: plainEnvironment(),
      });
      t.equal(program.status, 0, program.stderr);
      const { before, after } = JSON.parse(program.stdout);
      t.same(after, before);
      t.end();
    },
  );
}
