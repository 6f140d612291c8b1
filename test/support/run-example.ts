/** Starts examples as README says, without npm. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';

/** An example that serves. */
export interface Example {
  readonly url: string;
  /** What it has written to standard output, line by line; complete once it has stopped. */
  readonly lines: readonly string[];
  /** What it has written to standard error. */
  readonly log: () => string;
  /** Ends it with SIGTERM. @returns its exit code */
  stop(): Promise<number | null>;
}

/** The environment of a process that tap does not watch. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([key]) => key !== 'NODE_OPTIONS' && !/^_?TAP/.test(key)),
  );
}

/** Starts an example on a free port, and waits until it says that it is ready. */
export async function startExample(
  test: Test,
  name: string,
  flags: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<Example> {
  // tap gives NODE_OPTIONS back to every child, with a tsx that takes `vela` for src: examples shall run what users run.
  const args = [
    '-u',
    'NODE_OPTIONS',
    process.execPath,
    '--import',
    './scripts/tsx.mjs',
    'scripts/example.mjs',
    name,
    '--bind',
    '127.0.0.1:0',
    ...flags,
  ];
  const child = spawn('env', args, {
    env: { ...plainEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  test.teardown(() => child.kill('SIGKILL'));
  const lines: string[] = [];
  let stderr = '';
  child.stderr.on('data', (bytes) => {
    stderr += String(bytes);
  });
  const closed = once(child, 'close');
  const url = await new Promise<string>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${name} is not ready after 30 s: ${stderr}`)), 30_000);
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      const found = /^vela: ready on (\S+) /.exec(line)?.[1];
      if (found === undefined) return;
      clearTimeout(late);
      resolve(found);
    });
    void closed.then(() => {
      clearTimeout(late);
      reject(new Error(`${name} ended before it was ready: ${stderr}`));
    });
  });
  return {
    url,
    lines,
    log: () => stderr,
    async stop() {
      child.kill('SIGTERM');
      const [code] = await closed;
      return code as number | null;
    },
  };
}
