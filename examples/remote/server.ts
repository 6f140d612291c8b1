/**
 * Functions of another process, called by module and name as if they were here: two workers compute, and the server answers on.
 * What they throw is thrown here.
 */
import { BadRequest, Router, WsgiHandler, WsgiServer } from 'vela';
import { arbiter, send } from 'vela/actors';

const library = new URL('./library.ts', import.meta.url);

// The server has the signals: when it stops, so do they.
const master = await arbiter({ handleSignals: false }).start();
await master.addMonitor({
  name: 'workers',
  children: [{ module: new URL('./worker.ts', import.meta.url), name: 'worker', workers: 2 }],
});

let turn = 0;
const nextWorker = () => `worker-${1 + (turn++ % 2)}`;

const router = new Router()
  .get('/', () => 'GET /fibonacci/30, /count/NAME or /divide/1/0\n')
  .get('/fibonacci/:n', { params: { n: 'int' } }, ({ params }) =>
    send(nextWorker(), 'run', library, 'fibonacci', params.n),
  )
  .get('/count/:name', async ({ params }) => ({
    count: await send('worker-1', 'run', library, 'increment', params.name),
  }))
  .get('/divide/:a/:b', async ({ params }) => {
    try {
      return {
        value: await send(nextWorker(), 'run', library, 'divide', Number(params.a), Number(params.b)),
      };
    } catch (error) {
      if (error instanceof RangeError) throw new BadRequest(error.message, { cause: error });
      throw error;
    }
  })
  .get('/workers', async () => (await send('arbiter', 'info')).monitors?.workers?.workers ?? []);

await new WsgiServer(new WsgiHandler([router])).start();
