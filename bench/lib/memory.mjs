import { readFile, writeFile } from 'node:fs/promises';

/** Sets a process's peak of memory to what it has now, and gives that in bytes; undefined where there is no /proc. */
export async function resetPeak(pid) {
  if (process.platform !== 'linux') return undefined;
  await writeFile(`/proc/${pid}/clear_refs`, '5');
  return readMemory(pid, 'VmRSS');
}

/** @param field - of /proc/PID/status: `VmRSS`, `VmHWM` @returns bytes */
export async function readMemory(pid, field) {
  if (process.platform !== 'linux') return undefined;
  const text = await readFile(`/proc/${pid}/status`, 'latin1');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)[1]) * 1024;
}
