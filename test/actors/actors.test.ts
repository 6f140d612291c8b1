/** Actors, in processes and in threads alike. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import {
  ActorDied,
  ActorProxy,
  ActorTimeout,
  arbiter,
  type CommandHandler,
  command,
  type DownNotice,
  getActor,
  MailboxFull,
  type SpawnOptions,
  send,
  spawn,
  watch,
} from '../../src/actors/index.js';
import { HttpError, type VelaError } from '../../src/index.js';
import { actorCommands, JsonRpcHandler, serverCommands } from '../../src/rpc/index.js';
import { compile } from '../support/compile.js';
import { eventually } from '../support/eventually.js';
import { quiet, refusal, startArbiter } from '../support/start-arbiter.js';

const MODULE = compile('actors');
const KINDS = ['process', 'thread'] as const;
const ID = /^[0-9a-z]{8}$/;
t.setTimeout(120_000);

// Without what tap adds to them.
const execArgv: string[] = [];
const make = (name: string, options: Partial<SpawnOptions> = {}) =>
  spawn({ module: MODULE, export: name, execArgv, ...options });
const run = (to: ActorProxy | string, name: string, ...args: unknown[]) =>
  send(to, 'run', MODULE, name, ...args);

for (const kind of KINDS) {
  t.test(`${kind}: commands that all actors have`, async (t) => {
    await startArbiter(t);
    const actor = await make('plain', {
      kind,
      name: 'one',
      args: [1, { a: [2] }],
      config: { color: 'red' },
      env: { ACTOR_TEST: 'yes' },
    });
    t.ok(actor instanceof ActorProxy);
    t.match(actor, { id: ID, name: 'one', kind });
    t.equal(await send(actor, 'ping'), 'pong');
    t.same(await send('one', 'echo', { a: [1, new Map([[1, new Date(0)]])] }), {
      a: [1, new Map([[1, new Date(0)]])],
    });
    t.equal(await send(actor.id, 'config', 'get', 'color'), 'red');
    t.equal(await send(actor, 'config', 'set', 'color', 'blue'), true);
    t.equal(await send(actor, 'config', 'get', 'color'), 'blue');
    t.equal(await send(actor, 'config', 'get', 'shape'), undefined);
    t.equal((await refusal(() => send(actor, 'config', 'put', 'a'))).code, 'ERR_ACTOR_ARGUMENTS');
    t.ok(Math.abs((await send(actor, 'notify')) - Date.now()) < 60_000);
    t.equal(await run(actor, 'add', 1, 2), 3);
    t.match(await run(actor, 'whoAmI'), { same: true, kind, args: [1, { a: [2] }], env: 'yes' });
    t.equal(((await run(actor, 'whoAmI')) as { pid: number }).pid === process.pid, kind === 'thread');
    t.match(await send(actor, 'info'), {
      actor: {
        name: 'one',
        id: actor.id,
        kind,
        state: 'running',
        isProcess: kind === 'process',
        age: Number,
        uptimeSeconds: Number,
        mailbox: { waiting: 0, running: 1, refused: 0, limit: 1000, processed: Number },
      },
      system: {
        cpu: { userMs: Number, percent: Number },
        memory: { rssBytes: Number },
        eventLoop: { lagMs: Number, utilization: Number },
        uptimeSeconds: Number,
      },
      extra: {},
    });
    t.equal(await send('one', 'stop'), undefined);
    t.match(await watch(actor), { target: actor.id, reason: 'stopped', exitCode: 0, actor: { name: 'one' } });
  });

  t.test(`${kind}: hooks are called in order, and commands of its own`, async (t) => {
    await startArbiter(t);
    const file = `${t.testdir()}/notes`;
    const actor = await make('Hooked', { kind, name: 'h', config: { file }, taskMs: 5 });
    const read = () => readFileSync(file, 'utf8').trimEnd().split('\n');
    await eventually('a third task, after one that failed', () => read().includes('h task running'));
    t.equal(await send(actor, 'greet', 'Ann'), 'Hello Ann, I am h, and you are arbiter');
    t.match(await refusal(() => send(actor, 'silent')), { name: 'RangeError', message: 'not that' });
    t.match(await send(actor, 'info'), { extra: { tasks: Number, was: 'running' } });
    await send(actor, 'stop');
    t.equal((await watch(actor)).reason, 'stopped');
    t.same(read(), [
      'h init inactive',
      'h start starting',
      'h task running',
      'h message Ann',
      'h processed greet undefined',
      'h stop stopping',
      'h still there',
      'h exit closed',
    ]);
  });

  t.test(`${kind}: errors keep what they are`, async (t) => {
    await startArbiter(t);
    const actor = await make('plain', { kind, name: 'one' });
    const error = await refusal(() => run(actor, 'fails'));
    t.ok(error instanceof HttpError);
    t.match(error, { name: 'HttpError', message: 'a teapot', status: 418 });
    t.match(error.stack, 'compiled/actors.mjs');
    t.match(error.cause, new TypeError('too short and stout'));
    t.match(await refusal(() => send(actor, 'pong')), {
      code: 'ERR_ACTOR_COMMAND',
      message: /no command "pong" \(did you mean "ping"\?\); it has "ping", "echo"/,
    });
    t.match(await refusal(() => run(actor, 'addd')), {
      code: 'ERR_ACTOR_EXPORT',
      message: /no export "addd" \(did you mean "add"\?\); it exports /,
    });
    t.equal((await refusal(() => run(actor, 'notAFunction'))).code, 'ERR_ACTOR_EXPORT');
    t.match(await refusal(() => send(actor, 'run', './a.js', 'b')), /takes the URL of a module, new URL\(/);
    t.match(await refusal(() => send(actor, 'spawn', {})), { message: /send\('arbiter', 'spawn', / });
    t.equal((await refusal(() => send(actor, 'echo', () => {}))).code, 'ERR_ACTOR_MESSAGE');
    t.equal((await refusal(() => run(actor, 'givesAFunction'))).code, 'ERR_ACTOR_MESSAGE');
    t.equal(await send(actor, 'ping'), 'pong', 'all that has done no harm');
  });

  t.test(`${kind}: every send settles, whatever becomes of the actor`, async (t) => {
    await startArbiter(t);
    const actor = await make('Gate', { kind, name: 'gate', mailboxLimit: 3 });
    const waits = [1, 2, 3].map(() => send(actor, 'wait'));
    const full = await refusal(() => send(actor, 'ping'));
    t.ok(full instanceof MailboxFull);
    t.match(full, { code: 'ERR_ACTOR_MAILBOX_FULL', limit: 3 });
    const died = Promise.all(waits.map((wait) => refusal(() => wait)));
    const other = await make('plain', { kind, name: 'other' });
    const late = await refusal(() => send({ to: other, timeoutMs: 20 }, 'run', MODULE, 'never'));
    t.ok(late instanceof ActorTimeout);
    t.match(late, { code: 'ERR_ACTOR_TIMEOUT', target: other.id, command: 'run', timeoutMs: 20 });
    const exits = refusal(() => run(other, 'exits', 3));
    t.match(await watch(other), { reason: 'exit', exitCode: 3 });
    t.ok((await exits) instanceof ActorDied);
    t.match(await exits, { code: 'ERR_ACTOR_DIED', target: 'other', reason: 'exit' });
    t.equal(await send('arbiter', 'kill_actor', 'gate', 0), `killed ${actor.id}`);
    for (const error of await died) t.match(error, { code: 'ERR_ACTOR_DIED' });
    t.equal(await send('arbiter', 'kill_actor', 'gate'), null);
    t.match(await refusal(() => send('gate', 'ping')), { code: 'ERR_ACTOR_DIED', target: 'gate' });
    t.match(await refusal(() => send('nobody', 'ping')), {
      reason: 'unknown',
      message: 'There is no actor "nobody"',
    });
  });

  t.test(`${kind}: uncaught errors are what it died of`, async (t) => {
    const lines: unknown[] = [];
    await startArbiter(t, {
      logger: { ...quiet, warn: (details, message) => lines.push([details, message]) },
    });
    const actor = await make('plain', { kind, name: 'one' });
    await run(actor, 'logs');
    await run(actor, 'throwsLater');
    const down = await watch(actor);
    t.match(down, { reason: 'error', exitCode: 1, error: { message: 'it was too late' } });
    t.match(lines, [
      [{ actor: 'one', a: 1, err: { message: 'inner' } }, 'a line'],
      [{ actor: 'one', err: { message: 'it was too late' } }, 'the actor "one" is down: error'],
    ]);
    t.match(await refusal(() => send(actor, 'ping')), {
      reason: 'error',
      cause: { message: 'it was too late' },
    });
  });

  t.test(`${kind}: an actor that does not come up rejects its spawn`, async (t) => {
    await startArbiter(t);
    const refusals = Promise.all(
      (
        [
          ['failsToStart', {}],
          ['nothing', {}],
          ['notAFunction', {}],
          ['neverStarts', { startTimeoutMs: 2500 }],
          ['plain', { args: [() => {}] }],
        ] as const
      ).map(([name, options]) => refusal(() => make(name, { kind, ...options }))),
    );
    t.match(await refusals, [
      { name: 'HttpError', status: 503, cause: { message: 'no tea' } },
      { code: 'ERR_ACTOR_EXPORT' },
      { code: 'ERR_ACTOR_CODE', message: /must be an object of hooks and commands/ },
      { code: 'ERR_ACTOR_START' },
      { code: 'ERR_ACTOR_MESSAGE' },
    ]);
    const itself = compile('actors-program');
    t.match(await refusal(() => spawn({ module: itself, kind, execArgv })), {
      code: 'ERR_ACTOR_ARBITER',
      message: /in a file that starts no arbiter$/,
    });
    t.match(await arbiter().info(), { workers: [] });
  });

  t.test(`${kind}: what is sent arrives as it was`, async (t) => {
    await startArbiter(t);
    const actor = await make('plain', { kind });
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    const twice = { is: 'one' };
    const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => i);
    const values: readonly unknown[] = [
      ...['', 'a\n"\\', 'é€😀', 'lone \ud800 half', 'x'.repeat(5000), 'ü€'.repeat(600_000)],
      ...[0, -0, 1.5, Number.NaN, Number.NEGATIVE_INFINITY, 2 ** 53, 12n, true, null, undefined],
      ...[[undefined], [null, undefined], { a: undefined }, { a: { b: [{ c: -0 }] } }],
      ...[new Array(3), Object.assign([1, 2], { extra: 'kept' }), Array.from({ length: 40 }, (_, i) => i)],
      ...[new Date(7), new Map([[{ a: 1 }, new Set(['b'])]]), /a+/gi, new RangeError('too far')],
      ...[
        bytes,
        bytes.subarray(1, 4),
        new Float64Array([1.5, -0]),
        bytes.buffer,
        new DataView(new ArrayBuffer(3)),
      ],
      ...[cycle, [twice, [twice], { deep: { deeper: { deepest: { twice } } } }]],
      ...[
        JSON.parse('{"__proto__": 1, "constructor": 2}'),
        Object.create(null, { a: { value: 1, enumerable: true } }),
      ],
    ];
    // Each by itself, and all of them under way at once, so that they come in pieces and together.
    for (const [at, value] of values.entries())
      t.strictSame(await send(actor, 'echo', value), structuredClone(value), `the value at ${at}`);
    const answers = await Promise.all(values.map((value) => send(actor, 'echo', value)));
    t.strictSame(answers, structuredClone(values));
    t.ok(Object.is(await send(actor, 'echo', -0), -0));
    const large = new Uint8Array(24 * 1_048_576).fill(7);
    t.equal(Buffer.compare((await send(actor, 'echo', large)) as Uint8Array, large), 0);
  });

  t.test(`${kind}: bytes are their receiver's alone`, async (t) => {
    await startArbiter(t);
    const actor = await make('plain', { kind });
    const views = [
      new Uint8Array([1, 2]),
      new Float64Array([1]),
      Buffer.alloc(1),
      new DataView(new ArrayBuffer(3)),
    ];
    // In one piece, so that others stand before and behind it.
    const [first, ...answers] = await Promise.all([
      ...[1, 2].map((one) => send(actor, 'echo', new Uint8Array([one]))),
      run(actor, 'transfers', new Uint8Array(7)),
      ...views.map((view) => send(actor, 'echo', view)),
      send(actor, 'ping'),
    ]);
    t.same(first, new Uint8Array([1]));
    t.same(answers, [new Uint8Array([2]), 7, ...views, 'pong']);
    for (const one of answers.filter((answer) => ArrayBuffer.isView(answer)))
      t.equal(one.buffer.byteLength, one.byteLength, 'nothing else is in their memory');
  });

  t.test(`${kind}: what cannot be read takes no place in the mailbox`, async (t) => {
    await startArbiter(t);
    const actor = await make('plain', { kind, mailboxLimit: 5 });
    const broken = Object.defineProperty({}, 'a', {
      enumerable: true,
      get() {
        throw new Error('not to be read');
      },
    });
    for (let i = 0; i < 10; i++)
      t.match(await refusal(() => send(actor, 'echo', broken)), { code: 'ERR_ACTOR_MESSAGE' });
    t.equal(await send(actor, 'ping'), 'pong');
  });

  t.test(`${kind}: many texts at once, which are long as JSON`, async (t) => {
    await startArbiter(t);
    const actor = await make('plain', { kind });
    const row = Array.from({ length: 16 }, () => '\u0001'.repeat(4096));
    const rows = Array.from({ length: 16 }, () => row);
    // Together more than a text can have.
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => send(actor, 'run', MODULE, 'lengthOf', rows)),
    );
    t.same(answers, Array(100).fill(16));
  });

  t.test(`${kind}: actors speak with each other`, async (t) => {
    await startArbiter(t);
    const [a, b] = await Promise.all([
      make('plain', { kind, name: 'a' }),
      make('plain', { kind, name: 'b' }),
    ]);
    const back = (await run(a, 'greetFrom', b)) as ActorProxy;
    t.ok(back instanceof ActorProxy);
    t.ok(back.equals(a) && !back.equals(b) && !back.equals({ id: a.id }));
    t.ok(
      (
        (await send(b, 'echo', { deep: [new Map([['x', a]])] })) as { deep: Map<string, ActorProxy>[] }
      ).deep[0]
        ?.get('x')
        ?.equals(a),
    );
    const made = (await run(a, 'spawnOne', 'third')) as ActorProxy;
    t.match(made, { name: 'third', kind: 'thread' });
    t.equal(await send('third', 'ping'), 'pong');
    t.equal(await run(a, 'askMonitor'), 'arbiter');
    t.equal(await run(a, 'callsArbiter'), 'ERR_ACTOR_ARBITER');
    t.equal(await send(a, 'shout', 'hey'), 'HEY');
    t.equal(await send(a, 'whisper', 'psst'), undefined);
    t.same(await run(a, 'whisperedTo'), ['psst']);
    await send({ to: a, ack: false }, 'whisper', 'psst!');
    t.same(await run(a, 'whisperedTo'), ['psst', 'psst!']);
  });

  t.test(`${kind}: a watcher hears once, and why`, async (t) => {
    await startArbiter(t);
    const [a, b] = await Promise.all([
      make('plain', { kind, name: 'a' }),
      make('plain', { kind, name: 'b' }),
    ]);
    const notices: DownNotice[] = [];
    const heard = [0, 1, 2].map(() => watch('b').then((notice) => notices.push(notice)));
    const there = run(a, 'watches', 'b');
    const aborter = new AbortController();
    const aborted = refusal(() => watch(b, { signal: aborter.signal }));
    aborter.abort(new Error('not interested'));
    t.match(await aborted, { message: 'not interested' });
    await send(a, 'ping');
    await refusal(() => run(b, 'exits', 0));
    await Promise.all(heard);
    t.match(notices, Array(3).fill({ target: 'b', reason: 'exit', exitCode: 0, actor: { id: b.id } }));
    t.match(await there, { reason: 'exit', actor: { id: b.id } });
    t.match(await run(a, 'watches', 'b'), { reason: 'exit' }, 'also when it was dead already');
    t.match(await watch('nobody'), { reason: 'unknown', actor: undefined, target: 'nobody' });
  });

  t.test(`${kind}: concurrency 1 is one message after the other`, async (t) => {
    await startArbiter(t);
    const [actor, many] = await Promise.all([
      make('Careful', { kind, concurrency: 1 }),
      make('Careful', { kind }),
    ]);
    t.same(await Promise.all([1, 2, 3, 4].map(() => send(actor, 'enter'))), [1, 1, 1, 1]);
    t.equal(await send(actor, 'reenter'), 'ERR_ACTOR_TIMEOUT');
    t.equal(Math.max(...((await Promise.all([1, 2, 3].map(() => send(many, 'enter')))) as number[])), 3);
    t.equal(await send(many, 'reenter'), 'pong');
  });

  t.test(`${kind}: stopping waits for what is in the mailbox, and not for ever`, async (t) => {
    await startArbiter(t);
    const gate = await make('Gate', { kind, stopTimeoutMs: 20_000 });
    const wait = send(gate, 'wait');
    await send(gate, 'stop');
    await eventually(
      'it is stopping',
      async () => (await send(gate, 'info')).actor.state === 'stopping',
    ).catch((error: VelaError) => t.equal(error.code, 'ERR_ACTOR_DIED', 'its mailbox is closed'));
    t.match(await refusal(() => send({ to: gate, timeoutMs: 500 }, 'ping')), { code: 'ERR_ACTOR_DIED' });
    t.equal(await send('arbiter', 'kill_actor', gate.id, 0), `killed ${gate.id}`);
    t.equal((await refusal(() => wait)).code, 'ERR_ACTOR_DIED');
    const other = await make('unwilling', { kind, stopTimeoutMs: 10 });
    await send(other, 'stop');
    t.match(await watch(other), { reason: 'stopped' });
  });

  t.test(`${kind}: one that gives no sign of life is ended`, async (t) => {
    await startArbiter(t);
    const actor = await make('plain', { kind, timeoutMs: 300, killAfterMs: 100 });
    const held = refusal(() => run(actor, 'blocks'));
    t.match(await watch(actor), { reason: 'timeout', signal: kind === 'process' ? 'SIGKILL' : undefined });
    t.match(await held, { code: 'ERR_ACTOR_DIED', reason: 'timeout' });
  });
}

t.test('what is nested too deep is refused, and ends nobody', async (t) => {
  await startArbiter(t);
  const actor = await make('plain');
  const pid = await run(actor, 'pid');
  for (const depth of [1000, 1800, 2000, 2200, 2500, 2800, 3000, 4000]) {
    for (const wrap of [(inner: unknown) => ({ inner }), (inner: unknown) => [inner]]) {
      let value: unknown = 1;
      for (let i = 0; i < depth; i++) value = wrap(value);
      const code = await send(actor, 'echo', value).then(
        () => undefined,
        (error: VelaError) => error.code,
      );
      t.ok(code === undefined || (depth > 1000 && code === 'ERR_ACTOR_MESSAGE'), `${depth}: ${code}`);
    }
    // Here it comes as an answer.
    const code = await run(actor, 'nest', depth).then(
      () => undefined,
      (error: VelaError) => error.code,
    );
    t.ok(code === undefined || (depth > 1000 && code === 'ERR_ACTOR_MESSAGE'), `answer of ${depth}: ${code}`);
  }
  t.equal(await run(actor, 'pid'), pid, 'it is the same');
});

t.test('a main program whose own loop was held does not end its actors for it', async (t) => {
  await startArbiter(t);
  const actor = await make('plain', { timeoutMs: 1000 });
  const end = Date.now() + 2500;
  while (Date.now() < end);
  t.equal(await send(actor, 'ping'), 'pong');
  t.ok((await send('arbiter', 'info')).workers?.length === 1);
});

t.test('a process that is killed from outside is known to be', async (t) => {
  await startArbiter(t);
  const actor = await make('plain');
  const { pid } = (await run(actor, 'whoAmI')) as { pid: number };
  process.kill(pid, 'SIGKILL');
  t.match(await watch(actor), { reason: 'killed', signal: 'SIGKILL' });
  const other = await make('noted', { config: { file: `${t.testdir()}/notes` } });
  const { actor: info } = await send(other, 'info');
  process.kill(info.processId, 'SIGINT');
  t.equal(await send(other, 'ping'), 'pong', 'SIGINT is for the arbiter');
  process.kill(info.processId, 'SIGTERM');
  t.match(await watch(other), { reason: 'stopped', exitCode: 0 });
});

t.test('the arbiter is an actor, too', async (t) => {
  const seen: string[] = [];
  class Code {
    readonly commands: Record<string, CommandHandler> = {
      twice: (_request, number: number) => 2 * number,
      same: (_request, value: unknown) => value,
    };
    onStart() {
      seen.push('start');
    }
    onStop() {
      seen.push('stop');
    }
    onExit() {
      seen.push('exit');
    }
  }
  const one = await startArbiter(t, { code: Code });
  t.equal(arbiter(), one);
  t.equal(getActor(), one.actor);
  t.match(one.actor, { id: 'arbiter', name: 'arbiter', state: 'running' });
  t.same([one.actor.isRunning(), one.actor.isArbiter(), one.actor.isStopped()], [true, true, false]);
  t.throws(() => arbiter({}), /There is an arbiter already/);
  t.equal(await send('arbiter', 'twice', 4), 8);
  const object = { a: 1 };
  t.not(await send('arbiter', 'same', object), object, 'messages are copied');
  t.equal((await refusal(() => send('arbiter', 'same', () => {}))).code, 'ERR_ACTOR_MESSAGE');
  await make('plain', { kind: 'thread', name: 'a' });
  t.match(await refusal(() => make('plain', { name: 'a' })), { code: 'ERR_ACTOR_NAME' });
  t.match(await send('arbiter', 'info'), {
    actor: { kind: 'arbiter' },
    monitors: {},
    workers: [{ actor: { name: 'a' } }],
  });
  t.throws(() => one.actor.periodicTask(0, () => {}), /periodicTask\(\) takes a number of milliseconds/);
  let ticks = 0;
  const end = one.actor.periodicTask(1, () => ticks++);
  await eventually('three ticks', () => ticks >= 3);
  end();
  await one.stop();
  t.equal(getActor(), undefined);
  t.same(seen, ['start', 'stop', 'exit']);
  t.equal(one.actor.state, 'closed');
  t.match(await refusal(() => send('a', 'ping')), {
    code: 'ERR_ACTOR_NONE',
    message: /await arbiter\(\)\.start\(\) first/,
  });
  t.match(await refusal(() => one.spawn({ module: MODULE, export: 'plain' })), { code: 'ERR_ACTOR_DIED' });
  t.not(await startArbiter(t), one, 'a stopped one is replaced');
});

t.test('mistakes are told at once, with what to write', async (t) => {
  t.throws(() => arbiter({ colour: 1 } as never), /arbiter has no option "colour"/);
  t.throws(() => arbiter({ mailboxLimit: 0 }), /"mailboxLimit" of arbiter must be an integer from 1 /);
  t.throws(() => arbiter({ logger: {} as never }), /"logger" of arbiter must be an object with debug, info/);
  t.throws(
    () => arbiter({ code: { onStrat() {} } as never }),
    /no hook "onStrat" \(did you mean "onStart"\?\)/,
  );
  t.throws(
    () => arbiter({ code: { commands: { a: 1 } } as never }),
    /"commands\.a" of .* must be a function/,
  );
  t.match(await refusal(() => arbiter().spawn({ module: MODULE })), { code: 'ERR_ACTOR_NONE' });
  await startArbiter(t).catch(() => arbiter().start());
  t.teardown(() => arbiter().stop());
  const cases: [options: unknown, message: RegExp][] = [
    [undefined, /spawn takes its options as an object/],
    [{ module: () => {} }, /a function cannot be sent to another thread or process/],
    [{ module: './a.js' }, /takes the URL of a module, \{ module: new URL\('\.\/greeter\.js'/],
    [{ module: new URL('./absent.js', import.meta.url) }, /there is no file /],
    [{ module: MODULE, exports: 'a' }, /no option "exports" \(did you mean "export"\?\)/],
    [{ module: MODULE, name: 'arbiter' }, /"name" of spawn must be text other than "arbiter" and "monitor"/],
    [{ module: MODULE, kind: 'fiber' }, /"kind" of spawn must be 'process' or 'thread'; received "fiber"/],
    [{ module: MODULE, args: 5 }, /"args" of spawn must be an array; received 5/],
    [{ module: MODULE, concurrency: 0.5 }, /"concurrency" of spawn must be an integer from 1/],
    [{ module: MODULE, timeoutMs: '5' }, /"timeoutMs" of spawn must be an integer from 50/],
    [{ module: MODULE, execArgv: '--inspect' }, /"execArgv" of spawn must be an array of text/],
    [{ module: MODULE, resourceLimits: {} }, /"resourceLimits" of spawn must be left out for a process/],
    [{ module: MODULE, env: { A: 1 } }, /"env\.A" of spawn must be text; received 1/],
  ];
  for (const [options, message] of cases) t.match(await refusal(() => spawn(options as never)), { message });
  t.match(await refusal(() => send(5 as never, 'ping')), /send\(\) takes the id or name of an actor/);
  t.match(await refusal(() => send({ to: 'arbiter', timeout: 5 } as never, 'ping')), /no option "timeout"/);
  t.match(await refusal(() => send({ to: 'arbiter', timeoutMs: 0 }, 'ping')), /"timeoutMs" of send must be/);
  t.match(await refusal(() => watch('a', { once: true } as never)), /watch has no option "once"/);
  t.throws(() => command('ping', () => 1), /"ping" is built in/);
  t.throws(() => command('x', 1 as never), /command\(\) takes a function/);
  command('one-of-tests', () => 1);
  t.throws(() => command('one-of-tests', () => 1), /There is a command "one-of-tests" already/);
});

t.test('commands over JSON-RPC, for those who may', async (t) => {
  const master = await startArbiter(t);
  const actor = await make('plain', { name: 'one' });
  const asked: unknown[] = [];
  const handler = new JsonRpcHandler()
    .mount(
      'actors',
      actorCommands({
        authorize: ({ method, params }) => {
          asked.push([method, params]);
          return method !== 'actors.echo';
        },
        commands: ['ping', 'info', 'echo', 'kill_actor'],
      }),
    )
    .mount(serverCommands({ authorize: () => true }));
  const ask = async (method: string, ...params: unknown[]) => {
    const text = await handler.dispatch(JSON.stringify({ jsonrpc: '2.0', method, params, id: 1 }), {
      logger: quiet,
    });
    return JSON.parse(text as string);
  };
  t.equal((await ask('actors.ping', 'arbiter')).result, 'pong');
  t.match((await ask('actors.info', 'one')).result, { actor: { name: 'one', id: actor.id } });
  t.match((await ask('actors.echo', 'one', 1)).error, { code: -32003 });
  t.equal((await ask('actors.run', 'one', 'node:os', 'hostname')).error.code, -32601, 'it is not named');
  t.equal((await ask('actors.ping')).error.code, -32602);
  t.equal((await ask('actors.ping', 5)).error.code, -32602);
  t.match((await ask('actors.ping', 'nobody')).error, { code: -32000, data: { code: 'ERR_ACTOR_DIED' } });
  t.match((await ask('server_info')).result, { arbiter: { actor: { name: 'arbiter' } } });
  t.ok((await ask('actors.kill_actor', 'arbiter', actor.id)).error === undefined);
  t.match((await ask('actors.ping', actor.id)).error, { code: -32000 });
  t.same(asked[0], ['actors.ping', ['arbiter']]);
  t.throws(() => actorCommands({} as never), /"authorize" of actorCommands\(\) must be a function/);
  t.throws(() => actorCommands({ authorize: () => true, commands: 'ping' } as never), /"commands"/);
  t.ok(master);
});
