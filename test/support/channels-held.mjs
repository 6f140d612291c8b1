/** A program whose actor stands still for longer than answers are waited for. Plain JavaScript on dist. */
import { setTimeout as sleep } from 'node:timers/promises';

// Half a minute passes in a tenth of a second.
const { setTimeout } = globalThis;
globalThis.setTimeout = (run, ms, ...args) => setTimeout(run, ms === 30_000 ? 100 : ms, ...args);

const { arbiter, send, spawn } = await import('vela/actors');
const { Channels } = await import('vela/channels');

const warned = [];
const logger = { debug() {}, info() {}, warn: (_details, message) => warned.push(message), error() {} };
await arbiter({ logger }).start();
const module = new URL('./channels-actor.mjs', import.meta.url);
const times = { startTimeoutMs: 20_000, timeoutMs: 20_000 };
const { id } = await spawn({ module, name: 'held', args: ['held'], ...times });
const ask = (command) => send({ to: id, timeoutMs: 20_000 }, command);
const { processId } = (await ask('info')).actor;
process.kill(processId, 'SIGSTOP');
const channels = new Channels();
const text = 'x'.repeat(65_536);
for (let i = 0; i < 5; i++) {
  for (let j = 0; j < 300; j++) {
    void channels.publish('said', text);
    await new Promise(setImmediate);
  }
  await sleep(150);
}
process.kill(processId, 'SIGCONT');
let heard = 0;
for (let last = -1; last !== heard || heard < 2; await sleep(200)) {
  last = heard;
  heard = (await ask('heard')).length;
}
await channels.publish('said', 'again');
while ((await ask('heard')).at(-1) !== 'again') await sleep(10);
console.log(`${heard > 200 && heard < 300 ? 'some 16 MiB' : heard} waited`);
console.log(warned.join('; '));
await arbiter().stop();
