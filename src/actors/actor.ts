import type { Logger } from '../core/logger.js';
import type { ActorInfo } from './actor-info.js';
import type { ActorProxy } from './actor-proxy.js';
import type { ActorState } from './actor-state.js';
import type { CommandResult } from './command-results.js';
import type { DownNotice } from './down-notice.js';
import type { ActorTarget, SendOptions } from './send-target.js';
import type { SpawnOptions } from './spawn-options.js';

/** An actor, where it runs: what hooks and commands are given. Others have an {@link ActorProxy} of it. */
export interface Actor {
  /** Its handle, which may be sent to others. */
  readonly proxy: ActorProxy;
  /** Eight letters and digits; `arbiter` for the arbiter. */
  readonly id: string;
  readonly name: string;
  readonly state: ActorState;
  /** The name of its monitor, or `arbiter`. */
  readonly monitor: string;
  /** How many actors were spawned before it. */
  readonly age: number;
  /** What `spawn` was given as `args`. */
  readonly args: readonly unknown[];
  /** Its settings, which the command `config` reads and sets. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Writes to the arbiter's log. */
  readonly logger: Logger;
  isRunning(): boolean;
  /** True from the moment that it runs, and ever after. */
  isStarted(): boolean;
  /** True when it stops, or has stopped. */
  isAfterRun(): boolean;
  isClosed(): boolean;
  /** True when it is closed, or was ended by force. */
  isStopped(): boolean;
  isArbiter(): boolean;
  isMonitor(): boolean;
  isProcess(): boolean;
  /** True when it stops while others go on in its place: it was replaced, or there are to be fewer. */
  isRetired(): boolean;
  setConfig(name: string, value: unknown): void;
  /** As the function `send`, for this actor. */
  send<C extends string>(
    to: ActorTarget | SendOptions,
    command: C,
    ...args: unknown[]
  ): Promise<CommandResult<C>>;
  /** As the function `spawn`, for this actor. */
  spawn(options: SpawnOptions): Promise<ActorProxy>;
  /** As the function `watch`, for this actor. */
  watch(target: ActorTarget, options?: WatchOptions): Promise<DownNotice>;
  /** Runs a function again and again, `everyMs` after its last run has ended, until the actor stops. @returns what ends it */
  periodicTask(everyMs: number, task: () => unknown): () => void;
  info(): Promise<ActorInfo>;
  /** Begins to stop it: `onStop`, what is in its mailbox, `onExit`. */
  stop(): void;
}

/** Options of `watch`. */
export interface WatchOptions {
  /** Ends the watch: the promise rejects with its reason. */
  signal?: AbortSignal;
}
