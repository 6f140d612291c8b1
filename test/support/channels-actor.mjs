/** What channels-actors.mjs has in each of its processes and threads. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Channels } from 'vela/channels';

/** What one can be asked for. Its subscription is known to all when this resolves. */
export async function callsOf(name) {
  const channels = new Channels();
  const heard = [];
  const subscription = channels.subscribe('said', (by) => {
    if (by !== name) heard.push(by);
  });
  await subscription.ready;
  return {
    count: () => channels.count('said'),
    say: () => channels.publish('said', name),
    heard: () => heard,
    /** Keeps its actor busy until it has heard so many, or for 5 s. */
    async listen(count) {
      const end = Date.now() + 5000;
      while (heard.length < count && Date.now() < end) await sleep(1);
      return heard.length;
    },
    /** Takes a lock so many times. @returns from when to when, in µs of a clock that all share */
    async lock(times) {
      const lock = channels.lock('shared');
      const spans = [];
      const now = () => Number(process.hrtime.bigint() / 1000n);
      for (let i = 0; i < times; i++)
        await lock.run(async () => {
          const began = now();
          await sleep(1);
          spans.push([began, now()]);
        });
      return spans;
    },
  };
}

let calls;
const command =
  (name) =>
  (_request, ...args) =>
    calls[name](...args);

export default {
  async onStart({ args: [name] }) {
    calls = await callsOf(name);
  },
  commands: Object.fromEntries(
    ['count', 'say', 'heard', 'listen', 'lock'].map((name) => [name, command(name)]),
  ),
};
