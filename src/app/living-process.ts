import { readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** No system has larger ones. */
const LARGEST_PID = 2 ** 22;

/**
 * True where a process of this number lives that may be a server like this one. Its number may have been given anew since
 * it was written down: what surely is another program, a thread, or only waits to be buried is none. In doubt it lives.
 */
export function isLivingServer(pid: number): boolean {
  if (pid < 1 || pid > LARGEST_PID) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: of another user.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return process.platform !== 'linux' || (isProcess(pid) && mayRunNode(pid));
}

/** Numbers of threads are of the same kind, and a process that has ended keeps its own until its parent asks. */
function isProcess(pid: number): boolean {
  const status = find(() => readFileSync(`/proc/${pid}/status`, 'latin1'));
  if (status === undefined) return true;
  const leader = /^Tgid:\s*(\d+)$/m.exec(status)?.[1];
  return !/^State:\s*[ZX]/m.test(status) && (leader === undefined || Number(leader) === pid);
}

/** Of one's own processes the program can be seen; root sees all. */
function mayRunNode(pid: number): boolean {
  const program = find(() => readlinkSync(`/proc/${pid}/exe`));
  if (program === undefined) return true;
  const name = basename(program.replace(/ \(deleted\)$/, ''));
  return name === basename(process.execPath) || /^(?:node|bun|deno)/.test(name);
}

function find(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
