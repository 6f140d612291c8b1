/** A server with workers, which run this file again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { WsgiServer } from '../../dist/index.js';

const handlers = {
  '/': () => [String(process.pid)],
  '/loop': () => {
    for (;;);
  },
  '/slow': async () => {
    await sleep(2000);
    return ['slow'];
  },
  async *'/stream'() {
    for (let i = 0; i < 20; i++) {
      yield `${i}\n`;
      await sleep(100);
    }
  },
};
const app = (environ, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return handlers[environ.PATH_INFO]?.() ?? ['?'];
};
await new WsgiServer(app).start();
