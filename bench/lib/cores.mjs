import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { startProgram } from './processes.mjs';

/**
 * Gives the load generator the last core and the servers the others. Left alone, the scheduler now and then puts both on
 * one core, which halves the CPU time of a request for as long as it lasts.
 * @returns {Promise<{ servers: string, generator: string } | undefined>} core lists for taskset; undefined where they
 * cannot be set: not on Linux, one core, no taskset
 */
export async function splitCores() {
  const cores = await readAllowedCores();
  if (cores.length < 2 || !(await hasTaskset())) return undefined;
  return { servers: cores.slice(0, -1).join(','), generator: String(cores.at(-1)) };
}

/** The command that runs `command` on the given cores, or `command` itself. */
export function onCores(cores, command) {
  return cores === undefined ? command : ['taskset', '-c', cores, ...command];
}

async function readAllowedCores() {
  if (process.platform !== 'linux') return [];
  const status = await readFile('/proc/self/status', 'utf8');
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '';
  return list.split(',').filter(Boolean).flatMap(expandRange);
}

function expandRange(range) {
  const [first, last = first] = range.split('-').map(Number);
  return Array.from({ length: last - first + 1 }, (_, place) => first + place);
}

async function hasTaskset() {
  const taskset = startProgram('taskset', ['--version'], { stdio: 'ignore' });
  try {
    const [code] = await once(taskset, 'close');
    return code === 0;
  } catch (error) {
    if (error.code === 'ENOENT') return false;
    throw error;
  }
}
