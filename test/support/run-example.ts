/** Starts examples and other programs that serve, as users do, without npm. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';

/** A program that serves. */
export interface Served {
  /** Of the first address of its ready line. */
  readonly url: string;
  readonly pid: number;
  /** What it has written to standard output, line by line; complete once it has stopped. */
  readonly lines: readonly string[];
  /** What it has written to standard error. */
  readonly log: () => string;
  /** Resolves when it has written so to one of the two. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** Ends it with SIGTERM. @returns its exit code */
  stop(): Promise<number | NodeJS.Signals>;
}

/** Longer than a start takes on a slow machine. */
const PATIENCE_MS = 60_000;

/** Those that run. A test that dies has no teardown, and what it had started stayed. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** The environment of a process that tap does not watch. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([key]) => key !== 'NODE_OPTIONS' && !/^_?TAP/.test(key)),
  );
}

/**
 * Starts an example, on a free port unless it is given one, and waits until it says that it is ready. It has no workers, unless
 * flags ask for them: an example is what its own code does, and half the processes are up in half the time.
 */
export async function startExample(
  test: Test,
  name: string,
  flags: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<Served> {
  const bind = flags.includes('--bind') ? [] : ['--bind', '127.0.0.1:0'];
  const args = ['--import', './scripts/tsx.mjs', 'scripts/example.mjs', name, ...bind, ...flags];
  const workers = flags.includes('-w') ? {} : { VELA_WORKERS: '0' };
  return startProgram(test, args, { ...workers, ...env });
}

/** Starts a program with these arguments of node, and waits until it says that it is ready. */
export async function startProgram(
  test: Test,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Served> {
  const program = runProgram(test, args, env);
  const ready = await Promise.race([program.said(/^vela: ready:? (?:\S+ )?on (\S+) /m), program.ended]);
  if (typeof ready !== 'object')
    throw new Error(`${args.join(' ')} ended with ${ready} before it was ready: ${program.log()}`);
  return { ...program, url: ready[1] as string };
}

/** Starts a program with these arguments of node. */
export function runProgram(
  test: Test,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Omit<Served, 'url'> {
  // tap gives NODE_OPTIONS back to every child, with a tsx that takes `vela` for src: programs shall run what users run.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, ...args], {
    env: { ...plainEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  test.teardown(() => child.kill('SIGKILL'));
  const lines: string[] = [];
  const listeners = new Set<() => void>();
  const stir = () => {
    for (const listener of listeners) listener();
  };
  let stderr = '';
  child.stderr.on('data', (bytes) => {
    stderr += String(bytes);
    stir();
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    stir();
  });
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  return {
    pid: child.pid as number,
    lines,
    log: () => stderr,
    said: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(`${lines.join('\n')}\n${stderr}`);
          if (found === null) return;
          clearTimeout(late);
          listeners.delete(look);
          resolve(found);
        };
        const late = setTimeout(
          () => reject(new Error(`${pattern} did not come: ${lines.join('\n')}\n${stderr}`)),
          PATIENCE_MS,
        );
        late.unref();
        listeners.add(look);
        look();
      }),
    ended,
    async stop() {
      child.kill('SIGTERM');
      return ended;
    },
  };
}
