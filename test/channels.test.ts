/** Channels within a process, across the workers of a program, and across programs by a Redis. */
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { Channels } from '../src/channels/index.js';
import { eventStream, serve, WsgiHandler } from '../src/index.js';
import { numbersOf, Peer } from './support/channels-peer.js';
import { eventually } from './support/eventually.js';
import { runProgram, type Served, startProgram } from './support/run-example.js';
import { importWithout } from './support/without-package.js';
import { childrenOf } from './support/workers.js';

const GATEWAYS = ['uws', 'node'] as const;
const PROGRAM = 'test/support/channels-program.mjs';
const start = (t: Test, flags: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Served> =>
  startProgram(t, [PROGRAM, ...flags], env);
const MANY = Array.from({ length: 1000 }, (_, i) => i);

/** Channels of this test alone. */
function open(t: Test, options: ConstructorParameters<typeof Channels>[0] = {}): Channels {
  const channels = new Channels({ name: t.name.replace(/\W/g, '-').slice(0, 60), ...options });
  t.teardown(() => channels.stop());
  return channels;
}

t.test('listeners get values back, at once and in order', async (t) => {
  const channels = open(t);
  const heard: unknown[] = [];
  const subscription = channels.subscribe('news', (message, channel) => heard.push([channel, message]));
  await subscription.ready;
  const bytes = new Uint8Array([1, 2]);
  const sent = [
    channels.publish('news', 'text'),
    channels.publish('news', { a: [1, null] }),
    channels.publish('news', bytes),
    channels.publish('news', new DataView(new Uint8Array([9, 8, 7]).buffer, 1)),
    channels.publish('news', 5),
    channels.publish('other', 'unheard'),
  ];
  bytes[0] = 7;
  t.same(heard, [
    ['news', 'text'],
    ['news', { a: [1, null] }],
    ['news', new Uint8Array([1, 2])],
    ['news', new Uint8Array([8, 7])],
    ['news', 5],
  ]);
  await Promise.all(sent);
  subscription.unsubscribe();
  subscription.unsubscribe();
  await channels.publish('news', 'late');
  t.equal(heard.length, 5);
  t.equal(channels.status, 'connected');
});

t.test('what a listener publishes comes after what it was called with', async (t) => {
  const channels = open(t);
  const heard: string[] = [];
  channels.subscribe('a', (message) => {
    if (message === 'first') void channels.publish('a', 'second');
  });
  channels.subscribe('a', (message) => heard.push(String(message)));
  await channels.publish('a', 'first');
  t.same(heard, ['first', 'second']);
});

t.test('patterns match whole names', async (t) => {
  const channels = open(t);
  const cases: [pattern: string, matches: string[], others: string[]][] = [
    ['*', ['a', 'a:b'], []],
    ['room:*', ['room:', 'room:7', 'room:7:x'], ['room', 'aroom:7']],
    ['*:end', [':end', 'a:end'], ['a:ends', 'end']],
    ['a*b*c', ['abc', 'a-b-c', 'abcbc'], ['ab', 'acb', 'abcd']],
    ['a**a', ['aa', 'aba'], ['a']],
    ['a.b?[c]*', ['a.b?[c]', 'a.b?[c]d'], ['a.bx[c]', 'axb?[c]', 'a.b?c']],
  ];
  for (const [pattern, matches, others] of cases) {
    const heard: string[] = [];
    using _subscription = channels.subscribe(pattern, (_message, channel) => heard.push(channel), {
      isPattern: true,
    });
    for (const channel of [...matches, ...others]) await channels.publish(channel, 1);
    t.same(heard, matches, pattern);
  }
});

t.test('a listener that throws is logged, and goes on', async (t) => {
  const lines: string[] = [];
  const logger = {
    debug() {},
    info() {},
    warn() {},
    error: (_details: object, text: string) => lines.push(text),
  };
  const channels = open(t);
  await channels.start({ logger, config: {}, stopping: new AbortController().signal } as never);
  let calls = 0;
  channels.subscribe('a', () => {
    calls++;
    throw new Error('thrown');
  });
  channels.subscribe('a', async () => {
    calls++;
    throw new Error('rejected');
  });
  channels.subscribe('a', () => calls++);
  await channels.publish('a', 1);
  await channels.publish('a', 2);
  t.equal(calls, 6);
  t.same(lines.sort(), [
    'a listener of "a" failed: rejected',
    'a listener of "a" failed: rejected',
    'a listener of "a" failed: thrown',
    'a listener of "a" failed: thrown',
  ]);
});

t.test('mistakes and limits are told', async (t) => {
  const channels = open(t, { maxSubscriptions: 2, maxMessageBytes: 10 });
  const wrong = channels as unknown as Record<string, (...args: unknown[]) => unknown>;
  const message = (call: () => unknown) => {
    try {
      call();
    } catch (error) {
      return (error as Error).message;
    }
    return undefined;
  };
  t.match(
    message(() => channels.publish('', 1)),
    /^publish\(\) takes the name of a channel.*received ""/,
  );
  t.match(
    message(() => wrong.publish?.('a', 1, { except: () => {} })),
    /^Option "except" of publish must be a WebSocket; received/,
  );
  t.match(
    message(() => wrong.publish?.('a', 1, { expect: 1 })),
    /"expect".*"except"/s,
  );
  t.match(
    message(() => channels.publish('x'.repeat(257), 1)),
    /256 characters/,
  );
  t.match(
    message(() => channels.publish('a\nb', 1)),
    /control character/,
  );
  t.match(
    message(() => channels.publish('a*', 1)),
    /one channel, and "\*" stands for several/,
  );
  // Names may come from clients, who must not hear of what is not theirs.
  for (const call of ['subscribe', 'events'])
    t.match(
      message(() => wrong[call]?.('room:*', call === 'events' ? {} : () => {})),
      /one channel, and "\*" stands for several: where that is wanted, say \{ isPattern: true \}/,
    );
  t.match(
    message(() => channels.subscribe('a', () => {}, { isPattern: 1 } as never)),
    /Option "isPattern" of subscribe must be true or false/,
  );
  t.match(
    message(() => channels.publish('half \ud83d', 1)),
    /none of them a control character or half of one/,
  );
  t.match(
    message(() => channels.publish('a', undefined)),
    /that JSON can say; received undefined/,
  );
  t.throws(() => channels.publish('a', 'é'.repeat(6)), { code: 'ERR_CHANNELS_MESSAGE_SIZE' });
  await channels.publish('a', 'é'.repeat(5));
  t.match(
    message(() => wrong.subscribe?.('a', 'b')),
    /a function or a WebSocket; received "b"/,
  );
  await t.rejects(channels.count('a*'), TypeError);
  t.match(
    message(() => new Channels({ nam: 'x' } as never)),
    /did you mean "name"/,
  );
  t.match(
    message(() => new Channels({ name: 'a b' })),
    /Option "name"/,
  );
  t.match(
    message(() => new Channels({ maxMessageBytes: 0 })),
    /Option "maxMessageBytes"/,
  );
  const urls = ['x', 'http://a', 'redis://', 'redis://a/x', 'redis://a?b=c', 'redis://a?namespace=:', 5];
  for (const dataStore of urls)
    t.throws(() => new Channels({ dataStore } as never), { code: 'ERR_CONFIG_INVALID' }, String(dataStore));
  t.notMatch(
    message(() => new Channels({ dataStore: 'redis://user:secret@host/x' })),
    /secret/,
  );
  t.match(
    message(() => channels.events('a', { signal: 1 } as never)),
    /AbortSignal/,
  );
  t.match(
    message(() => channels.lock('a', { waitMs: -1 })),
    /Option "waitMs" of lock/,
  );
  channels.subscribe('a', () => {});
  const second = channels.subscribe('b', () => {});
  t.throws(() => channels.subscribe('c', () => {}), { code: 'ERR_CHANNELS_FULL' });
  second.unsubscribe();
  channels.subscribe('c', () => {});
  await channels.stop();
  t.equal(channels.status, 'closed');
  t.throws(() => channels.publish('a', 1), { code: 'ERR_CHANNELS_CLOSED' });
  await channels.stop();
});

t.test('channels of one name are the same, and a second start opens them again', async (t) => {
  const one = open(t);
  const two = open(t);
  const statuses: string[] = [];
  one.onStatus((status) => statuses.push(status));
  const heard: unknown[] = [];
  one.subscribe('a', (message) => heard.push(message));
  await two.publish('a', 'by two');
  t.equal(await two.count('a'), 1);
  two.subscribe('a', () => {});
  t.same([await one.count('a'), await two.count('a')], [2, 2]);
  await one.start();
  await one.start();
  await one.stop();
  t.equal(one.status, 'connected', 'the second server still needs it');
  await one.stop();
  await two.publish('a', 'while closed');
  t.equal(await two.count('a'), 1);
  await one.start();
  await two.publish('a', 'again');
  t.same(heard, ['by two', 'again']);
  t.same(statuses, ['connected', 'closed', 'connected']);
});

t.test('events()', async (t) => {
  const channels = open(t);
  await t.test('gives what is published from its making on', async (t) => {
    const ender = new AbortController();
    const events = channels.events('e*', { isPattern: true, signal: ender.signal })[Symbol.asyncIterator]();
    t.equal(await channels.count('e1'), 0, 'patterns are not counted');
    await channels.publish('e1', { a: 1 });
    await channels.publish('e2', 'text');
    await channels.publish('e3', new Uint8Array([255]));
    const seen = [await events.next(), await events.next(), await events.next()];
    t.same(
      seen.map(({ value }) => value),
      [
        { event: 'e1', data: '{"a":1}' },
        { event: 'e2', data: 'text' },
        { event: 'e3', data: '/w==' },
      ],
    );
    const waiting = events.next();
    ender.abort();
    t.same(await waiting, { done: true, value: undefined });
    t.same(await events.next(), { done: true, value: undefined });
  });
  await t.test('loses what does not fit, or ends', async (t) => {
    const dropping = channels.events('f', { maxBackpressureBytes: 1000, onBackpressure: 'drop' });
    const closing = channels.events('f', { maxBackpressureBytes: 1000 });
    const [dropped, closed] = [dropping[Symbol.asyncIterator](), closing[Symbol.asyncIterator]()];
    t.equal(await channels.count('f'), 2);
    for (let i = 0; i < 10; i++) await channels.publish('f', `${i}${'x'.repeat(200)}`);
    t.equal(await channels.count('f'), 1);
    for (const events of [dropped, closed])
      for (let i = 0; i < 3; i++) t.match((await events.next()).value, { data: new RegExp(`^${i}x`) });
    t.same(await closed.next(), { done: true, value: undefined });
    await channels.publish('f', 'fits');
    t.same(await dropped.next(), { done: false, value: { event: 'f', data: 'fits' } });
    await dropped.return?.();
    t.equal(await channels.count('f'), 0);
  });
});

t.test('locks', async (t) => {
  const channels = open(t);
  const lock = channels.lock('a', { timeoutMs: 60_000, waitMs: 60_000 });
  const order: number[] = [];
  let inside = 0;
  const work = (i: number) =>
    lock.run(async () => {
      t.equal(++inside, 1);
      order.push(i);
      await new Promise(setImmediate);
      inside--;
      return i;
    });
  t.same(await Promise.all([work(0), work(1), work(2)]), [0, 1, 2]);
  t.same(order, [0, 1, 2]);
  await t.rejects(
    lock.run(() => Promise.reject(new Error('of the work'))),
    { message: 'of the work' },
  );

  const held = await lock.acquire();
  await t.rejects(channels.lock('a', { waitMs: 0 }).acquire(), { code: 'ERR_LOCK_TIMEOUT' });
  await t.rejects(channels.lock('a', { waitMs: 20 }).acquire(), { code: 'ERR_LOCK_TIMEOUT' });
  const ender = new AbortController();
  const waiting = lock.acquire({ signal: ender.signal });
  ender.abort(new Error('given up'));
  await t.rejects(waiting, { message: 'given up' });
  await held.release();
  await held.release();
  {
    await using again = await channels.lock('a', { waitMs: 0 }).acquire();
    t.notOk(again.signal.aborted);
  }

  const short = channels.lock('a', { timeoutMs: 50 });
  const lost = await short.acquire();
  // A lock alone does not keep the process up.
  await eventually('it is lost', () => lost.signal.aborted);
  t.match(lost.signal.reason, { code: 'ERR_LOCK_LOST' });
  const next = await lock.acquire();
  await t.rejects(lost.release(), { code: 'ERR_LOCK_LOST' });
  await t.rejects(
    channels.lock('a', { waitMs: 0 }).acquire(),
    { code: 'ERR_LOCK_TIMEOUT' },
    'it is the next one’s',
  );
  await next.release();
});

for (const gateway of GATEWAYS) {
  t.test(`WebSockets in one process: ${gateway}`, async (t) => {
    const served = await start(t, ['--gateway', gateway, '-w', '0']);
    const [a, b] = [await Peer.open(t, served.url), await Peer.open(t, served.url)];
    for (const peer of [a, b]) {
      await peer.call('join', 'room');
      await peer.call('join', 'room');
      await peer.call('join', 'p:*');
    }
    t.equal(await a.call('count', 'room'), 2, 'a socket is one, however often it is subscribed');
    await a.call('publish', 'room', 'hello');
    await a.call('publish', 'room', { value: 'ü' });
    await a.call('bytes', 'room', 1, 255);
    await a.call('publish', 'p:x', 'by pattern');
    await a.call('publish', 'q:x', 'unheard');
    await a.call('burst', 'room', 'a', 1000);
    for (const peer of [a, b]) {
      const messages = await peer.received(1004);
      t.same(messages.slice(0, 4), ['hello', '{"value":"ü"}', 'bytes 01ff', 'by pattern']);
      t.same(numbersOf(messages.slice(4), 'a'), MANY);
    }
    for (const peer of [a, b]) peer.messages.length = 0;
    await a.call('others', 'room', 'from a');
    await a.call('others', 'p:x', 'by pattern from a');
    await b.call('again', 'room', 'x'.repeat(100_000));
    await a.call('both', 'room', 'for all', 'for others');
    await b.call('both', 'p:y', 'for all too', 'for others too');
    await a.call('others', 'elsewhere', 'unheard');
    await a.call('publish', 'room', 'end');
    const [forA, forB] = [await a.received(5), await b.received(6)];
    t.same(forA, ['x'.repeat(100_000), 'for all', 'for all too', 'for others too', 'end']);
    t.same(forB, ['from a', 'by pattern from a', 'for all', 'for others', 'for all too', 'end']);
    await a.call('leave', 'room');
    await a.call('others', 'room', 'not subscribed itself');
    t.equal((await b.received(7)).at(-1), 'not subscribed itself');
    await a.call('join', 'room');
    b.socket.terminate();
    await eventually('the socket has left', async () => (await a.call('count', 'room')) === 1);
    await a.call('leave', 'room');
    t.equal(await a.call('count', 'room'), 0);
    await a.call('publish', 'room', 'late');
    await a.call('publish', 'p:x', 'last');
    await a.received(6);
    t.equal(a.messages.at(-1), 'last');
    t.same(await a.call('early'), []);
    t.equal(await served.stop(), 0);
  });

  t.test(`a slow WebSocket does not hold up others, and is cut: ${gateway}`, async (t) => {
    const served = await start(t, ['--gateway', gateway, '-w', '0']);
    const [slow, quick] = [await Peer.open(t, served.url), await Peer.open(t, served.url)];
    for (const peer of [slow, quick]) await peer.call('join', 'room');
    slow.socket.pause();
    const closed = once(slow.socket, 'close');
    await quick.call('flood', 'room', 500, 65_536);
    await quick.received(500);
    await eventually('the slow one is cut', async () => (await quick.call('count', 'room')) === 1);
    slow.socket.resume();
    t.equal((await closed)[0], 1006);
    t.ok(slow.messages.length < 500, `${slow.messages.length} messages before that`);
    t.equal(await served.stop(), 0);
  });

  t.test(`server-sent events end with the server: ${gateway}`, async (t) => {
    const channels = open(t);
    const server = await serve(
      new WsgiHandler([
        channels,
        () => eventStream(channels.events('news'), { heartbeatMs: 60_000, retryMs: 1000 }),
      ]),
      { bind: '127.0.0.1:0', gateway, logLevel: 'silent' },
    );
    const response = await fetch(server.url);
    await eventually('it is subscribed', async () => (await channels.count('news')) === 1);
    const reader = response.body?.getReader();
    t.equal(Buffer.from((await reader?.read())?.value ?? []).toString(), 'retry: 1000\n\n');
    await channels.publish('news', 'one\ntwo');
    t.equal(
      Buffer.from((await reader?.read())?.value ?? []).toString(),
      'event: news\ndata: one\ndata: two\n\n',
    );
    const end = server.close();
    t.equal((await reader?.read())?.done, true);
    await end;
    t.equal(channels.status, 'closed');
  });

  t.test(`workers: ${gateway}`, async (t) => {
    const served = await start(t, ['--gateway', gateway, '-w', '2']);
    const [a, b] = (await Peer.openEach(t, served.url, 2)) as [Peer, Peer];
    await t.test('1,000 messages each way, in order and none twice', async (t) => {
      await Promise.all([a.call('join', 'room'), b.call('join', 'room'), b.call('listen', 'room')]);
      await Promise.all([a.call('burst', 'room', 'a', 1000), b.call('burst', 'room', 'b', 1000)]);
      await Promise.all([a.received(2000), b.received(4000)]);
      const [joined, heard] = [true, false].map((isJoined) =>
        b.messages.filter((text) => text.startsWith('heard ') !== isJoined),
      ) as [string[], string[]];
      for (const name of ['a', 'b'])
        for (const messages of [a.messages, joined, heard]) t.same(numbersOf(messages, name), MANY);
      t.same([a.messages.length, b.messages.length], [2000, 4000]);
    });
    await t.test('text, bytes, values and patterns', async (t) => {
      for (const peer of [a, b]) peer.messages.length = 0;
      await b.call('listen', 'x:*');
      await b.call('join', '*y');
      await a.call('publish', 'x:1', 'text');
      await a.call('bytes', 'x:2', 0, 255);
      await a.call('publish', 'x:3', [{ deep: { er: 'ü' } }]);
      await a.call('publish', 'y', 'for the socket');
      await a.call('publish', 'z', 'for nobody');
      t.same(await b.received(4), [
        'heard "text"',
        'heard [0,255]',
        'heard [{"deep":{"er":"ü"}}]',
        'for the socket',
      ]);
      await b.call('leave', 'x:*');
      await a.call('publish', 'x:4', 'late');
      await a.call('publish', 'y', 'last');
      await b.received(5);
      t.same(b.messages.at(-1), 'last');
    });
    await t.test('to all but the sender', async (t) => {
      for (const peer of [a, b]) {
        peer.messages.length = 0;
        await peer.call('join', 'others');
      }
      const beside = await Peer.open(t, served.url);
      await beside.call('join', 'others');
      await a.call('others', 'others', 'from a');
      await b.call('others', 'others', 'from b');
      // Each worker hears what others publish in its own time.
      await Promise.all([a.received(1), b.received(1), beside.received(2)]);
      await a.call('publish', 'others', 'end');
      t.same(await a.received(2), ['from b', 'end']);
      t.same(await b.received(2), ['from a', 'end']);
      t.same([...(await beside.received(3))].sort(), ['end', 'from a', 'from b']);
    });
    await t.test('20,000 counts at once, and 3,000 locks', async (t) => {
      await b.call('join', 'counted');
      t.same(await a.call('counts', 'counted', 20_000), [1]);
      t.ok(await a.call('locked', 'many', 3000));
    });
    await t.test(
      'what is subscribed while a worker may send no more messages is heard all the same',
      async (t) => {
        for (const peer of [a, b]) peer.messages.length = 0;
        t.equal(await a.call('squeezeIn', 'squeezed'), 'ready');
        await b.call('publish', 'squeezed', 'in');
        t.same(await a.received(1), ['in']);
      },
    );
    await t.test('what was subscribed before the start', async (t) => {
      await a.call('publish', 'early', 'bird');
      await eventually('it has come', async () => String(await b.call('early')) === 'bird');
      t.same(await a.call('early'), ['bird']);
    });
    await t.test('a lock is held by one of them', async (t) => {
      const times = (await Promise.all(
        [a, b, a, b].map((peer) => peer.call('held', 'lock', 30_000, 30)),
      )) as [number, number][];
      times.sort(([one], [other]) => one - other);
      for (let i = 1; i < times.length; i++)
        t.ok((times[i]?.[0] ?? 0) >= (times[i - 1]?.[1] ?? 0), String(times));
    });
    await t.test('who is killed is not counted any more, and its locks are free', async (t) => {
      const more = await Peer.open(t, served.url);
      for (const peer of [a, b, more]) await peer.call('join', 'present');
      t.same([await a.call('count', 'present'), await b.call('count', 'present')], [3, 3]);
      await b.call('take', 'killed', 600_000, 0);
      await t.rejects(a.call('take', 'killed', 600_000, 10), { code: 'ERR_LOCK_TIMEOUT' });
      const left = more.pid === a.pid ? 2 : 1;
      process.kill(b.pid, 'SIGKILL');
      await eventually('they are gone', async () => (await a.call('count', 'present')) === left);
      await a.call('take', 'killed', 600_000, 30_000);
      await eventually('another worker is there', () => childrenOf(served.pid).length === 2);
      const [next] = (await Peer.openEach(t, served.url, 2)).filter(({ pid }) => pid !== a.pid) as [Peer];
      t.equal(await next.call('count', 'present'), left);
      await next.call('join', 'present');
      await a.call('publish', 'present', 'welcome');
      await next.received(1);
      t.equal(await a.call('count', 'present'), left + 1);
    });
    t.equal(await served.stop(), 0, served.log());
    t.notMatch(served.log(), /"level":50/);
  });
}

t.test('in workers of vela serve, and outside a stack', async (t) => {
  const module = 'test/support/channels-app.mjs';
  const flags = ['dist/cli/main.js', 'serve', module, '-w', '2', '--bind', '127.0.0.1:0'];
  const served = await startProgram(t, flags, { OUTSIDE: '1' });
  const [a, b] = (await Peer.openEach(t, served.url, 2)) as [Peer, Peer];
  await b.call('join', 'room');
  await a.call('publish', 'room', 'hello');
  t.same(await b.received(1), ['hello']);
  t.same(await a.call('statuses'), ['connected', 'connecting', 'connected']);
  t.equal(await served.stop(), 0);
});

t.test('the main program, a process and a thread', async (t) => {
  const program = runProgram(t, ['test/support/channels-actors.mjs']);
  t.equal(await program.ended, 0, program.log());
  t.same(program.lines, [
    'counts 3 3 3',
    'main heard process, thread',
    'process heard main, thread',
    'thread heard main, process',
    'while busy 4 4',
    'locked 30 times by 3',
    'counts 2 2',
  ]);
});

t.test('16 MiB wait for a process that stands still, however long it does', async (t) => {
  const program = runProgram(t, ['test/support/channels-held.mjs']);
  t.equal(await program.ended, 0, program.log());
  t.same(program.lines, [
    'some 16 MiB waited',
    'messages of channels to a worker are lost: more than 16777216 bytes wait',
  ]);
});

t.test('a data store without the package ioredis', async (t) => {
  const missing = {
    missing: 'ioredis',
    entry: './use.mjs',
    others: ['vela/channels'],
    files: {
      'use.mjs':
        "import { Channels } from 'vela/channels';\nawait new Channels({ dataStore: 'redis://127.0.0.1:1' }).start();\n",
    },
  };
  t.equal(
    await importWithout(t, missing),
    'ERR_CHANNELS_REDIS_MISSING | A data store needs the package ioredis: npm install ioredis | ERR_MODULE_NOT_FOUND',
  );
});
