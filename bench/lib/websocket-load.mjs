/**
 * Load for WebSockets, in a process of its own: opens connections, keeps messages under way, and counts what comes.
 * Asked with `{ seconds }` it answers `{ count, elapsedMs }`; settings are its first argument.
 */
import { once } from 'node:events';
import { connect } from 'node:net';

const { port, connections, messageBytes, senders } = JSON.parse(process.argv[2]);
const HANDSHAKE = `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`;
/** So many handshakes at once. */
const AT_ONCE = 100;

const message = frame(messageBytes);
/** What comes back has no mask. */
const answerBytes = message.length - 4;
let isRunning = false;
let count = 0;

const sockets = [];
for (let from = 0; from < connections; from += AT_ONCE)
  sockets.push(...(await Promise.all(Array.from({ length: Math.min(AT_ONCE, connections - from) }, open))));

sockets.forEach((socket, at) => {
  const isSender = at < senders;
  let pending = 0;
  socket.on('data', (bytes) => {
    pending += bytes.length;
    const whole = Math.floor(pending / answerBytes);
    pending -= whole * answerBytes;
    count += whole;
    // One of the sender's own comes back for each that it has sent, so as many are under way as at first.
    if (isSender && isRunning && whole > 0) for (let i = 0; i < (senders === 1 ? whole : 1); i++) socket.write(message);
  });
  socket.once('close', () => process.exit(1));
});

process.on('message', ({ seconds }) => void run(seconds));
process.on('disconnect', () => process.exit(0));
process.send({ isReady: true });

async function run(seconds) {
  isRunning = true;
  count = 0;
  const beganMs = performance.now();
  for (const socket of sockets.slice(0, senders)) {
    socket.write(message);
    // A broadcast has two under way, so that the server does not wait for the generator.
    if (senders === 1) socket.write(message);
  }
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  isRunning = false;
  process.send({ count, elapsedMs: performance.now() - beganMs });
}

async function open() {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  socket.write(HANDSHAKE);
  const [bytes] = await once(socket, 'data');
  if (!bytes.toString('latin1').startsWith('HTTP/1.1 101 ')) throw new Error(bytes.toString('latin1'));
  return socket;
}

/** A text frame, masked with zeros: the server unmasks it all the same. */
function frame(length) {
  const head = length < 126 ? Buffer.of(0x81, 0x80 | length) : Buffer.of(0x81, 0xfe, length >> 8, length & 0xff);
  return Buffer.concat([head, Buffer.alloc(4), Buffer.alloc(length, 'x')]);
}
