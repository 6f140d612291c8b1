/** What the gateway suite works with: a child process that serves, watched so that its death is a failed case. */
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import type { ServerOptions } from '../../src/index.js';
import { compile } from './compile.js';
import type { Answers, ChildState, FromChild, Requests, ToChild } from './conformance-server.js';
import { DEADLINE_MS, Wire, type WireAddress, type WireResponse } from './wire.js';

export const GATEWAYS = ['uws', 'node'] as const;
export type GatewayName = (typeof GATEWAYS)[number];

/** What is expected of each gateway; the suite's tables give a reason where the two differ. */
export type PerGateway<T> = Readonly<Record<GatewayName, T>>;

/** A server in the child. */
export interface Served {
  readonly server: number;
  readonly url: string;
  readonly address: WireAddress;
}

const START_MS = 20_000;
/** Longest wait for the child to do what it is asked. */
const CALL_MS = 8000;
/** A connection that is not closed by then is asked for another answer. */
const CLOSING_MS = 300;
/** Limits of the suite's main server: small, so that cases are fast. */
export const LIMITS = {
  maxRequestLineBytes: 4096,
  maxHeadBytes: 16_384,
  maxBodyBytes: 8 * 2 ** 20,
  requestTimeoutMs: 1500,
} as const;
const serverFile = fileURLToPath(compile('conformance-server'));

/**
 * Defines one suite that runs over both gateways. After each case the server must be alive, answer, and have nothing
 * to report: a rejection nobody handled, a warning, an unknown death.
 */
export function conformance(
  define: (test: (fact: string, body: (t: Test, kit: Kit) => unknown) => void, gateway: GatewayName) => void,
): void {
  t.jobs = GATEWAYS.length;
  for (const gateway of GATEWAYS) {
    // Its own cases one after the other.
    void t.test(gateway, { jobs: 1 }, async (suite) => {
      const kit = new Kit(gateway);
      await kit.start();
      suite.teardown(() => kit.stop());
      define((fact, body) => {
        void suite.test(fact, async (one) => {
          await kit.start();
          try {
            await body(one, kit);
          } finally {
            kit.leave();
            await kit.assertWell(one);
          }
        });
      }, gateway);
    });
  }
}

/** One gateway's child process and its servers. */
export class Kit {
  readonly gateway: GatewayName;
  /** The main server, with the application `every`. */
  address: WireAddress = { host: '127.0.0.1', port: 0 };
  url = '';
  #child: ChildProcess | undefined;
  #death: Promise<string> | undefined;
  #isDead = false;
  #stderr = '';
  #serial = 0;
  #ids = 0;
  #faultsSeen = 0;
  #pending = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  #notes = new Map<string, string[]>();
  #wake = new Set<() => void>();
  #wires: Wire[] = [];

