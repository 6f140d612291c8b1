import { fileURLToPath } from 'node:url';
import type { Piscina } from 'piscina';
import { bootFile } from '../core/boot-file.js';
import { keepThreadFlags } from '../core/node-flags.js';
import type { ResolvedOptions } from './executor-options.js';
import type { ThreadHandle } from './thread-handle.js';

/**
 * Where threads come from: piscina makes, limits and ends them. Each has one task for as long as it lives, which serves a
 * port; calls go by that port, as a task of its own for each would cost 14 to 24 µs.
 * @param onStillborn - told of a thread that has died before it had its task
 */
export async function createPiscina(
  { maxThreads, resourceLimits, env }: ResolvedOptions,
  onStillborn: (error: Error) => void,
): Promise<Piscina> {
  const { Piscina } = await import('piscina');
  const execArgv = keepThreadFlags(process.execArgv);
  const piscina = new Piscina({
    filename: fileURLToPath(bootFile('executor/thread/boot-thread')),
    minThreads: 0,
    // One that is being replaced may still be there.
    maxThreads: 2 * maxThreads,
    ...(execArgv === undefined ? {} : { execArgv }),
    idleTimeout: 0,
    concurrentTasksPerWorker: 1,
    // It would block the thread's own loop between tasks.
    atomics: 'disabled',
    recordTiming: false,
    ...(resourceLimits === undefined ? {} : { resourceLimits }),
    ...(env === undefined ? {} : { env: { ...process.env, ...env } }),
  });
  // Of any other that dies its task tells.
  piscina.on('error', onStillborn);
  return piscina;
}

/** Runs a thread. Resolves when it has ended, rejects when it has died. */
export async function startThread(piscina: Promise<Piscina>, thread: ThreadHandle): Promise<void> {
  const { start, killSignal } = thread;
  await (await piscina).run(start, { transferList: [start.port], signal: killSignal });
}
