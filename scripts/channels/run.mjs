/**
 * How long a message of a channel takes from one process of a program to another, and how many go through:
 * `node scripts/channels/run.mjs`. DATA_STORE=redis://127.0.0.1 measures the way by a Redis.
 */
import { fork } from 'node:child_process';
import { on } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { arbiter, send, spawn } from 'vela/actors';

/** Enough for all of it to be compiled, on both ways. */
const WARM_UP = 2000;
const PACED = 3000;
const BURST = 200_000;
const module = new URL('./workers.mjs', import.meta.url);

const show = (delaysUs) => {
  const sorted = delaysUs.sort((one, other) => one - other);
  const at = (share) => `${Math.round(sorted[Math.floor(sorted.length * share)])} µs`;
  return `p50 ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}`;
};

await arbiter().start();
const to = await spawn({ module, export: 'listener', name: 'listener' });
const from = await spawn({ module, export: 'publisher', name: 'publisher' });

async function allOf(count) {
  while ((await send(to, 'heard')) < count) await sleep(5);
}

// First, as all of it is compiled then: a compiler beside it holds up one message in a hundred for milliseconds.
const beganMs = performance.now();
await send({ to: from, timeoutMs: 120_000 }, 'burst', BURST);
await allOf(BURST);
const seconds = (performance.now() - beganMs) / 1000;
console.log(`1,000 at a time: ${Math.round(BURST / seconds).toLocaleString('en')} messages/s`);
await send(to, 'takeDelays');
await send({ to: from, timeoutMs: 60_000 }, 'paced', WARM_UP);
await allOf(WARM_UP);
await send(to, 'takeDelays');
await send({ to: from, timeoutMs: 60_000 }, 'paced', PACED);
await allOf(PACED);
console.log(`a message, one every 2 ms: ${show(await send(to, 'takeDelays'))}`);
console.log(`the same way by hand, without channels: ${show(await measureByHand())}`);

await arbiter().stop();

/** From one process by this one to another by `child_process`, each message answered on each way. */
async function measureByHand() {
  const count = WARM_UP + PACED;
  const run = (role) =>
    fork(new URL('./by-hand.mjs', import.meta.url), [role, String(count)], { serialization: 'advanced' });
  const to = run('listener');
  const from = run('publisher');
  from.on('message', (sentAt) => {
    to.send(sentAt);
    from.send('taken');
  });
  for await (const [answer] of on(to, 'message')) {
    if (answer === 'taken') continue;
    from.kill();
    to.kill();
    return answer.slice(WARM_UP);
  }
}
