import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for so many ms. @throws the reason of the signal, when it aborts meanwhile */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal && { signal });
  } catch {
    signal?.throwIfAborted();
  }
}
