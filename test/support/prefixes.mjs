/** A script of a main application and one with a prefix, for tests: `node prefixes.mjs` and flags. */
import { Application, WsgiServer } from 'vela';
import { arbiter } from 'vela/actors';

const app = (environ, startResponse) => {
  const { bind, workers, maxBodyBytes, logLevel, debug } = environ['vela.cfg'];
  startResponse('200 OK', [['Content-Type', 'application/json']]);
  return [JSON.stringify({ bind, workers, maxBodyBytes, logLevel, debug })];
};

const { WITHOUT_MAIN } = process.env;
if (WITHOUT_MAIN === undefined) new WsgiServer(app, { name: 'site', bind: '127.0.0.1:0', maxBodyBytes: 10 });
new WsgiServer(app, { prefix: 'api', bind: '127.0.0.1:0', maxBodyBytes: 20 });
new Application({ prefix: 'tick', name: 'ticker' });
await arbiter().start();
