/** The two processes that run.mjs measures without channels: `publisher` says the time, and `listener` hears it. */
import { setTimeout as sleep } from 'node:timers/promises';

const roles = {
  async publisher(count) {
    // Its answers say that a message was taken.
    process.on('message', () => {});
    for (let i = 0; i < count; i++) {
      process.send(String(process.hrtime.bigint()));
      await sleep(2);
    }
  },
  listener(count) {
    const delaysUs = [];
    process.on('message', (sentAt) => {
      delaysUs.push(Number(process.hrtime.bigint() - BigInt(sentAt)) / 1000);
      process.send(delaysUs.length < count ? 'taken' : delaysUs);
    });
  },
};

const [, , role, count] = process.argv;
await roles[role](Number(count));
