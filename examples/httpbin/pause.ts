import { setTimeout as sleep } from 'node:timers/promises';
import type { WsgiRequest } from 'vela';

/** Waits; rejects when the client leaves meanwhile, which ends the work for it. */
export async function pause({ signal }: WsgiRequest, seconds: number): Promise<void> {
  if (seconds > 0) await sleep(seconds * 1000, undefined, { signal });
}
