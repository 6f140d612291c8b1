import { serve, WsgiHandler } from '../../../dist/index.js';
import { websocket } from '../../../dist/websocket/index.js';
import { runRow } from '../../lib/child.mjs';

const echo = () => ({
  message(socket, message) {
    socket.send(message);
  },
});
const fan = async () => {
  const { Channels } = await import('../../../dist/channels/index.js');
  const channels = new Channels();
  return {
    open(socket) {
      channels.subscribe('all', socket);
    },
    message(_socket, message) {
      channels.publish('all', message);
    },
  };
};
const apps = { echo64: echo, echo16k: echo, fan100: fan, fan1000: fan, idle: echo };
const gateway = process.argv[3];

async function listen(handlers) {
  const app = new WsgiHandler([websocket('/', await handlers())]);
  const server = await serve(app, { bind: '127.0.0.1:0', gateway });
  return server.address.port;
}

await runRow(apps, listen);
