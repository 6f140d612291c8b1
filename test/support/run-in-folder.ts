/** Runs `.start()` in this process, in a folder of its own, and says what came of it. */
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { type App, WsgiServer, type WsgiServerOptions } from '../../src/index.js';

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  /** What the process would have ended with; undefined when it goes on. */
  readonly code: unknown;
  readonly server: WsgiServer | undefined;
}

export interface Given {
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly code?: WsgiServerOptions;
  readonly app?: App;
}

const hello: App = (_environ, start) => {
  start('200 OK', [['Content-Type', 'text/plain']]);
  return ['hello'];
};

/** Makes a folder that goes with its test. */
export function makeFolder(t: Test, files: Readonly<Record<string, string>> = {}): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'vela-')));
  t.teardown(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

/** Starts a WsgiServer as a script with these flags would. A server that listens is closed with the test. */
export async function start(t: Test, args: readonly string[], given: Given = {}): Promise<Outcome> {
  const { env = {}, files = {}, code = {}, app = hello } = given;
  const cwd = process.cwd();
  const { exit } = process;
  const streams = Object.getOwnPropertyDescriptors(process);
  const texts = { stdout: '', stderr: '' };
  let exitCode: unknown;
  const signals = new Map(STOP_SIGNALS.map((signal) => [signal, process.listeners(signal)]));
  let server: WsgiServer | undefined;
  process.chdir(makeFolder(t, files));
  Object.assign(process.env, env);
  for (const stream of ['stdout', 'stderr'] as const) {
    // In place of the stream, which tap writes to meanwhile.
    const write = (text: unknown) => {
      texts[stream] += String(text);
      return true;
    };
    const value = Object.create(process[stream], { write: { value: write } }) as object;
    Object.defineProperty(process, stream, { value, configurable: true });
  }
  process.exit = (given) => {
    exitCode ??= given;
    throw new Exit();
  };
  try {
    // This process is a test, which no worker can run again.
    server = await new WsgiServer(app, { workers: 0, ...code }).start(args);
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
  } finally {
    process.chdir(cwd);
    for (const name of Object.keys(env)) delete process.env[name];
    Object.defineProperties(process, { stdout: streams.stdout, stderr: streams.stderr });
    process.exit = exit;
    for (const [signal, before] of signals) {
      for (const listener of process.listeners(signal))
        if (!before.includes(listener)) process.off(signal, listener);
    }
  }
  if (server !== undefined) t.teardown(() => server?.close());
  return { ...texts, code: exitCode, server };
}

const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const;

class Exit extends Error {}
