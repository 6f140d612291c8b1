/** The server of the scenarios, as a process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const HOST = '127.0.0.1';
const PROGRAM = fileURLToPath(new URL('./served.mjs', import.meta.url));
/** A server that is not there after so long is not coming. */
const START_MS = 60_000;

export async function startServer(flags) {
  const child = spawn(process.execPath, [PROGRAM, '-b', `${HOST}:0`, '--log-format', 'json', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (bytes) => {
    log += bytes;
  });
  const lines = [];
  const closed = once(child, 'close');
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  process.once('exit', () => child.kill('SIGKILL'));
  await until(
    'the server is ready',
    () => lines.some((line) => line.startsWith('vela: ready')) || child.exitCode !== null,
    START_MS,
  );
  const port = Number(/:(\d+)/.exec(lines.find((line) => line.startsWith('vela: ready')) ?? '')?.[1]);
  if (Number.isNaN(port)) throw new Error(`the server did not start: ${log}`);
  return {
    pid: child.pid,
    port,
    log: () => log,
    count: (line) => lines.filter((one) => one === line).length,
    workers: () => childrenOf(child.pid),
    async stop() {
      child.kill('SIGTERM');
      const [code] = await closed;
      return code;
    },
  };
}

function childrenOf(pid) {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

export function isAlive(pid) {
  try {
    // One that has ended and was not waited for is a zombie.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Waits for what is seen from outside only. */
export async function until(what, condition, ms = 30_000) {
  const end = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`never: ${what}`);
    await sleep(5);
  }
}
