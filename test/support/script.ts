/** Runs scripts in processes of their own, on what is built. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { plainEnvironment } from './run-example.js';

/** What has become of a script. */
export interface ScriptEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Script {
  readonly child: ChildProcess;
  readonly pid: number;
  /** What it has written to standard error so far. */
  readonly log: () => string;
  readonly ended: Promise<ScriptEnd>;
  /** Its next message, by `process.send`; a script that ends first is an error. */
  next(): Promise<unknown>;
}

export interface ScriptOptions {
  readonly args?: readonly string[];
  /** In place of a pipe. */
  readonly stderr?: number;
}

const DIST = new URL('../../dist/', import.meta.url).href;
const MODULES = new URL('../../.modules/', import.meta.url).href;
const LONGEST_MS = 20_000;

/**
 * Starts a script, which is killed with its test.
 * @param source - of a module; `DIST/` in it stands for the folder of what is built, `MODULES/` for that of all modules of src
 */
export function startScript(t: Test, folder: string, source: string, options: ScriptOptions = {}): Script {
  const file = join(folder, `script-${counter++}.mjs`);
  writeFileSync(file, source.replaceAll('DIST/', DIST).replaceAll('MODULES/', MODULES));
  // tap gives NODE_OPTIONS back to every child.
  const command = ['-u', 'NODE_OPTIONS', process.execPath, file, ...(options.args ?? [])];
  const child = spawn('env', command, {
    cwd: folder,
    env: plainEnvironment(),
    stdio: ['ignore', 'pipe', options.stderr ?? 'pipe', 'ipc'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (bytes) => {
    stdout += String(bytes);
  });
  child.stderr?.on('data', (bytes) => {
    stderr += String(bytes);
  });
  const messages: unknown[] = [];
  const waiting: ((message: unknown) => void)[] = [];
  child.on('message', (message) => {
    const first = waiting.shift();
    if (first === undefined) messages.push(message);
    else first(message);
  });
  const ended = once(child, 'close').then(
    ([code, signal]) => ({ code, signal, stdout, stderr }) as ScriptEnd,
  );
  return {
    child,
    pid: child.pid as number,
    log: () => stderr,
    ended,
    next() {
      if (messages.length > 0) return Promise.resolve(messages.shift());
      return new Promise((resolve, reject) => {
        const fail = (what: string) => reject(new Error(`${file} ${what}: ${stderr}`));
        const late = setTimeout(() => fail('says nothing'), LONGEST_MS);
        void ended.then(() => {
          clearTimeout(late);
          fail('ended');
        });
        waiting.push((message) => {
          clearTimeout(late);
          resolve(message);
        });
      });
    },
  };
}

let counter = 0;

/** Runs a script to its end. */
export function runScript(
  t: Test,
  folder: string,
  source: string,
  options?: ScriptOptions,
): Promise<ScriptEnd> {
  return startScript(t, folder, source, options).ended;
}
