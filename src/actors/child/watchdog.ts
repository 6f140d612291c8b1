import { Worker } from 'node:worker_threads';

/** An actor that lives shorter needs none, and a thread costs some ms, in ms. */
const DELAY_MS = 1000;
/** How often it looks, and how long it leaves the actor to stop by itself, in ms. */
const LOOK_MS = 500;
const PATIENCE_MS = 2500;

/** Looks from a thread of its own, as the loop of this process may be blocked for good: then nobody else would end it. */
const PROGRAM = `
const parent = Number(require('node:worker_threads').workerData);
const timer = setInterval(() => {
  if (process.ppid === parent) return;
  clearInterval(timer);
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${PATIENCE_MS});
}, ${LOOK_MS});
`;

/** Ends this process some seconds after its parent, whatever it does. It keeps no process up. */
export function startWatchdog(): void {
  const workerData = process.ppid;
  setTimeout(() => {
    // Without flags and environment nothing else is loaded there.
    const options = { eval: true, workerData, execArgv: [], env: {}, resourceLimits: LIMITS };
    new Worker(PROGRAM, options).unref();
  }, DELAY_MS).unref();
}

const LIMITS = { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, codeRangeSizeMb: 8, stackSizeMb: 1 };
