/** The samples of docs/security.md for Redis, run against a server of it as they stand there. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import t from 'tap';
import { type App, WsgiHandler, WsgiResponse } from '../src/index.js';
import {
  type RateLimitStore,
  rateLimit,
  type SessionStore,
  session,
  sessionOf,
} from '../src/middleware/index.js';
import { client } from './support/ask.js';
import { needsClient } from './support/run-client.js';

const WEEK_MS = 7 * 86_400_000;
const DECLARED = /^declare const redis: .*;$/m;

/** A module of a sample, which asks the Redis behind a socket. */
function writeSample(folder: string, socket: string, type: string): string {
  const blocks = [...readFileSync('docs/security.md', 'utf8').matchAll(/```ts\n(.*?)```/gs)].map(
    ([, code]) => code,
  );
  const sample = blocks.find((code) => code?.includes(`const store: ${type} = {`) && DECLARED.test(code));
  if (sample === undefined) throw new Error(`docs/security.md has no sample of a ${type}`);
  const connect = `import { Redis } from 'ioredis';\nexport const redis = new Redis({ path: ${JSON.stringify(socket)} });`;
  const file = join(folder, `${type}.mts`);
  writeFileSync(file, `${sample.replace(DECLARED, connect)}\nexport { store };\n`);
  return file;
}

t.test('the samples for Redis', async (t) => {
  if (!needsClient(t, 'redis-server', 'redis-server', '--version')) return;
  const folder = t.testdir({});
  // A relative path, as that of a socket may have no more than 107 characters.
  const server = spawn(
    'redis-server',
    ['--port', '0', '--unixsocket', 'redis.sock', '--save', '', '--appendonly', 'no', '--dir', folder],
    { stdio: 'ignore', cwd: folder },
  );
  const socket = join(folder, 'redis.sock');
  const redis = new Redis({ path: socket, retryStrategy: () => 20, maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  const opened: Redis[] = [redis];
  t.teardown(async () => {
    for (const one of opened) one.disconnect();
    server.kill();
    await once(server, 'exit');
  });
  await redis.ping();

  const load = async <S>(type: string): Promise<S> => {
    const sample = (await import(writeSample(folder, socket, type))) as { store: S; redis: Redis };
    opened.push(sample.redis);
    return sample.store;
  };

  await t.test('a bucket empties, says when to come back, and fills', async (t) => {
    const store = await load<RateLimitStore>('RateLimitStore');
    const bucket = { capacity: 3, windowMs: WEEK_MS };
    const seen: unknown[] = [];
    for (const cost of [0, 2, 2, 1, 1]) {
      const { isAllowed, remaining } = await store.take('a', cost, bucket);
      seen.push([isAllowed, Math.round(remaining)]);
    }
    t.same(seen, [
      [true, 3],
      [true, 1],
      [false, 1],
      [true, 0],
      [false, 0],
    ]);
    const refused = await store.take('a', 1, bucket);
    t.ok(Math.abs(refused.retryAfterMs - WEEK_MS / 3) < 10_000, `${refused.retryAfterMs}`);
    t.ok((await redis.pttl('rate:a')) > WEEK_MS - 10_000, 'a bucket is kept until it is full');
    t.equal((await store.take('b', 3, bucket)).isAllowed, true, 'another bucket is another');
    const quick = { capacity: 2, windowMs: 100 };
    t.equal((await store.take('c', 2, quick)).isAllowed, true);
    for (let i = 0; i < 500 && !(await store.take('c', 1, quick)).isAllowed; i++) await sleep(5);
    t.equal((await store.take('c', 1e-9, { capacity: 1, windowMs: 2_147_483_647_000 })).isAllowed, true);
  });

  await t.test('rateLimit() answers by it', async (t) => {
    const store = await load<RateLimitStore>('RateLimitStore');
    const app: App = () => new WsgiResponse({ content: 'ok' });
    const web = client(
      t,
      new WsgiHandler([rateLimit({ limit: 2, windowMs: 60_000, store, onStoreError: 'closed' }), app]),
    );
    const answers = [await web.get('/'), await web.get('/'), await web.get('/')];
    t.same(
      answers.map(({ status }) => status),
      [200, 200, 429],
    );
    t.match(answers[2]?.header('retry-after'), /^(?:29|30)$/);
    t.match(answers[0]?.header('ratelimit'), /^"default";r=1;t=\d+$/);
  });

  await t.test('two processes never grant more than the bucket has', async (t) => {
    const sample = writeSample(folder, socket, 'RateLimitStore');
    const child = join(folder, 'child.mts');
    writeFileSync(
      child,
      `import { redis, store } from ${JSON.stringify(sample)};
       await redis.ping();
       process.send('ready');
       await new Promise((resolve) => process.once('message', resolve));
       const takes = Array.from({ length: 1000 }, () => store.take('many', 1, { capacity: 500, windowMs: ${WEEK_MS} }));
       process.send((await Promise.all(takes)).filter(({ isAllowed }) => isAllowed).length);
       redis.disconnect();
       process.disconnect();`,
    );
    const children: ChildProcess[] = [0, 1].map(() =>
      spawn(process.execPath, ['--import=./scripts/tsx.mjs', child], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      }),
    );
    await Promise.all(children.map((one) => once(one, 'message')));
    const granted = children.map((one) => once(one, 'message'));
    for (const one of children) one.send('go');
    const counts = (await Promise.all(granted)).map(([count]) => Number(count));
    t.equal((counts[0] ?? 0) + (counts[1] ?? 0), 500, String(counts));
    await Promise.all(children.map((one) => one.exitCode ?? once(one, 'exit')));
  });

  await t.test('sessions are kept, renewed and ended in it', async (t) => {
    const store = await load<SessionStore>('SessionStore');
    t.equal(await store.set('a', 'one', 60_000, 'present'), false);
    t.equal(await store.set('a', 'one', 60_000, 'absent'), true);
    t.equal(await store.set('a', 'two', 60_000.5, 'absent'), false);
    t.equal(await store.get('a'), 'one');
    t.equal(await store.touch('a', 2_147_483_647_000), true);
    t.equal(await store.destroy('a'), true);
    t.same(
      [await store.get('a'), await store.destroy('a'), await store.touch('a', 5)],
      [undefined, false, false],
    );
    const sessions = session({ store });
    const web = client(
      t,
      new WsgiHandler(
        [
          sessions,
          async (environ) => {
            const found = await sessionOf(environ);
            if (environ.PATH_INFO === '/end') await found.destroy();
            else found.set('count', Number(found.get('count') ?? 0) + 1);
            return new WsgiResponse({ content: `${found.get('count')}` });
          },
        ],
        { responseMiddleware: [sessions.save] },
      ),
    );
    const counts = [];
    for (const path of ['/', '/', '/end', '/']) counts.push(await (await web.get(path)).text());
    t.same(counts, ['1', '2', 'undefined', '1']);
  });
});
