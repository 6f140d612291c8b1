/** Channels of a program that has actors and no server: each hears what the others publish. */
import { arbiter, send, spawn } from 'vela/actors';
import { callsOf } from './channels-actor.mjs';

await arbiter().start();
const names = ['main', 'process', 'thread'];
const module = new URL('./channels-actor.mjs', import.meta.url);
for (const kind of ['process', 'thread'])
  await spawn({ module, name: kind, kind, args: [kind], concurrency: 1 });
const calls = await callsOf('main');
const ask = (name, call, ...args) => (name === 'main' ? calls[call](...args) : send(name, call, ...args));

const counts = async (asked) => {
  const found = [];
  for (const name of asked) found.push(await ask(name, 'count'));
  console.log(`counts ${found.join(' ')}`);
};
await counts(names);
for (const name of names) await ask(name, 'say');
for (const name of names) {
  while ((await ask(name, 'heard')).length < 2) await new Promise(setImmediate);
  console.log(`${name} heard ${(await ask(name, 'heard')).sort().join(', ')}`);
}
// What keeps them from their mailboxes does not keep them from channels.
const busy = ['process', 'thread'].map((name) => send(name, 'listen', 4));
await calls.say();
await calls.say();
console.log(`while busy ${(await Promise.all(busy)).join(' ')}`);
const spans = (await Promise.all(names.map((name) => ask(name, 'lock', 10)))).flat();
spans.sort(([one], [other]) => one - other);
const isOrdered = spans.every(([began], i) => i === 0 || began >= spans[i - 1][1]);
console.log(isOrdered ? `locked ${spans.length} times by ${names.length}` : JSON.stringify(spans));
await send('arbiter', 'kill_actor', 'thread');
await counts(['main', 'process']);
await arbiter().stop();
