/** What the tests of actors have in common; not in actors.ts, which the actors load. */
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
