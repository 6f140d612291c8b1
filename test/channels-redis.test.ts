/** Channels by way of a Redis, which dies, comes back and stops answering; and the servers that use it. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { Channels } from '../src/channels/index.js';
import { serve, WsgiHandler } from '../src/index.js';
import { createAuthority, createFolder } from './support/certificates.js';
import { numbersOf, Peer } from './support/channels-peer.js';
import { eventually } from './support/eventually.js';
import { startRedis } from './support/redis-server.js';
import { startProgram } from './support/run-example.js';

const PROGRAM = 'test/support/channels-program.mjs';
const MANY = Array.from({ length: 1000 }, (_, i) => i);
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** Channels as on a machine of their own. */
async function openMachine(t: Test, dataStore: string, options = {}): Promise<Channels> {
  const channels = new Channels({ dataStore, ...options });
  t.teardown(() => channels.stop());
  await channels.start({ logger: quiet, config: {}, stopping: new AbortController().signal } as never);
  return channels;
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'resolved',
    (error: { code?: string }) => error.code,
  );

t.test('two machines', async (t) => {
  const redis = await startRedis(t);
  if (redis === undefined) return;
  const [a, b] = [
    await openMachine(t, redis.url, { maxMessageBytes: 100 }),
    await openMachine(t, redis.url, { maxMessageBytes: 100 }),
  ];
  const heard: unknown[] = [];
  const note = (message: unknown, channel: string) => heard.push([channel, message]);
  await b.subscribe('news', note).ready;
  await b.subscribe('a?[b]\\*', note, { isPattern: true }).ready;
  const here: unknown[] = [];
  a.subscribe('news', (message) => here.push(message));
  await a.publish('news', 'text');
  await a.publish('news', { a: ['ü'] });
  await a.publish('news', new Uint8Array([0, 255]));
  await a.publish('a?[b]\\c', 1);
  await a.publish('ax[b]\\c', 'unheard');
  for (const foreign of ['hello', '\u0001', `\u0001${'x'.repeat(8)}\u0001{`, 'x'.repeat(101)])
    await redis.client.publish('test:channels:news', foreign);
  await a.publish('news', 'last');
  await eventually('all has come', () => heard.length >= 6);
  t.same(heard, [
    ['news', 'text'],
    ['news', { a: ['ü'] }],
    ['news', new Uint8Array([0, 255])],
    ['a?[b]\\c', 1],
    ['news', 'hello'],
    ['news', 'last'],
  ]);
  await eventually('the foreign one came here, too', () => here.length >= 5);
  t.same(here, ['text', { a: ['ü'] }, new Uint8Array([0, 255]), 'hello', 'last'], 'none twice');
  const other = await openMachine(t, redis.url, { name: 'other' });
  other.subscribe('news', () => t.fail('channels of another name'));
  await a.publish('news', 'x');
  t.same([await a.count('news'), await b.count('news'), await other.count('news')], [2, 2, 1]);
  await b.stop();
  t.equal(await a.count('news'), 1);
});

t.test('a Redis that dies and comes back', async (t) => {
  const redis = await startRedis(t);
  if (redis === undefined) return;
  const [a, b] = [await openMachine(t, redis.url), await openMachine(t, redis.url)];
  const away = 'disconnected, The data store at 127.0.0.1';
  const statuses: string[] = [];
  a.onStatus((status, error) =>
    statuses.push(status === 'disconnected' ? `${status}, ${error?.message.slice(0, 27)}` : status),
  );
  const heard: number[] = [];
  const here: number[] = [];
  await b.subscribe('n', (message) => heard.push(message as number)).ready;
  a.subscribe('n', (message) => here.push(message as number));
  let rejected = 0;
  let isOver = false;
  let n = 0;
  const publishing = (async () => {
    for (; !isOver; n++) {
      const code = await codeOf(a.publish('n', n));
      if (code !== 'resolved') rejected++;
      if (code !== 'resolved') t.equal(code, 'ERR_CHANNELS_DISCONNECTED');
      await sleep(1);
    }
  })();
  for (let round = 1; round <= 2; round++) {
    const before = heard.length;
    await eventually('messages come', () => heard.length > before + 20);
    await redis.kill();
    await eventually('it is seen', () => a.status === 'disconnected' && b.status !== 'connected');
    t.equal(await codeOf(a.count('n')), 'ERR_CHANNELS_DISCONNECTED');
    const ready = b.subscribe(`late${round}`, () => heard.push(-round));
    await codeOf(ready.ready);
    await redis.start();
    await eventually('both are back', () => a.status === 'connected' && b.status === 'connected');
    await ready.ready;
    await a.publish(`late${round}`, 1);
    await eventually('the late one is subscribed', () => heard.includes(-round));
  }
  isOver = true;
  await publishing;
  await a.publish('n', n);
  await eventually('the last one comes', () => heard.at(-1) === n);
  t.same(
    here,
    Array.from({ length: n + 1 }, (_, i) => i),
    'who is in the same process loses nothing',
  );
  const numbers = heard.filter((one) => one >= 0);
  t.same(
    numbers,
    [...new Set(numbers)].sort((one, other) => one - other),
    'in order, none twice',
  );
  t.ok(rejected > 0, `${rejected} of ${n} were rejected`);
  t.same(
    statuses.filter((status, i) => status !== 'connecting' && status !== statuses[i - 2]),
    [away, 'connected', away, 'connected'],
  );
  t.equal(await a.count('n'), 2);
});

