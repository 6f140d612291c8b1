import { toError } from '../core/errors.js';
import { ActorDied, actorError } from './actor-errors.js';
import type { ActorHandle } from './actor-handle.js';
import type { ActorProxy } from './actor-proxy.js';
import { type Down, isNormal } from './down-notice.js';
import type { ResolvedMonitor } from './monitor-options.js';
import { Pauses } from './pauses.js';
import { RestartLimit } from './restart-limit.js';
import type { ResolvedSpawn } from './spawn-options.js';
import {
  findAffected,
  listChildren,
  makeChild,
  nameWorker,
  type SupervisedChild,
} from './supervised-child.js';

/** What a supervisor needs of its monitor. */
export interface SupervisorOwner {
  launch(options: ResolvedSpawn): ActorHandle;
  /** One that had died is there again. */
  restarted(child: SupervisedChild): void;
  /** The monitor is to stop, as its actors die too often. */
  giveUp(error: Error): void;
}

/** The actors of a monitor: starts them in order, restarts those that die, stops them in reverse. */
export class Supervisor {
  readonly #options: ResolvedMonitor;
  readonly #owner: SupervisorOwner;
  /** Of all children together, where their number of restarts has a limit. */
  readonly #limit: RestartLimit | undefined;
  #children: readonly SupervisedChild[];
  /** Those that others have taken the places of, and that are not gone yet. */
  readonly #leaving = new Set<ActorHandle>();
  /** What is to be done about ends, one after the other. */
  #work: Promise<void> = Promise.resolve();
  /** Before restarts. */
  readonly #pauses = new Pauses();
  #isStopping = false;

  constructor(options: ResolvedMonitor, owner: SupervisorOwner) {
    this.#options = options;
    this.#owner = owner;
    if (options.maxRestarts !== Number.POSITIVE_INFINITY)
      this.#limit = new RestartLimit(options.maxRestarts, options.restartWindowMs);
    this.#children = listChildren(options);
  }

  /** Those that are there, in order. */
  get handles(): ActorHandle[] {
    return this.#children.flatMap(({ handle }) => (handle === undefined ? [] : [handle]));
  }

  /** How many there are of its only kind of child, those that are being restarted included. */
  get size(): number {
    return this.#children.filter(({ options }) => options === this.#options.children[0]).length;
  }

  /** Rejects when one does not come up; those that did are left for `stop`. */
  start(): Promise<void> {
    return this.#start(this.#children);
  }

  /** No more are started. */
  close(): void {
    this.#isStopping = true;
    this.#pauses.endAll();
  }

