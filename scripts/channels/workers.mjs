/** The two processes that scripts/channels/run.mjs measures: both run this. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Channels } from 'vela/channels';

const { DATA_STORE: dataStore } = process.env;
const channels = new Channels(dataStore === undefined ? {} : { dataStore });
let delaysUs = [];
let heard = 0;

export const listener = {
  onStart: () =>
    channels.subscribe('measured', (sentAt) => {
      heard++;
      delaysUs.push(Number(process.hrtime.bigint() - BigInt(sentAt)) / 1000);
    }).ready,
  commands: {
    takeDelays() {
      const taken = delaysUs;
      delaysUs = [];
      heard = 0;
      return taken;
    },
    heard: () => heard,
  },
};

export const publisher = {
  onStart: () => channels.start(),
  commands: {
    async paced(_request, count) {
      for (let i = 0; i < count; i++) {
        void channels.publish('measured', String(process.hrtime.bigint()));
        await sleep(2);
      }
    },
    /** As fast as they leave, 1,000 at a time. */
    async burst(_request, count) {
      for (let i = 0; i < count; i += 1000) {
        const sent = [];
        for (let j = 0; j < 1000; j++)
          sent.push(channels.publish('measured', String(process.hrtime.bigint())));
        await Promise.all(sent);
      }
    },
  },
};
