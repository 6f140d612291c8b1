/** The child process of the gateway suite: it serves, and does what its parent asks over IPC. */
import { readdirSync } from 'node:fs';
import { type Server, type ServerOptions, serve } from '../../src/index.js';
import { counter, openGate, SERVED, setNote } from './conformance-apps.js';

/** What the parent may ask for. */
export interface Requests {
  listen: { readonly app: string; readonly options: ServerOptions };
  close: { readonly server: number; readonly timeoutMs?: number };
  connections: { readonly server: number };
  openGate: { readonly id: string };
  counter: { readonly id: string };
  /** Two turns of the loop, so that what has arrived has been read. */
  turn: Record<string, never>;
  faults: Record<string, never>;
  state: Record<string, never>;
}

/** What came of it. */
export interface Answers {
  listen: { readonly server: number; readonly url: string; readonly address: Server['address'] };
  close: undefined;
  connections: number;
  openGate: undefined;
  counter: number;
  turn: undefined;
  /** Unhandled rejections, uncaught exceptions and warnings. */
  faults: readonly string[];
  state: ChildState;
}

/** What the child knows of itself. */
export interface ChildState {
  /** After a collection. */
  readonly heapBytes: number;
  readonly files: number;
  readonly listeners: number;
}

/** A message to the parent. */
export type FromChild =
  | { readonly note: string; readonly id: string }
  | {
      readonly reply: number;
      readonly value?: unknown;
      readonly error?: { readonly message: string; readonly code: string };
    };

/** A message to the child. */
export interface ToChild {
  readonly call: keyof Requests;
  readonly serial: number;
  readonly given: Requests[keyof Requests];
}

const servers: Server[] = [];
const faults: string[] = [];

process.on('unhandledRejection', (reason) =>
  faults.push(`unhandled rejection: ${String((reason as Error)?.stack ?? reason)}`),
);
process.on('uncaughtException', (error) =>
  faults.push(`uncaught exception: ${error?.stack ?? String(error)}`),
);
process.on('warning', (warning) => {
  if (warning.name !== 'ExperimentalWarning') faults.push(`warning: ${warning.stack ?? warning.message}`);
});
process.on('disconnect', () => process.exit(0));

setNote((id, what) => tell({ note: what, id }));

const answers: { [K in keyof Requests]: (given: Requests[K]) => Answers[K] | Promise<Answers[K]> } = {
  async listen({ app, options }) {
    const chosen = SERVED[app];
    if (chosen === undefined) throw new Error(`there is no application ${app}`);
    const server = await serve(chosen, options);
    return { server: servers.push(server) - 1, url: server.url, address: server.address };
  },
  async close({ server, ...options }) {
    await find(server).close(options);
    return undefined;
  },
  connections: ({ server }) => find(server).connections,
  openGate({ id }) {
    openGate(id);
    return undefined;
  },
  counter: ({ id }) => counter(id),
  async turn() {
    for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve));
    return undefined;
  },
  faults: () => faults,
  async state() {
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      (globalThis as { gc?: () => void }).gc?.();
    }
    return {
      heapBytes: process.memoryUsage().heapUsed + process.memoryUsage().external,
      files: readdirSync('/proc/self/fd').length,
      listeners: process.eventNames().reduce((total, name) => total + process.listenerCount(name), 0),
    };
  },
};

process.on('message', async ({ call, serial, given }: ToChild) => {
  try {
    const value = await (answers[call] as (given: unknown) => unknown)(given);
    tell({ reply: serial, value });
  } catch (error) {
    const { message, code } = error as { message: string; code?: string };
    tell({ reply: serial, error: { message, code: code ?? '' } });
  }
});

tell({ note: 'ready', id: '' });

function find(index: number): Server {
  const server = servers[index];
  if (server === undefined) throw new Error(`there is no server ${index}`);
  return server;
}

function tell(message: FromChild): void {
  if (process.connected) process.send?.(message);
}