t.test('a Redis that stops answering', async (t) => {
  const redis = await startRedis(t);
  if (redis === undefined) return;
  const [a, b] = [await openMachine(t, redis.url), await openMachine(t, redis.url)];
  const heard: unknown[] = [];
  await b.subscribe('n', (message) => heard.push(message)).ready;
  redis.pause();
  const [published, counted, locked] = [a.publish('n', 1), a.count('n'), a.lock('l').acquire()];
  const megabyte = 'x'.repeat(1_000_000);
  const many = Array.from({ length: 20 }, () => codeOf(a.publish('n', megabyte)));
  t.equal(await many.at(-1), 'ERR_CHANNELS_BACKLOG');
  for (const one of [published, counted, locked]) t.equal(await codeOf(one), 'ERR_CHANNELS_DISCONNECTED');
  await eventually('it is seen', () => a.status !== 'connected');
  redis.resume();
  await eventually('both are back', () => a.status === 'connected' && b.status === 'connected');
  heard.length = 0;
  await a.publish('n', 'again');
  await eventually('it has come', () => heard.includes('again'));
});

t.test('a lock whose answer did not come in time is given back', async (t) => {
  const redis = await startRedis(t);
  if (redis === undefined) return;
  const [a, b] = [await openMachine(t, redis.url), await openMachine(t, redis.url)];
  redis.pause();
  t.equal(await codeOf(a.lock('l', { timeoutMs: 600_000 }).acquire()), 'ERR_CHANNELS_DISCONNECTED');
  redis.resume();
  await eventually('it can be had', async () => (await codeOf(b.lock('l').acquire())) === 'resolved');
});

t.test('a Redis that refuses', async (t) => {
  const redis = await startRedis(t);
  if (redis === undefined) return;
  const rights = ['+@connection', '+@pubsub', '+info', '&test:*', '+set', '+get', '+del', '+eval', '~test:*'];
  await redis.client.acl('SETUSER', 'able', 'on', '>pw', ...rights);
  await redis.client.acl('SETUSER', 'narrow', 'on', '>pw', ...rights.slice(0, 4));
  const able = await openMachine(t, redis.url.replace('//', '//able:pw@'));
  const narrow = await openMachine(t, redis.url.replace('//', '//narrow:pw@'));
  const heard: unknown[] = [];
  await able.subscribe('n', (message) => heard.push(message)).ready;
  await narrow.publish('n', 1);
  await eventually('it has come', () => heard.length === 1);
  t.same([await able.count('n'), await narrow.count('n')], [1, 1]);
  await (await able.lock('l').acquire()).release();
  const message = /^The data store at 127.0.0.1:\d+ refuses: NOPERM /;
  await t.rejects(narrow.lock('l').acquire(), { code: 'ERR_CHANNELS_REFUSED', message });
  t.equal(narrow.status, 'connected');
  await redis.client.replicaof('127.0.0.1', 1);
  await t.rejects(able.lock('l').acquire(), { code: 'ERR_CHANNELS_REFUSED', message: /refuses: READONLY / });
});

