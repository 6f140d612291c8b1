/** A program with an arbiter, three processes and a thread, and one of them blocked if so told: it prints their process ids. */
import { setTimeout as sleep } from 'node:timers/promises';
import { arbiter, type SpawnOptions, send } from '../../src/actors/index.js';

const [, , file = ''] = process.argv;
const module = new URL('./actors.ts', import.meta.url);
const child = (name: string, kind: 'process' | 'thread'): SpawnOptions => ({
  module,
  export: 'noted',
  name,
  kind,
  config: { file },
  stopTimeoutMs: 30_000,
});

const one = await arbiter().start();
const monitor = await one.addMonitor({
  name: 'pool',
  children: [child('a', 'process'), child('b', 'process')],
});
await one.spawn(child('c', 'process'));
await one.spawn(child('d', 'thread'));
const names = [...monitor.workers.map(({ name }) => name), 'c', 'd'];
const infos = await Promise.all(names.map((name) => send(name, 'info')));
// Long enough for its watchdog to be up.
const [, , , blocks] = process.argv;
if (blocks === 'blocks') {
  await sleep(1500);
  void send('c', 'run', module, 'blocks');
  await send({ to: 'c', timeoutMs: 500 }, 'ping').catch(() => {});
}
console.log(JSON.stringify(infos.map(({ actor }) => actor.processId)));
