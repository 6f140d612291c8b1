import { hasChannel } from '../actors/process-port.js';

/** Tells a new process that it is a worker, and of which application. */
export const ROLE_VARIABLE = 'VELA_WORKER';
/** Kept where a second copy of this module finds it, as the variable must not reach processes that a worker starts. */
const KEPT = Symbol.for('vela.worker');

/** The name of the application that this process was made a worker of; undefined in every other process. */
export const workerOf: string | undefined = takeRole();

function takeRole(): string | undefined {
  const kept = globalThis as { [KEPT]?: string };
  const given = process.env[ROLE_VARIABLE];
  if (given !== undefined) delete process.env[ROLE_VARIABLE];
  // Only the arbiter opens a channel with it.
  if (given !== undefined && given !== '' && hasChannel()) kept[KEPT] = given;
  return kept[KEPT];
}
