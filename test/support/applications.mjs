/** A script of two applications of its own, for tests: `node applications.mjs` and flags. Plain JavaScript on dist. */
import { Application, getApplication, WsgiServer } from 'vela';
import { arbiter, command, send } from 'vela/actors';

const say = (hook, actor) => console.log(`${hook} ${actor?.name ?? ''} ${process.pid}`);
const { FAILS, LEFT_OUT, GIVEN_LOGGER } = process.env;
// Workers inherit it.
process.env.MAIN_PID ??= String(process.pid);
const isWorker = process.env.MAIN_PID !== String(process.pid);

command('greet', ({ actor, sender }, name) => `hello ${name}, from ${actor.name} to ${sender?.name}`);

class Ticker extends Application {
  ticks = 0;

  onConfig(given) {
    say('onConfig', given.actor);
    if (FAILS === 'onConfig') throw new Error('onConfig has failed');
    return LEFT_OUT === undefined;
  }

  monitorStart(monitor) {
    say('monitorStart', monitor);
    if (FAILS === 'monitorStart') throw new Error('monitorStart has failed');
  }

  monitorTask(monitor) {
    monitor.logger.info({ app: this.name }, 'the monitor has a turn');
  }

  monitorInfo(monitor, info) {
    return { told: monitor.name, known: info.actor.name };
  }

  monitorStop(monitor) {
    say('monitorStop', monitor);
  }

  workerStart(worker) {
    say('workerStart', worker);
    if (FAILS === 'workerStart') throw new Error('workerStart has failed');
  }

  workerTask(worker) {
    this.ticks++;
    worker.logger.info({ ticks: this.ticks }, 'tick');
    if (FAILS === 'workerTask') throw new Error('workerTask has failed');
  }

  workerInfo(_worker, info) {
    return { ticks: this.ticks, known: info.actor.name };
  }

  workerStop(worker) {
    say('workerStop', worker);
  }

  whenReady() {
    say('whenReady');
  }
}

const routes = {
  '/info': () => send('ticker', 'info'),
  '/worker': () => send('ticker-1', 'greet', 'Ann'),
  '/monitor': () => send('ticker', 'greet', 'Ann'),
  '/own': () => send('monitor', 'greet', 'Ann'),
  '/settings': () => [getApplication('ticker').settings.workers, getApplication('site').settings.workers],
  '/nobody': () => send('nobody', 'greet').catch(({ code }) => code),
  '/self': () => getApplication('site') === site,
};
const app = async (environ, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'application/json']]);
  return [JSON.stringify(await routes[environ.PATH_INFO]())];
};

const hooks = {
  whenReady: () => say('given whenReady'),
  workerStop: (worker) => say('given workerStop', worker),
};
new Ticker({ workers: 2, hooks });
const site = new WsgiServer(app, { name: 'site', bind: '127.0.0.1:0' });
if (GIVEN_LOGGER !== undefined && !isWorker) {
  const line = (level) => (_details, message) => console.log(`own ${level} ${message}`);
  arbiter({ logger: { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') } });
}
await arbiter().start();
console.log('started');