t.test('TLS, with an authority of its own and certificates for both sides', async (t) => {
  const folder = createFolder();
  t.teardown(() => folder.remove());
  const { caFile, certFile, keyFile } = createAuthority(folder.path, 'redis.test');
  const redis = await startRedis(t, [], { caFile, certFile, keyFile });
  if (redis === undefined) return;
  const [a, b] = (await Promise.all(
    [redis.url, redis.url.replace('rediss', 'valkeys')].map((url) =>
      openMachine(t, `${url}&ca=${caFile}&cert=${certFile}&key=${keyFile}`),
    ),
  )) as [Channels, Channels];
  const heard: unknown[] = [];
  await b.subscribe('n', (message) => heard.push(message)).ready;
  await a.publish('n', 'sealed');
  await eventually('it has come', () => heard.includes('sealed'));
  await a.lock('l').run(() => undefined);

  const refused = async (url: string) => {
    const channels = await openMachine(t, url);
    return channels.publish('n', 1).then(
      () => 'published',
      (error: Error) => error.message,
    );
  };
  t.match(await refused(redis.url), /is away: .*(self-signed certificate|unable to (get|verify))/);
  t.match(await refused(`${redis.url}&ca=${caFile}`), /is away: /, 'without a certificate of its own');
  t.match(await refused(redis.url.replace('rediss', 'redis')), /is away: /, 'without TLS');
  const wrong =
    (more: string, url = redis.url) =>
    () =>
      new Channels({ dataStore: `${url}&${more}` });
  t.throws(wrong('ca=/nowhere/ca.pem'), { message: /the file of "ca" cannot be read: ENOENT/ });
  t.throws(wrong(`cert=${certFile}`), { message: /"cert" and "key" belong together/ });
  t.throws(wrong(`ca=${caFile}`, 'redis://127.0.0.1/?namespace=a'), { message: /"ca" is for rediss:/ });
});

t.test('without a Redis, or the right password', async (t) => {
  const redis = await startRedis(t, ['--requirepass', 'sesame']);
  if (redis === undefined) return;
  const right = await openMachine(t, redis.url);
  t.equal(right.status, 'connected');
  t.equal(await right.count('a'), 0);
  const wrong = await openMachine(t, redis.url.replace('sesame', 'simsim'));
  t.equal(wrong.status, 'disconnected');
  const error = await wrong.publish('a', 1).catch((thrown: Error) => thrown);
  t.match(error, { code: 'ERR_CHANNELS_DISCONNECTED', message: /WRONGPASS|NOAUTH/ });
  await redis.kill();
  const early = new Channels({ dataStore: redis.url, name: 'early' });
  const server = await serve(new WsgiHandler([early, () => []]), { bind: '127.0.0.1:0', logLevel: 'silent' });
  t.equal(early.status, 'disconnected', 'the server starts');
  const heard: unknown[] = [];
  const subscription = early.subscribe('a', (message) => heard.push(message));
  t.equal(await codeOf(early.publish('a', 'here')), 'ERR_CHANNELS_DISCONNECTED');
  t.same(heard, ['here']);
  await redis.start();
  await eventually('it connects', () => early.status === 'connected');
  await subscription.ready;
  await redis.client.publish('test:early:a', 'there');
  await eventually('it has come', () => heard.includes('there'));
  await server.close();
  t.equal(early.status, 'closed');
});

t.test('locks', async (t) => {
  const redis = await startRedis(t);
  if (redis === undefined) return;
  const [a, b] = [await openMachine(t, redis.url), await openMachine(t, redis.url)];
  let inside = 0;
  let done = 0;
  const work = async () => {
    t.equal(++inside, 1);
    await sleep(5);
    inside--;
    done++;
  };
  await Promise.all([a, b, a, b, a, b].map((one) => one.lock('l').run(work)));
  t.equal(done, 6);
  const held = await a.lock('l').acquire();
  t.equal(await codeOf(b.lock('l', { waitMs: 0 }).acquire()), 'ERR_LOCK_TIMEOUT');
  t.equal(await codeOf(b.lock('l', { waitMs: 30 }).acquire()), 'ERR_LOCK_TIMEOUT');
  const ender = new AbortController();
  const waiting = b.lock('l').acquire({ signal: ender.signal });
  // It waits between two looks.
  await sleep(30);
  ender.abort(new Error('given up'));
  await t.rejects(waiting, { message: 'given up' });
  await held.release();
  const short = await a.lock('l', { timeoutMs: 50 }).acquire();
  const next = await b.lock('l', { waitMs: 10_000 }).acquire();
  t.equal(await codeOf(short.release()), 'ERR_LOCK_LOST');
  t.equal(await codeOf(a.lock('l', { waitMs: 0 }).acquire()), 'ERR_LOCK_TIMEOUT', 'it is the next one’s');
  await next.release();
  await redis.kill();
  await eventually('it is seen', () => a.status === 'disconnected');
  t.equal(await codeOf(a.lock('l').acquire()), 'ERR_CHANNELS_DISCONNECTED');
});

