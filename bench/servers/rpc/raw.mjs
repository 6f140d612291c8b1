import uWS from 'uWebSockets.js';
import { runRow } from '../../lib/child.mjs';
import { MESSAGES } from '../../lib/rpc-answers.mjs';

const LIMIT_BYTES = 1 << 20;
const methods = { add: (a, b) => a + b, echo: (value) => value };

const answerCall = ({ method, params, id }) => ({ jsonrpc: '2.0', result: methods[method](...params), id });

function answer(res, text) {
  const message = JSON.parse(text);
  res.writeHeader('Content-Type', 'application/json');
  res.end(JSON.stringify(Array.isArray(message) ? message.map(answerCall) : answerCall(message)));
}

function app(res) {
  let parts;
  let size = 0;
  res.onAborted(() => {});
  res.onData((part, isLast) => {
    size += part.byteLength;
    if (size > LIMIT_BYTES) return res.close();
    if (isLast && parts === undefined) return answer(res, Buffer.from(part).toString());
    // The view dies with this callback.
    parts = [...(parts ?? []), Buffer.from(part.slice(0))];
    if (isLast) answer(res, Buffer.concat(parts, size).toString());
  });
}

function listen() {
  // Leaves out the uWebSockets response header, as the servers built on it do.
  uWS._cfg('silent');
  const server = uWS.App();
  server.post('/', app);
  return new Promise((resolve, reject) => {
    server.listen('127.0.0.1', 0, (socket) => {
      if (socket === false) reject(new Error('Could not listen on 127.0.0.1'));
      else resolve(uWS.us_socket_local_port(socket));
    });
  });
}

await runRow(MESSAGES, listen);
