/** A server with workers, for tests: `node served.mjs` and flags. Plain JavaScript on dist, as users run it. */
import { existsSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { WsgiServer } from 'vela';

const { BROKEN_WHEN, LOADS_FOREVER, NEVER_STARTS } = process.env;
// Workers inherit it.
process.env.MAIN_PID ??= String(process.pid);
const isWorker = process.env.MAIN_PID !== String(process.pid);
if (isWorker && BROKEN_WHEN !== undefined && existsSync(BROKEN_WHEN)) throw new Error('broken at load');
if (isWorker && LOADS_FOREVER !== undefined) {
  console.log('loads for ever');
  for (;;);
}

const routes = {
  '/': () => [String(process.pid)],
  '/multi': (environ) => [String(environ['wsgi.multiprocess'])],
  '/cwd': () => [process.cwd()],
  '/loop': () => {
    for (;;);
  },
  '/exit': () => process.exit(3),
  '/throw': () => {
    setImmediate(() => {
      throw new Error('nobody catches this');
    });
    return ['thrown'];
  },
  '/slow': async () => {
    await sleep(1000);
    return [`slow ${process.pid}`];
  },
  '/hold': async (environ) => {
    underWay++;
    await new Promise((resolve) => {
      environ['vela.stopping'].addEventListener('abort', () => setTimeout(resolve, 1500));
    });
    return ['held'];
  },
  '/under-way': () => [`${underWay} at ${process.pid}`],
  async *'/stream'() {
    for (let i = 0; i < 10; i++) {
      yield `${i}\n`;
      await sleep(100);
    }
  },
  '/print': () => {
    process.stdout.write('printed\n');
    process.stderr.write('printed\n');
    return [String(process.pid)];
  },
  '/scribble': (environ) => {
    writeSync(3, Buffer.from(environ.QUERY_STRING, 'hex'));
    return [String(process.pid)];
  },
  '/leak': () => {
    kept.push(Buffer.alloc(8 * 1024 ** 2, 1));
    return [String(process.pid)];
  },
};
const kept = [];
let underWay = 0;

const app = (environ, startResponse) => {
  const handler = routes[environ.PATH_INFO];
  startResponse(handler === undefined ? '404 Not Found' : '200 OK', [['Content-Type', 'text/plain']]);
  return handler?.(environ) ?? ['not found'];
};

const hooks = {
  whenReady: () => console.log('hook whenReady'),
  monitorStart: () => console.log('hook monitorStart'),
  monitorStop: () => console.log('hook monitorStop'),
  workerStart: () => console.log(`hook workerStart ${process.pid}`),
  workerStop: () => console.log(`hook workerStop ${process.pid}`),
};
const server = new WsgiServer(app, {
  bind: '127.0.0.1:0',
  hooks: process.env.HOOKS === undefined ? {} : hooks,
});
if (!isWorker || NEVER_STARTS === undefined) await server.start();
