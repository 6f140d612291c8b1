import { fork, spawn } from 'node:child_process';

const running = new Map();

/** Starts a program that `stopAll` will end, by `signal`. */
export function startProgram(command, args, options, signal = 'SIGKILL') {
  return track(spawn(command, args, options), signal);
}

/** Starts a Node module that `stopAll` will end. */
export function startModule(file, args, options) {
  return track(fork(file, args, options), 'SIGKILL');
}

/** Ends, each by its id, all processes started here that still run. */
export function stopAll() {
  for (const [child, signal] of running) child.kill(signal);
}

/** Calls `onTimeout` unless `promise` settles in time. */
export async function withTimeout(promise, timeoutMs, onTimeout) {
  let timer;
  const timeout = new Promise((_resolve, reject) => {
    timer = setTimeout(() => {
      try {
        reject(onTimeout());
      } catch (error) {
        reject(error);
      }
    }, timeoutMs);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function track(child, signal) {
  running.set(child, signal);
  child.once('exit', () => running.delete(child));
  child.once('error', () => running.delete(child));
  return child;
}
