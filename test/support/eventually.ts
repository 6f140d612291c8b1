import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for what is seen from outside only. */
export async function eventually(what: string, condition: () => unknown): Promise<void> {
  const end = Date.now() + 30_000;
  while ((await condition()) !== true) {
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await sleep(5);
  }
}
