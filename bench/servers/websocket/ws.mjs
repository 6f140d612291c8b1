import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { runRow } from '../../lib/child.mjs';

const echo = (server) => server.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })));
const fan = (server) =>
  server.on('connection', (socket) => {
    socket.on('message', (data, binary) => {
      for (const one of server.clients) one.send(data, { binary });
    });
  });
const apps = { echo64: echo, echo16k: echo, fan100: fan, fan1000: fan, idle: echo };

async function listen(serve) {
  const server = createServer();
  serve(new WebSocketServer({ server }));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server.address().port;
}

await runRow(apps, listen);
