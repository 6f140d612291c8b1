/**
 * Five philosophers, each a process, and a table that hands out their forks: nobody starves, and whoever is killed comes again.
 * The page asks the arbiter how they are.
 */
import { Router, WsgiHandler, WsgiResponse, WsgiServer } from 'vela';
import { type ActorInfo, arbiter, send } from 'vela/actors';
import { secureHeaders } from 'vela/middleware';
import { philosophersPage } from './page.js';
import { Table } from './table.js';

const NAMES = ['Hypatia', 'Socrates', 'Zhuangzi', 'Simone', 'Averroes'];

// The server has the signals: when it stops, so do they.
const master = await arbiter({ handleSignals: false }).start();
const table = new Table(NAMES.length);
await master.addMonitor({
  name: 'table',
  code: table,
  children: NAMES.map((name, seat) => ({
    module: new URL('./philosopher.ts', import.meta.url),
    export: 'Philosopher',
    name,
    taskMs: 1,
    config: { seat, seats: NAMES.length, eatingMs: 40, thinkingMs: 40 },
  })),
});

const describe = ({ actor, extra }: ActorInfo) => ({
  name: actor.name,
  pid: actor.processId,
  age: actor.age,
  uptimeSeconds: Math.round(actor.uptimeSeconds),
  ...extra,
});

const router = new Router()
  .get('/', ({ environ }) => new WsgiResponse({ content: philosophersPage(environ) }))
  .get('/info', async () => {
    const { monitors } = await send('arbiter', 'info');
    return { philosophers: (monitors?.table?.workers ?? []).map(describe) };
  })
  .post('/kill/:name', async ({ params }) => {
    const info = await send(params.name, 'info');
    process.kill(info.actor.processId, 'SIGKILL');
    return { killed: info.actor.processId };
  });

const site = new WsgiHandler([
  secureHeaders({
    contentSecurityPolicy: { directives: { 'script-src': ["'nonce'"], 'style-src': ["'nonce'"] } },
  }),
  router,
]);

await new WsgiServer(site).start();