  constructor(gateway: GatewayName) {
    this.gateway = gateway;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** What the child wrote to standard error since it started. */
  get stderr(): string {
    return this.#stderr;
  }

  /** A name for one request, by which its application reports. */
  id(): string {
    return `id-${String(this.#ids++).padStart(14, '0')}`;
  }

  /** Starts the child unless it runs. */
  async start(): Promise<void> {
    if (this.#child !== undefined && !this.#isDead) return;
    const env = Object.fromEntries(
      Object.entries(process.env).filter(
        ([name]) => name !== 'NODE_OPTIONS' && !/^(_?TAP|NODE_V8_COVERAGE)/.test(name),
      ),
    );
    this.#isDead = false;
    this.#stderr = '';
    this.#faultsSeen = 0;
    this.#notes.clear();
    const child = fork(serverFile, [], {
      execArgv: ['--expose-gc'],
      env,
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-1_000_000);
      this.#stir();
    });
    child.on('message', (message: FromChild) => this.#receive(message));
    this.#death = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#isDead = true;
        const how = `the server process died: ${signal ?? `exit code ${code}`}\n${this.#stderr.slice(-2000)}`;
        for (const { reject } of this.#pending.values()) reject(new Error(how));
        this.#pending.clear();
        this.#stir();
        resolve(how);
      });
    });
    await this.note('', 'ready', START_MS);
    const main = await this.listen('every', LIMITS);
    this.address = main.address;
    this.url = main.url;
  }

  async stop(): Promise<void> {
    this.#child?.disconnect();
    await this.#death;
  }

  /** Starts a further server in the child, on a port of its own. */
  async listen(app: string, options: ServerOptions = {}): Promise<Served> {
    const defaults = {
      bind: '127.0.0.1:0',
      gateway: this.gateway,
      logLevel: 'error',
      logFormat: 'text',
      maxHeadBytes: LIMITS.maxHeadBytes,
    } as const;
    return this.call('listen', { app, options: { ...defaults, ...options } });
  }

  /** Runs something with a server that is closed after it. */
  async serving<T>(app: string, options: ServerOptions, run: (served: Served) => Promise<T>): Promise<T> {
    const served = await this.listen(app, options);
    try {
      return await run(served);
    } finally {
      if (!this.#isDead) await this.call('close', { server: served.server, timeoutMs: 0 });
    }
  }

  /** Asks the child. @throws what the child threw, with its `code`; or how it died */
  async call<K extends keyof Requests>(call: K, given: Requests[K]): Promise<Answers[K]> {
    const child = this.#child;
    if (child === undefined || this.#isDead)
      throw new Error(`the server process is dead\n${this.#stderr.slice(-2000)}`);
    const serial = ++this.#serial;
    let timer: NodeJS.Timeout | undefined;
    const answer = new Promise<Answers[K]>((resolve, reject) => {
      timer = setTimeout(
        () => reject(new Error(`the server process did not answer "${call}" within ${CALL_MS} ms`)),
        CALL_MS,
      );
      this.#pending.set(serial, { resolve: resolve as (value: never) => void, reject });
      child.send({ call, serial, given } satisfies ToChild);
    });
    return answer.finally(() => clearTimeout(timer));
  }

  /** What has arrived in the child has been read. */
  async turn(): Promise<void> {
    await this.call('turn', {});
    await this.call('turn', {});
  }

  /** Waits until the application noted this of a request. */
  async note(id: string, what: string, deadlineMs = DEADLINE_MS): Promise<void> {
    await this.until(
      () => this.#notes.get(id)?.includes(what) === true,
      () => `note "${what}"; there are: ${this.#notes.get(id)?.join(', ')}`,
      deadlineMs,
    );
  }

  /** All notes of a request by now. */
  async notes(id: string): Promise<readonly string[]> {
    await this.turn();
    return this.#notes.get(id) ?? [];
  }

  /** Waits until something is so, looking whenever the child says something and every few milliseconds. */
  async until(
    isSo: () => boolean | Promise<boolean>,
    what: () => string,
    deadlineMs = DEADLINE_MS,
  ): Promise<void> {
    const deadline = performance.now() + deadlineMs;
    while (!(await isSo())) {
      if (this.#isDead) throw new Error(await this.#death);
      if (performance.now() > deadline) throw new Error(`waited ${deadlineMs} ms for ${what()}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, 5);
        const wake = this.#wake;
        wake.add(done);
        function done(): void {
          clearTimeout(timer);
          wake.delete(done);
          resolve();
        }
      });
    }
  }

  /** Opens a connection to the main server, or to another. */
  async open(address: WireAddress = this.address): Promise<Wire> {
    const wire = await Wire.open(address);
    this.#wires.push(wire);
    return wire;
  }

  /** Ends all connections that were opened. */
  leave(): void {
    for (const wire of this.#wires.splice(0)) wire.destroy();
  }

  /** Sends one request on a connection of its own; gives the response and whether the connection stayed usable. */
  async ask(request: string | Uint8Array, address?: WireAddress): Promise<WireResponse> {
    const wire = await this.open(address);
    try {
      wire.write(request);
      const method = /^[A-Z]+/.exec(Buffer.from(request).toString('latin1', 0, 20))?.[0] ?? 'GET';
      return await wire.response({ method });
    } finally {
      wire.destroy();
    }
  }

  /** GETs a path of the main server, or of another. */
  get(path: string, headers = '', address?: WireAddress): Promise<WireResponse> {
    return this.ask(`GET ${path} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`, address);
  }

  /** GETs JSON. */
  async json<T = Record<string, unknown>>(path: string, headers = '', address?: WireAddress): Promise<T> {
    const response = await this.get(path, headers, address);
    if (response.status !== 200) throw new Error(`GET ${path}: ${response.status} ${response.body}`);
    return JSON.parse(response.body.toString()) as T;
  }

  /**
   * Sends bytes and says what came of them, as `400 closed` or `200 200 open`: the statuses of all responses, and
   * whether the connection answers one more request after them.
   * `eof` before them: the client ends its side after sending, as nothing would come otherwise.
   * @param expected - how many responses to wait for is read from it; what comes is reported as it is
   */
  async outcome(bytes: string | Uint8Array, expected: string, address?: WireAddress): Promise<string> {
    const wire = await this.open(address);
    const wanted = expected.split(' ');
    const isOpen = wanted.pop() === 'open';
    const isEof = wanted[0] === 'eof';
    const seen: (number | string)[] = isEof ? ['eof'] : [];
    const next = async () => {
      const response = await wire.response();
      seen.push(response.isComplete ? response.status : `${response.status}(cut)`);
      return response;
    };
    try {
      wire.write(bytes);
      if (isEof) {
        await this.turn();
        wire.socket.end();
        await wire.closed();
        while (wire.received.length > 0) await next();
        return [...seen, 'closed'].join(' ');
      }
      while (seen.length < wanted.length && !wire.isEnded) await next();
      if (!isOpen) await wire.closed(CLOSING_MS).catch(() => {});
      if (!wire.isEnded) {
        const id = this.id();
        wire.write(`GET /record?id=${id} HTTP/1.1\r\nHost: a\r\n\r\n`);
        while (!wire.isEnded) {
          const response = await next();
          if (response.body.toString() !== `recorded ${id}`) continue;
          seen.pop();
          return [...seen, 'open'].join(' ');
        }
      }
      await wire.closed();
      while (wire.received.length > 0) await next();
      return [...seen, 'closed'].join(' ');
    } catch (error) {
      if (wire.isEnded && wire.received.length === 0) return [...seen, 'closed'].join(' ');
      return [...seen, `(${(error as Error).message})`].join(' ');
    } finally {
      wire.destroy();
    }
  }

  /** Memory of the child that is in RAM, in bytes. */
  residentBytes(): number {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.pid}/status`, 'latin1'))?.[1]) * 1024;
  }

  /** The largest `residentBytes` since `resetPeak`. */
  peakBytes(): number {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${this.pid}/status`, 'latin1'))?.[1]) * 1024;
  }

  resetPeak(): void {
    writeFileSync(`/proc/${this.pid}/clear_refs`, '5');
  }

  /** How many files the child has open. */
  openFiles(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  state(): Promise<ChildState> {
    return this.call('state', {});
  }

  /** The process lives, answers, and has no fault to report. */
  async assertWell(t: Test): Promise<void> {
    if (this.#isDead || !existsSync(`/proc/${this.pid}`)) {
      t.fail('the server process is alive', { death: await this.#death });
      return;
    }
    const faults = await this.call('faults', {});
    t.same(faults.slice(this.#faultsSeen), [], 'the server process has no faults');
    this.#faultsSeen = faults.length;
    t.notMatch(this.#stderr, /corked callback/, 'all writes are corked');
    const response = await this.get('/hello');
    t.equal(`${response.status} ${response.body}`, '200 ok', 'the server answers a plain GET');
  }

  #receive(message: FromChild): void {
    if ('note' in message) {
      const notes = this.#notes.get(message.id) ?? [];
      notes.push(message.note);
      this.#notes.set(message.id, notes);
      this.#stir();
      return;
    }
    const pending = this.#pending.get(message.reply);
    this.#pending.delete(message.reply);
    if (message.error === undefined) pending?.resolve(message.value as never);
    else pending?.reject(Object.assign(new Error(message.error.message), { code: message.error.code }));
  }

  #stir(): void {
    for (const wake of [...this.#wake]) wake();
  }
}
