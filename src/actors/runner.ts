import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { bootFile } from '../core/boot-file.js';
import { keepNodeOptions, keepProcessFlags, keepThreadFlags } from '../core/node-flags.js';
import { type Port, workerPort } from './port.js';
import { CHANNEL_DESCRIPTOR, socketPort } from './process-port.js';
import type { ResolvedSpawn } from './spawn-options.js';

/** A process or thread that runs an actor, as its maker has it. */
export interface Runner {
  readonly port: Port;
  /** Of a process. */
  readonly pid: number | undefined;
  /** Asks a process to end, by SIGTERM; a thread has no signals. */
  terminate(): void;
  /** Ends it, whatever it does. */
  kill(): void;
}

/** How it ended. */
export interface RunnerEnd {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  /** What a thread died of. */
  readonly error: Error | undefined;
}

/** How long the channel of a process that has ended is read, in ms. */
const LAST_WORDS_MS = 1000;

/** @param onEnd - called once, after the last message */
export function startRunner(options: ResolvedSpawn, onEnd: (end: RunnerEnd) => void): Runner {
  return options.kind === 'process' ? startProcess(options, onEnd) : startThread(options, onEnd);
}

function startProcess({ env, execArgv, program }: ResolvedSpawn, onEnd: (end: RunnerEnd) => void): Runner {
  const boot = fileURLToPath(bootFile('actors/child/boot-process'));
  const flags = execArgv ?? keepProcessFlags(process.execArgv);
  const child = spawn(process.execPath, [...flags, program?.script ?? boot, ...(program?.args ?? [])], {
    env: { ...keepEnvironment(), ...env },
    cwd: program?.cwd,
    // The channel is the fourth: CHANNEL_DESCRIPTOR.
    stdio: ['inherit', 'inherit', 'inherit', 'pipe', ...(program?.descriptors ?? [])],
  });
  // There is none where descriptors have run out.
  const channel = (child.stdio as typeof child.stdio | undefined)?.[CHANNEL_DESCRIPTOR] ?? undefined;
  const socket = channel instanceof Socket ? channel : new Socket().destroy();
  let failure: Error | undefined;
  child.on('error', (error) => {
    failure = error;
    // One that could not be made has no end of its own.
    if (child.pid === undefined) onEnd({ exitCode: undefined, signal: undefined, error });
  });
  child.once('exit', (code, signal) => {
    const end = { exitCode: code ?? undefined, signal: signal ?? undefined, error: failure };
    // What it said last may still be read; not for long, as another process may hold its channel open.
    const tell = () => {
      clearTimeout(timer);
      socket.off('close', tell);
      onEnd(end);
    };
    const timer = setTimeout(tell, socket.closed ? 0 : LAST_WORDS_MS);
    socket.on('close', tell);
  });
  return {
    port: socketPort(socket),
    pid: child.pid,
    terminate: () => child.kill('SIGTERM'),
    kill: () => child.kill('SIGKILL'),
  };
}

function keepEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS, ...others } = process.env;
  return NODE_OPTIONS === undefined ? others : { ...others, NODE_OPTIONS: keepNodeOptions(NODE_OPTIONS) };
}

function startThread(
  { env, execArgv, resourceLimits }: ResolvedSpawn,
  onEnd: (end: RunnerEnd) => void,
): Runner {
  const boot = bootFile('actors/child/boot-thread');
  const flags = execArgv ?? keepThreadFlags(process.execArgv);
  const options = {
    env: { ...process.env, ...env },
    ...(flags && { execArgv: [...flags] }),
    ...(resourceLimits && { resourceLimits }),
  };
  // Threads do not inherit what tsx does to imports.
  const worker = boot.pathname.endsWith('.js')
    ? new Worker(boot, options)
    : new Worker(
        `import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))}).then(({ register }) => { register(); return import(${JSON.stringify(boot.href)}); })`,
        { ...options, eval: true },
      );
  let failure: Error | undefined;
  worker.on('error', (error) => {
    failure = error;
  });
  worker.once('exit', (exitCode) => onEnd({ exitCode, signal: undefined, error: failure }));
  const kill = () => void worker.terminate();
  return { port: workerPort(worker), pid: undefined, terminate: kill, kill };
}
