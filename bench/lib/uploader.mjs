/**
 * The sender, in a process of its own: writes a form of prepared buffers to a socket and reports how long it took until
 * the answer was there. It ends when its parent does.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { BLOCK, BOUNDARY, FORM_BEGIN, FORM_END } from './upload-form.mjs';

process.on('message', async (task) => {
  try {
    process.send(await upload(task));
  } catch (error) {
    process.send({ error: error.message });
  }
});
process.on('disconnect', () => process.exit(0));
process.send('ready');

async function upload({ port, path, blocks }) {
  const bodyBytes = FORM_BEGIN.length + blocks * BLOCK.length + FORM_END.length;
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const began = performance.now();
  const answer = readAnswer(socket);
  // A server that refuses the upload answers, and closes, before all is sent.
  const sent = send(socket, path, bodyBytes, blocks);
  const text = await Promise.race([answer, sent.then(() => answer)]);
  const ms = performance.now() - began;
  socket.destroy();
  return { ms, text };
}

async function send(socket, path, bodyBytes, blocks) {
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=${BOUNDARY}\r\nContent-Length: ${bodyBytes}\r\n\r\n`,
  );
  socket.write(FORM_BEGIN);
  for (let block = 0; block < blocks; block++) {
    if (!socket.write(BLOCK)) await once(socket, 'drain');
  }
  socket.write(FORM_END);
}

/** Gives the answer's status and body as `200 {...}`, once a whole JSON object is there. */
function readAnswer(socket) {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (part) => {
      text += part;
      const answer = /^HTTP\/1\.1 (\d+) [^]*\r\n\r\n[^]*?(\{[^}]*\})/.exec(text);
      if (answer !== null) resolve(`${answer[1]} ${answer[2]}`);
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`the connection closed; there was: ${text.slice(0, 300)}`)));
  });
}
