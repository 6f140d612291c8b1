/** Clients that use a server while it is killed, reloaded and stopped. */
import { connect } from 'node:net';
import { HOST, until } from './server.mjs';

const KEPT = 12;
const FRESH = 4;
const REQUEST_MS = 15_000;

/** Clients that ask one request after the other: some keep their connection, some make one for each. */
export function startLoad(port, kept = KEPT, fresh = FRESH) {
  const seen = new Map();
  const clients = new Set();
  const failures = [];
  let answered = 0;
  let retried = 0;
  let isOver = false;
  const run = async (client) => {
    while (!isOver) {
      try {
        const { body } = await client.ask();
        answered++;
        client.pid = Number(body);
        if (!seen.has(client.pid)) seen.set(client.pid, performance.now());
      } catch (error) {
        if (error.isRetryable) retried++;
        else failures.push(error.message);
      }
    }
    client.close();
  };
  for (let i = 0; i < kept + fresh; i++) clients.add(new Client(port, i < kept));
  const runs = [...clients].map(run);
  return {
    get pids() {
      return new Set(seen.keys());
    },
    firstSeenMs: (pid) => seen.get(pid),
    /** Connections that are open to a worker, those that are just being made included. */
    connectionsTo: (pid) => [...clients].filter((client) => client.pid === pid || !client.isKept).length,
    settled: () => until('clients are served', () => answered > 100),
    async stop() {
      isOver = true;
      await Promise.all(runs);
      return { answered, failures, retried };
    },
  };
}

class Client {
  pid = 0;
  #port;
  #socket;
  constructor(port, isKept) {
    this.#port = port;
    this.isKept = isKept;
  }

  async ask() {
    const isReused = this.#socket !== undefined;
    this.#socket ??= connect(this.#port, HOST).setNoDelay();
    try {
      const answer = await exchange(this.#socket, '/', this.isKept);
      if (!this.isKept || /\r\nconnection: close/i.test(answer.head)) this.close();
      return answer;
    } catch (error) {
      this.close();
      error.isRetryable = isReused && error.receivedBytes === 0;
      throw error;
    }
  }

  close() {
    this.#socket?.destroy();
    this.#socket = undefined;
  }
}

/** A request on a connection of its own, which the client would keep or not. */
export async function request(port, path, isKept = false) {
  const socket = connect(port, HOST);
  try {
    return await exchange(socket, path, isKept);
  } finally {
    socket.destroy();
  }
}

/** One request and its response, by length, in chunks, or to the end. */
function exchange(socket, path, isKept) {
  return new Promise((resolve, reject) => {
    let text = '';
    const fail = (why) => {
      settle();
      reject(Object.assign(new Error(why), { receivedBytes: text.length }));
    };
    const onData = (bytes) => {
      text += bytes.toString('latin1');
      const at = text.indexOf('\r\n\r\n');
      if (at === -1) return;
      const head = text.slice(0, at);
      const rest = text.slice(at + 4);
      const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
      if (length === undefined ? !rest.endsWith('0\r\n\r\n') : rest.length < Number(length)) return;
      settle();
      resolve({
        head,
        body:
          length === undefined
            ? rest
                .replace(/(^|\r\n)[0-9a-f]+\r\n/g, '')
                .trimStart()
                .replace(/\r\n$/, '')
            : rest,
      });
    };
    const onError = (error) => fail(error.code);
    const onEnd = () => fail('closed');
    const timer = setTimeout(() => fail('no answer'), REQUEST_MS);
    // What breaks between two requests shows at the next one.
    if (socket.listenerCount('error') === 0) socket.on('error', () => {});
    const settle = () => {
      clearTimeout(timer);
      socket.off('data', onData).off('error', onError).off('close', onEnd);
    };
    socket.on('data', onData).once('error', onError).once('close', onEnd);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: chaos\r\n${isKept ? '' : 'Connection: close\r\n'}\r\n`);
  });
}