t.test('a lock is lost in time when the answer that it is had came late', async (t) => {
  const redis = await startRedis(t);
  if (redis === undefined) return;
  let delayMs = 0;
  const { port, pathname, search } = new URL(redis.url);
  const proxy = createServer((client) => {
    const server = connect(Number(port), '127.0.0.1');
    client.on('error', () => undefined).pipe(server);
    server.on('error', () => undefined).on('data', (bytes) => setTimeout(() => client.write(bytes), delayMs));
    client.on('close', () => server.destroy());
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => proxy.close());
  const at = (proxy.address() as AddressInfo).port;
  const channels = await openMachine(t, `redis://127.0.0.1:${at}${pathname}${search}`);
  delayMs = 1500;
  const beganMs = performance.now();
  const held = await channels.lock('late', { timeoutMs: 2000 }).acquire();
  await eventually('it is lost', () => held.signal.aborted);
  const tookMs = performance.now() - beganMs;
  t.ok(tookMs > 1900 && tookMs < 2900, `${tookMs} ms`);
});

for (const gateway of ['uws', 'node'] as const) {
  t.test(`two servers with workers: ${gateway}`, async (t) => {
    const redis = await startRedis(t);
    if (redis === undefined) return;
    const flags = [PROGRAM, '-w', '2', '--gateway', gateway, '--data-store', redis.url];
    const [one, two] = await Promise.all([startProgram(t, flags), startProgram(t, flags, { OUTSIDE: '1' })]);
    const [a, b] = (await Peer.openEach(t, one.url, 2)) as [Peer, Peer];
    const [c] = (await Peer.openEach(t, two.url, 1)) as [Peer];
    const peers = [a, b, c];
    for (const peer of peers) {
      await eventually('it is connected', async () => (await peer.call('status')) === 'connected');
      await peer.call('join', 'room');
    }
    await t.test('1,000 messages each way, in order and none twice', async (t) => {
      await Promise.all(peers.map((peer, i) => peer.call('burst', 'room', `p${i}`, 1000)));
      for (const peer of peers) {
        const messages = await peer.received(3000);
        for (const i of peers.keys()) t.same(numbersOf(messages, `p${i}`), MANY);
      }
    });
    await t.test('the Redis is killed in mid-flight, and comes back', async (t) => {
      for (const peer of peers) peer.messages.length = 0;
      const paced = [a.call('paced', 'room', 'a', 300, 5), c.call('paced', 'room', 'c', 300, 5)];
      await b.received(50);
      await redis.kill();
      await eventually('it is seen', async () => (await a.call('status')) === 'disconnected');
      await redis.start();
      await Promise.all(paced);
      for (const peer of peers)
        await eventually('it is back', async () => (await peer.call('status')) === 'connected');
      await a.call('publish', 'room', JSON.stringify({ name: 'end' }));
      for (const peer of peers) {
        await eventually('the end', () => peer.messages.at(-1)?.includes('end') === true);
        for (const name of ['a', 'c']) {
          const numbers = numbersOf(peer.messages, name);
          t.same(
            numbers,
            [...new Set(numbers)].sort((x, y) => x - y),
            'in order, none twice',
          );
        }
      }
      t.same(numbersOf(a.messages, 'a').length, 300, 'who is in the same process loses nothing');
    });
    await t.test('who is killed is not counted any more', async (t) => {
      for (const peer of peers) t.equal(await peer.call('count', 'room'), 3);
      process.kill(b.pid, 'SIGKILL');
      await eventually('it is gone', async () => (await c.call('count', 'room')) === 2);
      t.equal(await a.call('count', 'room'), 2);
    });
    t.same(await Promise.all([one.stop(), two.stop()]), [0, 0]);
    for (const { log } of [one, two]) t.notMatch(log(), /"level":50/);
  });
}
