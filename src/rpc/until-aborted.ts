import { toError } from '../core/errors.js';
import { createGate } from '../core/gate.js';

/** Waits for a promise. @throws the reason of the signal, when it aborts meanwhile */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return await new Promise<T>((resolve, reject) => {
    const abort = () => reject(toError(signal.reason));
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** Waits for so many ms. @throws the reason of the signal, when it aborts meanwhile */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = createGate();
  const timer = setTimeout(resolve, ms);
  try {
    await untilAborted(promise, signal);
  } finally {
    clearTimeout(timer);
  }
}
