import type { Logger } from '../core/logger.js';
import { own } from '../core/own.js';
import type { Actor } from './actor.js';
import { ActorDied, actorError } from './actor-errors.js';
import { ActorHandle } from './actor-handle.js';
import type { ActorInfo } from './actor-info.js';
import { ActorProxy } from './actor-proxy.js';
import { arbiterCommands } from './arbiter-commands.js';
import type { ResolvedArbiter } from './arbiter-options.js';
import { collectInfo } from './collect-info.js';
import { setResident } from './current-actor.js';
import type { Down } from './down-notice.js';
import { LocalActor } from './local-actor.js';
import { findProgram } from './main-program.js';
import { Monitor } from './monitor.js';
import { type MonitorOptions, type ResolvedMonitor, resolveMonitor } from './monitor-options.js';
import { loseParcel, setParcelPost } from './parcels.js';
import { Registry } from './registry.js';
import { watchSignals } from './signals.js';
import type { ResolvedSpawn, SpawnOptions } from './spawn-options.js';

/** How often the arbiter looks how late its timers come, in ms. It keeps the process up, too. */
const TICK_MS = 1000;

/** The master of all actors of a program: it makes them, knows them, hears of their ends. It lives in the main process's loop. */
export class Arbiter {
  readonly #options: ResolvedArbiter;
  readonly #actor: LocalActor;
  readonly #registry = new Registry();
  readonly #handles = new Map<string, ActorHandle>();
  #monitors: readonly Monitor[] = [];
  /** What actors said last of themselves by `notify`, by their ids. */
  readonly #notes = new Map<string, ActorInfo>();
  #spawned = 0;
  #tick: NodeJS.Timeout | undefined;
  #unwatchSignals = () => {};
  #isStarted = false;
  #starting: Promise<this> | undefined;
  #started: Promise<this> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: ResolvedArbiter) {
    const { mailboxLimit, stopTimeoutMs, sendTimeoutMs, taskMs, config, logger, code } = options;
    this.#options = options;
    const commands = arbiterCommands({
      spawn: (spawn) => this.#spawn(spawn),
      kill: (target, timeoutMs) => this.#kill(target, timeoutMs),
      note: ({ id }, info) => this.#handles.has(id) && this.#notes.set(id, info),
    });
    this.#actor = new LocalActor(
      {
        id: 'arbiter',
        name: 'arbiter',
        kind: 'arbiter',
        monitor: 'arbiter',
        age: 0,
        args: [],
        config,
        concurrency: Number.POSITIVE_INFINITY,
        ...{ mailboxLimit, stopTimeoutMs, sendTimeoutMs, taskMs, timeoutMs: Number.POSITIVE_INFINITY },
      },
      code,
      {
        logger,
        commands,
        deliver: (target, message) => this.#registry.deliverLocal(target, message),
        watch: (target, listener) => this.#registry.watch(target, listener),
        stop: () => void this.stop(),
        spawn: async (spawn) => this.#spawn(spawn),
        collect: () => this.#collect(),
      },
    );
  }

  /** The arbiter as an actor: what `getActor()` gives in the main process. */
  get actor(): Actor {
    return this.#actor;
  }

  get proxy(): ActorProxy {
    return this.#actor.proxy;
  }

  /**
   * Starts it, and then the applications that the program has made; the process stays up until it is stopped. A second call
   * gives the first one's promise. In the process of an application's worker it never resolves: it serves there.
   */
  start(): Promise<this> {
    this.#started ??= own(this.#startAll());
    return this.#started;
  }

  async #startAll(): Promise<this> {
    const program = findProgram();
    await program?.work();
    await this.startAlone();
    await program?.start();
    return this;
  }

  /** Starts it without applications. */
  startAlone(): Promise<this> {
    this.#starting ??= own(this.#start());
    return this.#starting;
  }

  async #start(): Promise<this> {
    this.#isStarted = true;
    this.#registry.add({
      proxy: this.proxy,
      isLocal: true,
      send: (message) => this.#actor.receive(message),
    });
    setResident(this.#actor);
    setParcelPost((parcel) => {
      const handle = this.#handles.get(parcel.target);
      if (handle !== undefined) handle.sendParcel(parcel);
      else loseParcel(parcel, new ActorDied(parcel.target, 'unknown'));
    });
    let dueMs = performance.now() + TICK_MS;
    this.#tick = setInterval(() => {
      this.#actor.noteLag(performance.now() - dueMs);
      dueMs = performance.now() + TICK_MS;
    }, TICK_MS);
    if (this.#options.handleSignals) this.#unwatchSignals = watchSignals((isHurry) => this.#stopFor(isHurry));
    try {
      await this.#actor.begin();
    } catch (error) {
      await this.stop();
      throw error;
    }
    return this;
  }

  /** As the function `spawn`. */
  spawn(options: SpawnOptions): Promise<ActorProxy> {
    return this.#actor.spawn(options);
  }

  /**
   * Adds a monitor, and starts its actors in order. Rejects when one does not come up; those before it are stopped then.
   * @throws {TypeError} for options that it cannot have
   */
  addMonitor(options: MonitorOptions): Promise<Monitor> {
    return own(this.#addMonitor(options));
  }

  async #addMonitor(options: MonitorOptions): Promise<Monitor> {
    const monitor = this.makeMonitor(resolveMonitor('addMonitor', options));
    await monitor.start();
    return monitor;
  }

  /** A monitor that is still to be started. */
  makeMonitor(resolved: ResolvedMonitor): Monitor {
    this.#requireUp();
    const { name } = resolved;
    const monitor = new Monitor(
      new ActorProxy(this.#registry.createId(), name, 'monitor'),
      this.#spawned++,
      resolved,
      {
        logger: this.#options.logger,
        registry: this.#registry,
        launch: (spawn) => this.#launch(spawn, name),
        infoOf: (handles) => this.#infoOf(handles),
        ended: () => {
          this.#monitors = this.#monitors.filter((one) => one !== monitor);
        },
      },
    );
    this.#monitors = [...this.#monitors, monitor];
    return monitor;
  }

  info(): Promise<ActorInfo> {
    return this.#actor.info();
  }

  /**
   * Stops all: `onStop`, monitors in reverse order, all other actors, the last messages, `onExit`. Never rejects; a second
   * call gives the first one's promise.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    if (!this.#isStarted) return;
    await this.#actor.end(this.#options.stopTimeoutMs, async () => {
      for (const monitor of [...this.#monitors].reverse()) await monitor.stop();
      await Promise.all([...this.#handles.values()].map((handle) => handle.stop()));
    });
    clearInterval(this.#tick);
    this.#unwatchSignals();
    this.#registry.remove(this.proxy, {
      actor: this.proxy,
      reason: 'stopped',
      error: undefined,
      exitCode: undefined,
      signal: undefined,
    });
    setResident(undefined);
    setParcelPost(undefined);
  }

  /** Logs there from now on, unless it was given a logger. */
  logTo(log: Logger): void {
    this.#options.logTo(log);
  }

  /** Leaves signals to somebody else. */
  leaveSignals(): void {
    this.#unwatchSignals();
    this.#unwatchSignals = () => {};
  }

  /** Ends all processes and threads at once. */
  killAll(): void {
    for (const handle of this.#handles.values()) handle.kill('killed');
  }

  /** By a signal: the process ends afterwards. */
  async #stopFor(isHurry: boolean): Promise<void> {
    if (isHurry) this.killAll();
    await this.stop();
    process.exit();
  }

  async #spawn(options: ResolvedSpawn): Promise<ActorProxy> {
    return this.#launch(options, 'arbiter').started;
  }

  #launch(options: ResolvedSpawn, monitor: string): ActorHandle {
    this.#requireUp();
    const id = this.#registry.createId();
    const name = options.name ?? id;
    this.#registry.requireFree(name);
    const proxy = new ActorProxy(id, name, options.kind);
    const handle = new ActorHandle(proxy, options, monitor, ++this.#spawned, {
      logger: this.#options.logger,
      deliver: (target, message) => this.#registry.deliver(target, message),
      watch: (target, listener) => this.#registry.watch(target, listener),
      findPeer: (target) => this.#findPeer(target),
      ended: (ended, down) => this.#ended(ended, down),
    });
    this.#handles.set(id, handle);
    this.#registry.add({ proxy, isLocal: false, send: (message) => handle.send(message) });
    return handle;
  }

  #requireUp(): void {
    if (!this.#isStarted)
      throw actorError('ERR_ACTOR_NONE', 'The arbiter is not started: await arbiter().start() first');
    if (this.#stopping !== undefined) throw new ActorDied('arbiter', 'stopped');
  }

  #findPeer(target: string): { id: string; thread: ActorHandle | undefined } {
    const id = this.#registry.find(target)?.proxy.id ?? '';
    const handle = this.#handles.get(id);
    return { id, thread: handle?.options.kind === 'thread' ? handle : undefined };
  }

  #ended(handle: ActorHandle, down: Down): void {
    this.#handles.delete(handle.proxy.id);
    this.#notes.delete(handle.proxy.id);
    const { reason, error, exitCode, signal } = down;
    if (reason !== 'stopped')
      this.#options.logger.warn(
        {
          actor: handle.proxy.name,
          processId: handle.pid,
          ...{ reason, exitCode, signal },
          ...(error && { err: error }),
        },
        `the actor "${handle.proxy.name}" is down: ${reason}`,
      );
    this.#registry.remove(handle.proxy, down);
  }

  /** Stops an actor or a monitor, and ends it when it has not after so long. @returns what `kill_actor` answers */
  async #kill(target: string, timeoutMs: number): Promise<string | null> {
    const proxy = this.#registry.find(target)?.proxy;
    const handle = this.#handles.get(proxy?.id ?? '');
    const monitor = this.#monitors.find((one) => one.proxy.id === proxy?.id);
    if (handle !== undefined) await handle.stop(timeoutMs);
    else if (monitor !== undefined) await monitor.stop();
    else return null;
    return `killed ${proxy?.id}`;
  }

  async #collect(): Promise<Partial<ActorInfo>> {
    const monitors = this.#monitors.map(async (monitor) => [monitor.proxy.name, await monitor.info()]);
    const names = this.#monitors.map(({ proxy }) => proxy.name);
    const free = [...this.#handles.values()].filter((handle) => !names.includes(handle.monitor));
    return {
      monitors: Object.fromEntries(await Promise.all(monitors)) as Record<string, ActorInfo>,
      workers: await this.#infoOf(free),
    };
  }

  #infoOf(handles: readonly ActorHandle[]): Promise<ActorInfo[]> {
    return collectInfo(handles, (id) => this.#notes.get(id));
  }
}
