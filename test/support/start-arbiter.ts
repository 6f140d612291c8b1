/** What the tests of actors have in common; not in actors.ts, which the actors load. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import './bare-threads.js';
import { type Arbiter, type ArbiterOptions, arbiter } from '../../src/actors/index.js';
import type { VelaError } from '../../src/index.js';

/** A logger that says nothing. */
export const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** An arbiter that ends with its test. */
export async function startArbiter(t: Test, options: ArbiterOptions = {}): Promise<Arbiter> {
  const one = arbiter({ logger: quiet, handleSignals: false, ...options });
  t.teardown(() => one.stop());
  return await one.start();
}

/** What a piece of work throws. */
export async function refusal(work: () => unknown): Promise<VelaError> {
  try {
    await work();
  } catch (error) {
    return error as VelaError;
  }
  throw new Error('nothing was thrown');
}

/** Waits for what is seen from outside only. */
export async function eventually(what: string, condition: () => unknown): Promise<void> {
  const end = Date.now() + 30_000;
  while ((await condition()) !== true) {
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await sleep(5);
  }
}
