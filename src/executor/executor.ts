import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import { HttpError } from '../core/http-error.js';
import { own } from '../core/own.js';
import type { KnownFacts } from '../core/server-facts.js';
import { WaitQueue } from '../core/wait-queue.js';
import { packError, unpackError } from '../core/wire-error.js';
import { Call, type CallThread, type Work } from './call.js';
import { closedError, loadError, threadError } from './executor-errors.js';
import { type ExecutorMetrics, Meter } from './executor-metrics.js';
import { type ExecutorOptions, type ResolvedOptions, resolveOptions } from './executor-options.js';
import { FunctionCall } from './function-call.js';
import { KnownServers } from './known-servers.js';
import { ITSELF, Loadings } from './loading.js';
import { type ModuleWatch, watchModules } from './module-watch.js';
import { addOpenExecutor } from './open-executors.js';
import { type TargetRequest, Targets } from './targets.js';
import type { ThreadHandle } from './thread-handle.js';
import { ThreadPool } from './thread-pool.js';
import { LOAD, STOPPING } from './wire.js';

/**
 * A pool of threads for code that blocks or computes. Threads are made as they are needed, and replaced when they die.
 * `close()` it, or the process stays up.
 */
export class Executor {
  readonly #options: ResolvedOptions;
  readonly #meter = new Meter();
  readonly #servers = new KnownServers();
  readonly #targets = new Targets();
  readonly #timeouts: WaitQueue;
  readonly #kills: WaitQueue;
  readonly #loadings: Loadings;
  readonly #pool: ThreadPool;
  readonly #watch: ModuleWatch | undefined;
  readonly #leave: () => void;
  #closing: Promise<void> | undefined;

  constructor(options: ExecutorOptions = {}) {
    this.#options = resolveOptions('createExecutor', options);
    this.#timeouts = new WaitQueue(this.#options.timeoutMs);
    this.#kills = new WaitQueue(this.#options.killAfterMs);
    this.#loadings = new Loadings(this.#options.loadTimeoutMs);
    this.#pool = new ThreadPool(this.#options, {
      made: (thread) => {
        this.#meter.threadBegan(thread);
        this.#loadings.begin(thread, ITSELF);
      },
      ready: (thread) => {
        this.#loadings.end(thread, ITSELF);
        for (const index of this.#targets.indexes())
          if (this.#targets.get(index).isSound || this.#targets.isAwaited(index)) this.#tell(thread, index);
      },
      lacks: (thread, index) => this.#tell(thread, index),
      loaded: (thread, [, index, error]) => {
        this.#loadings.end(thread, index);
        if (error === undefined) this.#targets.get(index).isSound = true;
        this.#targets.settle(index, error);
      },
      done: (_thread, call, beganMs, endedMs) => this.#done(call, beganMs, endedMs),
      logged: (entry) => this.#servers.log(entry),
      ended: (thread, error, begun) => this.#ended(thread, error, begun),
      stranded: (calls, error) => this.#strand(calls, error),
    });
    this.#watch = this.#options.watch ? watchModules(this, () => this.#servers.logger) : undefined;
    this.#leave = addOpenExecutor(this);
  }

  get name(): string {
    return this.#options.name;
  }

  /**
   * Calls a module's function in a thread. Its arguments and what it gives are cloned, as `structuredClone` does it; bytes
   * that it marks with `move()` are not. What it throws has its class, code, cause and stack.
   * @param module - the URL of a file
   * @throws {TypeError} at once for what is no module
   * @example const hash = await executor.run<typeof import('./hash.js'), 'hash'>(new URL('./hash.js', import.meta.url), 'hash', text);
   */
  run<Module extends object, Name extends keyof Module & string>(
    module: URL | string,
    name: Name,
    ...args: Module[Name] extends (...given: infer Args) => unknown ? Args : never
  ): Promise<Module[Name] extends (...given: never[]) => infer Result ? Awaited<Result> : never>;
  run(module: URL | string, name: string, ...args: unknown[]): Promise<unknown>;
  run(module: URL | string, name: string, ...args: unknown[]): Promise<unknown> {
    const target = this.#find({ module, name, use: 'function', owner: 'executor.run' });
    const work = new FunctionCall(args);
    this.submit(target, work);
    return own(work.result);
  }

  /** What it has done, and does now. */
  metrics(): ExecutorMetrics {
    const { threads, queued } = this.#pool;
    const given = threads.reduce((sum, { load }) => sum + load, 0);
    const waiting = threads.reduce((sum, one) => sum + one.waiting, 0);
    return {
      name: this.name,
      threads: threads.length,
      busyThreads: threads.filter(({ load }) => load > 0).length,
      waiting: queued + waiting,
      running: given - waiting,
      ...this.#meter.read(),
    };
  }

  /** Loads all modules anew: in new threads, while the old ones finish their calls. */
  async reload(): Promise<void> {
    await this.#pool.renew();
  }

