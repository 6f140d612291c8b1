/** What tests of the executor over sockets share. */
import { once } from 'node:events';
import { type IncomingMessage, type RequestOptions, request as sendRequest } from 'node:http';
import type { Test } from 'tap';
import './bare-threads.js';
import {
  createExecutor,
  type Executor,
  type ExecutorOptions,
  middlewareInExecutor,
} from '../../src/executor/index.js';
import { type App, type Server, type ServerOptions, serve, WsgiHandler } from '../../src/index.js';
import { mount } from '../../src/middleware/index.js';
import type * as blocking from './blocking.js';
import { compile } from './compile.js';

export const MODULE = compile('blocking');
type Name = keyof typeof blocking;
type Counted = Parameters<typeof blocking.count>[0];

/** Longer than any test: what a slow machine takes is no time-out. */
export const LONG_MS = 300_000;

/** An executor that ends with its test. */
export function threads(t: Test, options: ExecutorOptions = {}): Executor {
  const executor = createExecutor({ maxThreads: 1, timeoutMs: LONG_MS, ...options });
  t.teardown(() => executor.close({ timeoutMs: 0 }));
  return executor;
}

/** Each export of the module at its own name, behind the middleware given. */
export function site(executor: Executor, names: readonly Name[], before: readonly App[] = []): App {
  const at = (name: Name) => mount(`/${name}`, middlewareInExecutor(MODULE, { name, executor }));
  return new WsgiHandler([...before, ...names.map(at)]);
}

export async function listen(t: Test, app: App, options: ServerOptions = {}): Promise<Server> {
  const server = await serve(app, { bind: '127.0.0.1:0', logLevel: 'silent', ...options });
  t.teardown(() => server.close({ timeoutMs: 0 }));
  return server;
}

/** A request that can be written, read and cut by hand. */
export function open(server: Server, path: string, options: RequestOptions = {}) {
  const request = sendRequest(new URL(path, server.url), { agent: false, ...options });
  const answered = once(request, 'response').then(([response]) => response as IncomingMessage);
  answered.catch(() => {});
  request.on('error', () => {});
  return { request, answered };
}

export async function ask(server: Server, path: string, init?: RequestInit) {
  const response = await fetch(new URL(path, server.url), init);
  return {
    status: response.status,
    headers: response.headers,
    text: await response.text().catch(() => 'cut'),
  };
}

/** Waits for what is seen from outside only. */
export async function eventually(what: string, condition: () => unknown): Promise<void> {
  const end = Date.now() + 60_000;
  while ((await condition()) !== true) {
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((go) => setTimeout(go, 5));
  }
}

/** A gate for `holdAt` and `shareGate`, in memory that threads share. */
export function createGate(): { readonly shared: SharedArrayBuffer; open(): void } {
  const words = new Int32Array(new SharedArrayBuffer(4));
  return {
    shared: words.buffer,
    open() {
      Atomics.store(words, 0, 1);
      Atomics.notify(words, 0);
    },
  };
}

/** Asks the one thread of an executor what has happened there. */
export const counter = (executor: Executor) => (name: Counted) =>
  executor.run<typeof blocking, 'count'>(MODULE, 'count', name);
