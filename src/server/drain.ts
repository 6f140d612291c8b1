import type { Exchange } from '../core/exchange.js';
import type { GatewayService } from '../gateway/gateway.js';
import type { OpenListeners } from './open-listeners.js';

/** How often a stopping server looks whether its requests have ended. */
const DRAIN_CHECK_MS = 10;
/** How long connections have to take the last bytes, and requests that were cut to clean up. */
const LINGER_MS = 100;

/** What is stopped. */
interface Drained extends Pick<OpenListeners, 'listeners'> {
  readonly services: readonly Pick<GatewayService, 'isDraining' | 'waits' | 'stalls'>[];
}

/**
 * Stops accepting, waits for the requests under way, and cuts what is left after so many ms.
 * @param idleMs - how long connections without a request are kept, within that time: a request that comes meanwhile is
 * answered, and its connection told to close
 */
export async function drain({ listeners, services }: Drained, timeoutMs: number, idleMs = 0): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  const leftMs = () => deadline - performance.now();
  for (const service of services) service.isDraining = true;
  for (const listener of listeners) listener.stopAccepting();
  const queues = new Set(services.flatMap(({ waits, stalls }) => [waits, stalls]));
  const isDone = () => [...queues].every((queue) => queue.isEmpty);
  const isQuiet = () => listeners.every(({ connections }) => connections === 0);
  await waitUntil(isDone, leftMs());
  await waitUntil(isQuiet, Math.min(idleMs, leftMs()));
  await waitUntil(isDone, leftMs());
  const late = [...queues].flatMap((queue) => [...queue]);
  for (const exchange of late) (exchange as Exchange<never>).cutOff();
  for (const queue of queues) queue.stop();
  // What was cut has this long for its `finally` blocks, other connections to take their last bytes.
  await waitUntil(() => late.length === 0 && isQuiet(), LINGER_MS);
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
