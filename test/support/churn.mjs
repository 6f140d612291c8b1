/**
 * Spawns and stops many actors again and again, and prints what the process has before and after: file descriptors, threads,
 * what keeps its loop up, listeners, children. Plain JavaScript on dist, so that an actor costs what it costs users.
 * Usage: node churn.mjs process|thread ACTORS ROUNDS
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { arbiter, send, spawn, watch } from 'vela/actors';

const [, , kind, actors, rounds] = process.argv;
const PATIENCE_MS = 20_000;
/** How many start at once. */
const WIDE = 8;

const look = () => ({
  files: readdirSync('/proc/self/fd').length,
  threads: readdirSync('/proc/self/task').length,
  children: readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim(),
  resources: process.getActiveResourcesInfo().sort().join(),
  listeners: process
    .eventNames()
    .map((name) => `${String(name)} ${process.listenerCount(name)}`)
    .join(),
});

async function round(count) {
  const made = [];
  while (made.length < count) {
    const some = Array.from({ length: Math.min(WIDE, count - made.length) }, () =>
      spawn({ module: new URL('./churn-actor.mjs', import.meta.url), kind }),
    );
    made.push(...(await Promise.all(some)));
  }
  await Promise.all(made.map((one) => send(one, 'ping')));
  await Promise.all(made.map((one) => send(one, 'stop').then(() => watch(one))));
}

await arbiter().start();
await round(2);
await sleep(100);
const before = look();
for (let i = 0; i < Number(rounds); i++) await round(Number(actors));
const end = Date.now() + PATIENCE_MS;
let after = look();
// Threads of the runtime come and go by themselves.
while (JSON.stringify(after) !== JSON.stringify(before) && Date.now() < end) {
  await sleep(20);
  after = look();
}
await arbiter().stop();
console.log(JSON.stringify({ before, after, uptime: process.uptime() }));
