import type { Exchange } from '../core/exchange.js';
import type { OpenListeners } from './open-listeners.js';

/** How often a stopping server looks whether its requests have ended. */
const DRAIN_CHECK_MS = 10;
/** How long connections have to take the last bytes, and requests that were cut to clean up. */
const LINGER_MS = 100;

/** Stops accepting, waits for the requests under way, and cuts what is left after so many ms. */
export async function drain({ listeners, services }: OpenListeners, timeoutMs: number): Promise<void> {
  for (const service of services) service.isDraining = true;
  for (const listener of listeners) listener.stopAccepting();
  const queues = new Set(services.flatMap(({ waits, stalls }) => [waits, stalls]));
  await waitUntil(() => [...queues].every((queue) => queue.isEmpty), timeoutMs);
  const late = [...queues].flatMap((queue) => [...queue]);
  for (const exchange of late) (exchange as Exchange<never>).cutOff();
  for (const queue of queues) queue.stop();
  // What was cut has this long for its `finally` blocks, other connections to take their last bytes.
  const isQuiet = () => late.length === 0 && listeners.every(({ connections }) => connections === 0);
  await waitUntil(isQuiet, LINGER_MS);
  await Promise.all(listeners.map((listener) => listener.destroy()));
}

async function waitUntil(isDone: () => boolean, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!isDone() && performance.now() < deadline) {
    await new Promise((resolve) => {
      setTimeout(resolve, DRAIN_CHECK_MS);
    });
  }
}
