import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { runCalls } from '../../lib/executor-child.mjs';

/** An ArrayBuffer handed to a thread and back, and nothing else: what worker_threads itself takes. */
const ECHO = `require('node:worker_threads').parentPort.on('message', (buffer) => {
  require('node:worker_threads').parentPort.postMessage(buffer, [buffer]);
});`;

await runCalls(async ({ bodyBytes }) => {
  const worker = new Worker(ECHO, { eval: true });
  await once(worker, 'online');
  let buffer = new ArrayBuffer(bodyBytes);
  let answered;
  worker.on('message', (back) => {
    buffer = back;
    answered();
  });
  const call = () =>
    new Promise((resolve) => {
      answered = resolve;
      worker.postMessage(buffer, [buffer]);
    });
  return { call, close: () => worker.terminate() };
});
