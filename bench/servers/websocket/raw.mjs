import uWS from 'uWebSockets.js';
import { runRow } from '../../lib/child.mjs';

const limits = { maxPayloadLength: 1024 ** 2, maxBackpressure: 1024 ** 2, idleTimeout: 60, sendPingsAutomatically: true };

const echo = () => ({ message: (socket, message, isBinary) => socket.send(message, isBinary) });
const fan = (app) => ({
  open: (socket) => socket.subscribe('all'),
  message: (_socket, message, isBinary) => app.publish('all', message, isBinary),
});
const apps = { echo64: echo, echo16k: echo, fan100: fan, fan1000: fan, idle: echo };

function listen(behavior) {
  uWS._cfg('silent');
  const app = uWS.App();
  app.ws('/*', { ...limits, ...behavior(app) });
  return new Promise((resolve, reject) => {
    app.listen('127.0.0.1', 0, (socket) => {
      if (socket === false) reject(new Error('Could not listen on 127.0.0.1'));
      else resolve(uWS.us_socket_local_port(socket));
    });
  });
}

await runRow(apps, listen);