  /**
   * Waits for the calls under way and ends all threads. New calls are refused.
   * @param options - `timeoutMs`, how long it waits at the most @defaultValue the executor's `timeoutMs`
   */
  close(options: { timeoutMs?: number } = {}): Promise<void> {
    const { timeoutMs = this.#options.timeoutMs, ...unknown } = requireOptions('close', options);
    refuseUnknown('close', unknown, ['timeoutMs']);
    if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0))
      throw new TypeError(
        `Option "timeoutMs" of close must be a number of milliseconds; received ${describeValue(timeoutMs)}`,
      );
    this.#watch?.close();
    this.#closing ??= this.#pool.close(performance.now() + timeoutMs).finally(() => {
      this.#leave();
      this.#timeouts.stop();
      this.#kills.stop();
      this.#loadings.stop();
    });
    return this.#closing;
  }

  /**
   * Loads an export in a thread, for a server, so that what is wrong with it is known.
   * @returns its number @throws what is wrong with it
   */
  async prepare(request: TargetRequest): Promise<number> {
    if (this.#closing !== undefined) throw closedError(this.name);
    const index = this.#find(request);
    const loaded = this.#targets.loaded(index);
    this.#load(index);
    const error = await loaded;
    if (error !== undefined) throw unpackError(error);
    return index;
  }

  /** Gives a piece of work to a thread. @returns what can be cancelled; undefined when it was refused, and told so */
  submit(target: number, work: Work): Call | undefined {
    if (this.#closing !== undefined) {
      work.failed(closedError(this.name));
      return undefined;
    }
    const call = new Call(this, target, work);
    if (this.#pool.place(call)) {
      this.#timeouts.join(call);
      return call;
    }
    this.#meter.refused++;
    const headers: [string, string][] = [['Retry-After', String(this.#options.retryAfterSeconds)]];
    work.failed(new HttpError(503, 'Too many requests wait for a thread', { headers }));
    return undefined;
  }

  /** The answer of a call is not wanted any more. */
  cancel(call: Call): void {
    const { thread } = call;
    if (this.#pool.take(call)) call.waitQueue?.leave(call);
    else if (thread !== undefined) {
      thread.abort(call);
      // Its thread has as long to let go of it as any call.
      if (call.waitQueue === undefined) this.#timeouts.join(call);
    }
  }

  /** A call's request still comes, so its time begins anew. */
  progressed(call: Call): void {
    if (call.waitQueue === this.#timeouts) this.#timeouts.join(call);
  }

  /** A call's response has begun: it lasts as long as it moves. */
  began(call: Call): void {
    this.#timeouts.leave(call);
  }

  /** The number of a server, which a thread is told of before the first of its requests. */
  introduce(thread: CallThread, server: KnownFacts): number {
    const index = this.#servers.number(server, () => {
      for (const one of this.#pool.threads) if (one.knows(index)) one.post({ entry: [STOPPING, index] });
    });
    thread.introduce(index, () => this.#servers.describe(index));
    return index;
  }

  /** A call's time is up; or that of its thread to let go of it. */
  expired(call: Call): void {
    const { thread } = call;
    if (call.isLate) {
      thread?.kill('its call took too long');
      return;
    }
    this.#meter.timedOut++;
    if (!this.#pool.take(call) && thread !== undefined) {
      call.isLate = true;
      thread.lateCalls++;
      thread.abort(call);
      this.#kills.join(call);
    }
    call.work.failed(call.work.lateError());
  }

  #find(request: TargetRequest): number {
    return this.#targets.find(request, (url) => this.#watch?.add(url));
  }

  /** In a thread that is there, or comes up. */
  #load(index: number): void {
    const thread = this.#pool.ensure();
    if (thread !== undefined) this.#tell(thread, index);
  }

  #tell(thread: ThreadHandle, index: number): void {
    const { url, name, use, server } = this.#targets.get(index);
    this.#loadings.begin(thread, index);
    const facts = server === undefined ? -1 : this.introduce(thread, server);
    thread.tell(index, [LOAD, index, url, name, use, facts]);
  }

  #done(call: Call, beganMs: number, endedMs: number): void {
    call.waitQueue?.leave(call);
    if (beganMs === 0) return;
    this.#meter.done(Math.max(0, beganMs - call.cameMs), Math.max(0, endedMs - beganMs), () => {
      const { url, name } = this.#targets.get(call.target);
      return { executor: this.name, module: url, export: name };
    });
  }

  #ended(thread: ThreadHandle, error: Error | undefined, begun: readonly Call[]): void {
    this.#meter.threadEnded(thread);
    if (begun.length > 0) this.#meter.lostThreads++;
    for (const call of begun) {
      call.waitQueue?.leave(call);
      call.work.failed(threadError(error));
    }
    const unloaded = this.#loadings.forget(thread);
    // What runs may be at fault as well as what loads; where nothing runs, it is what loads.
    if (begun.length === 0 && error !== undefined)
      for (const index of this.#targets.suspects(unloaded)) this.#failLoad(index, error);
    for (const index of unloaded) if (this.#targets.isAwaited(index)) this.#load(index);
    if (error === undefined) return;
    const { killReason } = thread;
    const what =
      killReason === undefined ? `a thread ended: ${error.message}` : `a thread was ended: ${killReason}`;
    const details = killReason === undefined ? { err: error } : {};
    this.#servers.logger?.error({ executor: this.name, ...details }, `executor "${this.name}": ${what}`);
  }

  /** A thread ended while it loaded a module; or came up, which all modules wait for. */
  #failLoad(index: number, cause: Error | undefined): void {
    if (index === ITSELF) {
      this.#targets.settleAll(packError(threadError(cause)));
      return;
    }
    const target = this.#targets.get(index);
    const error = loadError(target.url, cause);
    target.isSound = false;
    this.#targets.settle(index, packError(error));
    for (const call of this.#pool.takeQueued(index)) {
      call.waitQueue?.leave(call);
      call.work.failed(error);
    }
  }

  /** No thread comes up, or the executor is closed. */
  #strand(calls: readonly Call[], cause: Error | undefined): void {
    const error = cause === undefined ? closedError(this.name) : threadError(cause);
    for (const call of calls) {
      call.waitQueue?.leave(call);
      call.work.failed(error);
    }
    this.#targets.settleAll(packError(error));
  }
}

/**
 * An executor of its own, whose calls wait for no others.
 * @throws {TypeError} for options that it does not have
 * @example const images = createExecutor({ name: 'images', maxThreads: 2, maxQueue: 20 });
 */
export function createExecutor(options: ExecutorOptions = {}): Executor {
  return new Executor(options);
}
