import { toError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { own } from '../core/own.js';
import type { Actor } from './actor.js';
import { ActorDied, actorError } from './actor-errors.js';
import type { ActorHandle } from './actor-handle.js';
import type { ActorInfo } from './actor-info.js';
import type { ActorProxy } from './actor-proxy.js';
import { type Down, isNormal } from './down-notice.js';
import { LocalActor } from './local-actor.js';
import { type ResolvedMonitor, requireWorkers } from './monitor-options.js';
import { Pauses } from './pauses.js';
import type { Registry } from './registry.js';
import { RestartLimit } from './restart-limit.js';
import type { ResolvedSpawn } from './spawn-options.js';
import { findAffected, listChildren, nameWorker, type SupervisedChild } from './supervised-child.js';

/** What a monitor needs of the arbiter. */
export interface MonitorOwner {
  readonly logger: Logger;
  readonly registry: Registry;
  launch(options: ResolvedSpawn): ActorHandle;
  infoOf(handles: readonly ActorHandle[]): Promise<ActorInfo[]>;
  ended(): void;
}

/** A manager of actors, in the main process's loop: it starts them in order, restarts those that die, stops them in reverse. */
export class Monitor {
  readonly #actor: LocalActor;
  readonly #options: ResolvedMonitor;
  readonly #owner: MonitorOwner;
  readonly #limit: RestartLimit;
  #children: readonly SupervisedChild[];
  /** What is to be done about ends, one after the other. */
  #work: Promise<void> = Promise.resolve();
  /** Before restarts. */
  readonly #pauses = new Pauses();
  #stopping: Promise<void> | undefined;

  constructor(proxy: ActorProxy, age: number, options: ResolvedMonitor, owner: MonitorOwner) {
    const { name, mailboxLimit, concurrency, stopTimeoutMs, sendTimeoutMs, taskMs, children } = options;
    this.#options = options;
    this.#owner = owner;
    this.#limit = new RestartLimit(options.maxRestarts, options.restartWindowMs);
    this.#children = listChildren(options);
    const [only, ...others] = children;
    const config = {
      ...(only !== undefined && others.length === 0 && { workers: only.workers }),
      ...options.config,
    };
    const numbers = { mailboxLimit, concurrency, stopTimeoutMs, sendTimeoutMs, taskMs };
    const timeoutMs = Number.POSITIVE_INFINITY;
    this.#actor = new LocalActor(
      {
        id: proxy.id,
        name,
        kind: 'monitor',
        monitor: 'arbiter',
        age,
        args: [],
        config,
        timeoutMs,
        ...numbers,
      },
      options.code,
      {
        logger: owner.logger,
        deliver: (target, message) => owner.registry.deliverLocal(target, message),
        watch: (target, listener) => owner.registry.watch(target, listener),
        stop: () => void this.stop(),
        spawn: async (spawn) => this.#adopt(spawn),
        collect: async () => ({ workers: await owner.infoOf(this.#handles) }),
        configured: (key, value) => {
          if (key === 'workers' && 'workers' in config) this.#scaleLater(requireWorkers('config', value));
        },
      },
    );
    owner.registry.add({
      proxy: this.proxy,
      isLocal: true,
      send: (message) => this.#actor.receive(message),
    });
  }

  /** The monitor as an actor. */
  get actor(): Actor {
    return this.#actor;
  }

  get proxy(): ActorProxy {
    return this.#actor.proxy;
  }

  /** Its actors that are there, in order. */
  get workers(): readonly ActorProxy[] {
    return this.#handles.map(({ proxy }) => proxy);
  }

  get #handles(): ActorHandle[] {
    return this.#children.flatMap(({ handle }) => (handle === undefined ? [] : [handle]));
  }

  info(): Promise<ActorInfo> {
    return this.#actor.info();
  }

  /** Starts its actors. The arbiter does so. */
  async start(): Promise<void> {
    try {
      await this.#actor.begin();
      await this.#start(this.#children);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /**
   * Changes how many workers there are, of a monitor with one kind of child; resolves when they have started, or stopped.
   * @throws {VelaError} `ERR_ACTOR_ARGUMENTS` for a monitor with several kinds
   */
  scale(workers: number): Promise<void> {
    return own(this.#enqueue(() => this.#scale(requireWorkers('scale', workers))));
  }

  /** `onStop`, its actors in reverse order, its last messages, `onExit`. Never rejects. */
  stop(): Promise<void> {
    return this.#end('stopped', undefined);
  }

  #end(reason: 'stopped' | 'gave-up', error: Error | undefined): Promise<void> {
    this.#stopping ??= this.#stop({
      actor: this.proxy,
      reason,
      error,
      exitCode: undefined,
      signal: undefined,
    });
    return this.#stopping;
  }

  async #stop(down: Down): Promise<void> {
    this.#pauses.endAll();
    await this.#actor.end(this.#options.stopTimeoutMs, () => this.#stopChildren(this.#children));
    this.#owner.ended();
    this.#owner.registry.remove(this.proxy, down);
  }

  /** Starts those of a kind at once, and one kind after the other. */
  async #start(children: readonly SupervisedChild[]): Promise<void> {
    for (const options of new Set(children.map((child) => child.options))) {
      const kin = children.filter((child) => child.options === options && child.handle === undefined);
      await Promise.all(kin.map((child) => this.#startOne(child)));
    }
  }

  /** An actor that its own code has spawned: it stops with the others, and is not restarted. */
  async #adopt(spawn: ResolvedSpawn): Promise<ActorProxy> {
    const handle = this.#owner.launch(spawn);
    const options = { spawn, restart: 'temporary', workers: 1 } as const;
    const child: SupervisedChild = { options, name: handle.proxy.name, handle };
    this.#children = [...this.#children, child];
    this.#follow(child, handle);
    return handle.started;
  }

  async #startOne(child: SupervisedChild): Promise<void> {
    if (this.#stopping !== undefined) throw new ActorDied(this.proxy.name, 'stopped');
    const handle = this.#owner.launch({ ...child.options.spawn, name: child.name });
    child.handle = handle;
    this.#follow(child, handle);
    try {
      await handle.started;
    } catch (error) {
      if (child.handle === handle) child.handle = undefined;
      throw error;
    }
  }

  #follow(child: SupervisedChild, handle: ActorHandle): void {
    // Each for itself need not wait for the others.
    const isAlone = this.#options.strategy === 'one-for-one';
    void handle.down.then((down) => {
      const mend = () => this.#mend(child, handle, down);
      return isAlone ? mend() : this.#enqueue(mend);
    });
  }

  /** In reverse: one kind after the other, those of a kind at once. */
  async #stopChildren(children: readonly SupervisedChild[]): Promise<void> {
    for (const options of [...new Set(children.map((child) => child.options))].reverse()) {
      const kin = children.filter((child) => child.options === options);
      await Promise.all(
        kin.map(async (child) => {
          const { handle } = child;
          child.handle = undefined;
          await handle?.stop();
        }),
      );
    }
  }

  /** Ends that come while one is dealt with wait. */
  #enqueue(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => {});
    return done;
  }

  /** One of its actors is gone. */
  async #mend(child: SupervisedChild, handle: ActorHandle, down: Down): Promise<void> {
    // It was stopped from here, or another one is in its place.
    if (child.handle !== handle) return;
    child.handle = undefined;
    const { restart } = child.options;
    if (restart === 'temporary') this.#children = this.#children.filter((one) => one !== child);
    if (restart === 'temporary' || (restart === 'transient' && isNormal(down))) return;
    for (let cause = down.error; this.#isWanted(child); ) {
      const pauseMs = this.#limit.take(performance.now());
      if (pauseMs === undefined) {
        this.#giveUp(child, cause);
        return;
      }
      await this.#pauses.wait(pauseMs);
      if (!this.#isWanted(child)) return;
      try {
        await this.#restart(child);
        return;
      } catch (error) {
        cause = toError(error);
      }
    }
  }

  #isWanted(child: SupervisedChild): boolean {
    return this.#stopping === undefined && this.#children.includes(child);
  }

  async #restart(child: SupervisedChild): Promise<void> {
    const affected = findAffected(this.#options.strategy, this.#children, child);
    await this.#stopChildren(affected);
    const coming = affected.filter((one) => one.options.restart !== 'temporary');
    this.#children = this.#children.filter((one) => coming.includes(one) || !affected.includes(one));
    await this.#start(coming);
  }

  #giveUp(child: SupervisedChild, cause: Error | undefined): void {
    const { name, maxRestarts, restartWindowMs } = this.#options;
    const often = `more than ${maxRestarts} restarts within ${restartWindowMs} ms`;
    const error = actorError(
      'ERR_ACTOR_GAVE_UP',
      `The monitor "${name}" gives up, and stops its actors: "${child.name}" died, and there were ${often}`,
      cause,
    );
    this.#owner.logger.error({ err: error, actor: name }, error.message);
    void this.#end('gave-up', error);
  }

  async #scale(workers: number): Promise<void> {
    const [only, ...others] = this.#options.children;
    if (only === undefined || others.length > 0)
      throw actorError(
        'ERR_ACTOR_ARGUMENTS',
        `The monitor "${this.proxy.name}" has ${this.#options.children.length} kinds of children, and only a monitor of one can be scaled`,
      );
    const kin = this.#children.filter(({ options }) => options === only);
    const surplus = kin.slice(workers);
    const taken = new Set(this.#children.map(({ name }) => name));
    const added = Array.from({ length: Math.max(0, workers - kin.length) }, () => {
      const name = nameWorker(this.#options, only, taken);
      taken.add(name);
      return { options: only, name, handle: undefined };
    });
    this.#children = [...this.#children.filter((child) => !surplus.includes(child)), ...added];
    try {
      await Promise.all([this.#stopChildren(surplus), this.#start(added)]);
    } finally {
      // Those that did not come up are not there.
      this.#children = this.#children.filter(
        (child) => child.handle !== undefined || !added.some((one) => one === child),
      );
    }
  }

  #scaleLater(workers: number): void {
    this.scale(workers).catch((error: unknown) => {
      const { name } = this.proxy;
      this.#owner.logger.error(
        { err: toError(error) },
        `the monitor "${name}" could not be scaled to ${workers}`,
      );
    });
  }
}
