/**
 * Hello world: GET answers text, everything else is 405.
 */
import { type App, MethodNotAllowed, WsgiServer } from 'vela';

const hello: App = (environ, startResponse) => {
  if (environ.REQUEST_METHOD !== 'GET' && environ.REQUEST_METHOD !== 'HEAD')
    throw new MethodNotAllowed(['GET', 'HEAD']);
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return ['Hello World!\n'];
};

await new WsgiServer(hello).start();
