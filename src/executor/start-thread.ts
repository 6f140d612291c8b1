import { fileURLToPath } from 'node:url';
import type { Piscina } from 'piscina';
import type { ResolvedOptions } from './executor-options.js';
import type { ThreadHandle } from './thread-handle.js';

/** What piscina loads in each thread; beside this file, and of its kind. */
const THREAD = new URL(
  `./thread/boot-thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`,
  import.meta.url,
);

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
  const execArgv = keepFlags(process.execArgv);
  const piscina = new Piscina({
    filename: fileURLToPath(THREAD),
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

/** Flags of node that say what the main thread runs: a thread that inherits them does not come up. */
const OF_SCRIPT = /^(-e|--eval|-p|--print|-pe|--input-type)(=|$)/s;
/** Those that say how modules are loaded. */
const OF_LOADING = /^(-r|--require|--import|--loader|--experimental-loader|-C|--conditions)(=|$)/s;

/**
 * The flags of a thread: undefined for those of the process, all of them. Given one by one, those of V8, such as
 * `--max-old-space-size`, would be refused.
 */
function keepFlags(flags: readonly string[]): string[] | undefined {
  if (!flags.some((flag) => OF_SCRIPT.test(flag))) return undefined;
  const isKept = (flag: string | undefined) => flag !== undefined && OF_LOADING.test(flag);
  const isValue = (at: number) => isKept(flags[at - 1]) && !flags[at - 1]?.includes('=');
  return flags.filter((flag, at) => isKept(flag) || isValue(at));
}
