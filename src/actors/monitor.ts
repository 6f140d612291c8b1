import { toError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { own } from '../core/own.js';
import type { Actor } from './actor.js';
import type { ActorHandle } from './actor-handle.js';
import type { ActorInfo } from './actor-info.js';
import type { ActorProxy } from './actor-proxy.js';
import type { Down } from './down-notice.js';
import { LocalActor } from './local-actor.js';
import { type ResolvedMonitor, requireWorkers } from './monitor-options.js';
import type { Registry } from './registry.js';
import type { ResolvedSpawn } from './spawn-options.js';
import { Supervisor } from './supervisor.js';

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
  readonly #supervisor: Supervisor;
  #stopping: Promise<void> | undefined;

  constructor(proxy: ActorProxy, age: number, options: ResolvedMonitor, owner: MonitorOwner) {
    const { name, mailboxLimit, concurrency, stopTimeoutMs, sendTimeoutMs, taskMs, children } = options;
    this.#options = options;
    this.#owner = owner;
    this.#supervisor = new Supervisor(options, {
      launch: (spawn) => owner.launch(spawn),
      restarted: ({ name: actor, handle }) =>
        owner.logger.info({ actor, processId: handle?.pid }, `the actor "${actor}" is there again`),
      giveUp: (error) => this.#giveUp(error),
    });
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
        spawn: async (spawn) => this.#supervisor.adopt(spawn),
        collect: async () => ({ workers: await owner.infoOf(this.#supervisor.handles) }),
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
    return this.#supervisor.handles.map(({ proxy }) => proxy);
  }

  info(): Promise<ActorInfo> {
    return this.#actor.info();
  }

  /** Starts its actors. The arbiter does so. */
  async start(): Promise<void> {
    try {
      await this.#actor.begin();
      await this.#supervisor.start();
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
    return own(this.#supervisor.scale(requireWorkers('scale', workers)));
  }

  /**
   * Starts another actor in the place of each one, one after the other, and stops the old one when the new one runs.
   * @param name - of the only one to be replaced
   * @returns when the old ones are gone; rejects when one does not come up: the old one stays then, as do those after it
   */
  replace(name?: string): Promise<void> {
    return own(this.#supervisor.replace(name));
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
    this.#supervisor.close();
    await this.#actor.end(this.#options.stopTimeoutMs, () => this.#supervisor.stop());
    this.#owner.ended();
    this.#owner.registry.remove(this.proxy, down);
  }

  #giveUp(error: Error): void {
    this.#owner.logger.error({ err: error, actor: this.proxy.name }, error.message);
    void this.#end('gave-up', error);
  }

  #scaleLater(workers: number): void {
    this.scale(workers).catch((error: unknown) => {
      if (this.#stopping !== undefined) return;
      const { name } = this.proxy;
      const { size } = this.#supervisor;
      // Unless another number is wanted by now.
      if (this.#actor.config.workers === workers) this.#actor.setConfig('workers', size);
      // Why an actor has not come up was logged with its end.
      this.#owner.logger.error(
        { workers: size },
        `the monitor "${name}" could not be scaled to ${workers}, and has ${size}: ${toError(error).message}`,
      );
    });
  }
}