  /** In reverse order. Call `close` before. */
  async stop(): Promise<void> {
    await this.#stopChildren(this.#children);
    await Promise.all([...this.#leaving].map(({ down }) => down));
  }

  /** An actor that the monitor's own code has spawned: it stops with the others, and is not restarted. */
  adopt(spawn: ResolvedSpawn): Promise<ActorProxy> {
    const handle = this.#owner.launch(spawn);
    const options = { spawn, restart: 'temporary', workers: 1 } as const;
    const child = { ...makeChild(this.#options, options, handle.proxy.name), handle };
    this.#children = [...this.#children, child];
    this.#follow(child, handle);
    return handle.started;
  }

  /** @returns when those that are added run, and those that are taken away are gone */
  async scale(workers: number): Promise<void> {
    const leaving: Promise<Down>[] = [];
    try {
      await this.#enqueue(() => this.#scale(workers, leaving));
    } finally {
      // Not within the queue: others may be wanted long before these are gone.
      await Promise.all(leaving);
    }
  }

  /**
   * Starts another one in the place of each child, one after the other, and stops the old one once the new one runs.
   * @param name - of the only one to be replaced
   * @returns when the new ones run, and the old ones are gone; rejects when one does not come up: it and those after it stay as they were
   */
  async replace(name?: string): Promise<void> {
    const leaving: Promise<Down>[] = [];
    try {
      await this.#enqueue(async () => {
        const chosen = this.#children.filter((child) => name === undefined || child.name === name);
        for (const child of chosen) {
          const old = await this.#replaceOne(child);
          if (old !== undefined) leaving.push(this.#retire(old));
        }
      });
    } finally {
      await Promise.all(leaving);
    }
  }

  /** @returns the one that is to leave */
  async #replaceOne(child: SupervisedChild): Promise<ActorHandle | undefined> {
    if (this.#isStopping || !this.#children.includes(child)) return undefined;
    const name = nameWorker(this.#options, child.options, this.#names());
    const next = makeChild(this.#options, child.options, name);
    await this.#startOne(next);
    this.#children = this.#children.map((one) => (one === child ? next : one));
    const old = child.handle;
    child.handle = undefined;
    // The old one has left, or its monitor has stopped meanwhile.
    if (!this.#children.includes(next) || this.#isStopping) void next.handle?.stop();
    return old;
  }

  #retire(handle: ActorHandle, isReplaced = true): Promise<Down> {
    this.#leaving.add(handle);
    void handle.down.then(() => this.#leaving.delete(handle));
    return handle.stop(undefined, isReplaced);
  }

  #names(): Set<string> {
    return new Set([...this.#children, ...this.#leavingNames()].map(({ name }) => name));
  }

  #leavingNames(): { name: string }[] {
    return [...this.#leaving].map(({ proxy }) => proxy);
  }

  /** Starts those of a kind at once, and one kind after the other. */
  async #start(children: readonly SupervisedChild[]): Promise<void> {
    for (const options of new Set(children.map((child) => child.options))) {
      const kin = children.filter((child) => child.options === options && child.handle === undefined);
      await Promise.all(kin.map((child) => this.#startOne(child)));
    }
  }

  async #startOne(child: SupervisedChild): Promise<void> {
    if (this.#isStopping) throw new ActorDied(this.#options.name, 'stopped');
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
      const pauseMs = (this.#limit ?? child.limit).take(performance.now());
      if (pauseMs === undefined) {
        this.#giveUp(child, cause);
        return;
      }
      await this.#pauses.wait(pauseMs);
      if (!this.#isWanted(child)) return;
      try {
        await this.#restart(child);
        this.#owner.restarted(child);
        return;
      } catch (error) {
        cause = toError(error);
      }
    }
  }

  #isWanted(child: SupervisedChild): boolean {
    return !this.#isStopping && this.#children.includes(child);
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
    this.#owner.giveUp(
      actorError(
        'ERR_ACTOR_GAVE_UP',
        `The monitor "${name}" gives up, and stops its actors: "${child.name}" died, and there were ${often}`,
        cause,
      ),
    );
  }

  async #scale(workers: number, leaving: Promise<Down>[]): Promise<void> {
    const [only, ...others] = this.#options.children;
    if (only === undefined || others.length > 0)
      throw actorError(
        'ERR_ACTOR_ARGUMENTS',
        `The monitor "${this.#options.name}" has ${this.#options.children.length} kinds of children, and only a monitor of one can be scaled`,
      );
    const kin = this.#children.filter(({ options }) => options === only);
    const surplus = kin.slice(workers);
    const taken = this.#names();
    const added = Array.from({ length: Math.max(0, workers - kin.length) }, () => {
      const name = nameWorker(this.#options, only, taken);
      taken.add(name);
      return makeChild(this.#options, only, name);
    });
    this.#children = [...this.#children.filter((child) => !surplus.includes(child)), ...added];
    for (const child of surplus) {
      const { handle } = child;
      child.handle = undefined;
      if (handle !== undefined) leaving.push(this.#retire(handle, workers > 0));
    }
    try {
      await this.#start(added);
    } finally {
      // Those that did not come up are not there.
      this.#children = this.#children.filter(
        (child) => child.handle !== undefined || !added.some((one) => one === child),
      );
    }
  }
}
