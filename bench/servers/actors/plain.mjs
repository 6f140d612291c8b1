/** The same by hand: a child process or thread that sends back what it is sent, and tickets to tell answers apart. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { runCalls } from '../../lib/executor-child.mjs';

const file = fileURLToPath(new URL('./plain-echo.mjs', import.meta.url));

await runCalls(async () => {
  const { send, on, close } = process.argv[3] === 'process' ? await startProcess() : await startThread();
  const waiting = new Map();
  let last = 0;
  on(([ticket, value]) => {
    waiting.get(ticket)(value);
    waiting.delete(ticket);
  });
  const call = () =>
    new Promise((resolve) => {
      waiting.set(++last, resolve);
      send([last, 'hello']);
    });
  return { call, close };
});

async function startProcess() {
  const child = fork(file, [], { serialization: 'advanced', execArgv: [] });
  await once(child, 'spawn');
  return { send: (message) => child.send(message), on: (listener) => child.on('message', listener), close: async () => child.kill() };
}

async function startThread() {
  const worker = new Worker(file);
  await once(worker, 'online');
  return {
    send: (message) => worker.postMessage(message),
    on: (listener) => worker.on('message', listener),
    close: () => worker.terminate(),
  };
}
