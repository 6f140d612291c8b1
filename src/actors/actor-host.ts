import type { Logger } from '../core/logger.js';
import type { CommandHandler } from './actor-code.js';
import type { ActorInfo } from './actor-info.js';
import type { ActorProxy } from './actor-proxy.js';
import type { ActorKind } from './actor-state.js';
import type { Down } from './down-notice.js';
import type { Message } from './message.js';
import type { ResolvedSpawn } from './spawn-options.js';
import type { ActorStart } from './wire.js';

/** Who an actor is, and how it behaves. */
export interface ActorIdentity extends Omit<ActorStart, 'kind' | 'module' | 'export'> {
  readonly kind: ActorKind;
}

/** What an actor needs of where it runs. */
export interface ActorHost {
  readonly logger: Logger;
  /** Commands that it has beside those of its code. */
  readonly commands?: Readonly<Record<string, CommandHandler>>;
  /** Takes a message to its target, and has it settled once. */
  deliver(target: string, message: Message): void;
  /** Begins to stop the actor. */
  stop(): void;
  /** Tells once of the end of an actor. @returns what ends the watch */
  watch(target: string, listener: (down: Down) => void): () => void;
  /** Where actors are made, which others ask the arbiter for. */
  spawn?(options: ResolvedSpawn): Promise<ActorProxy>;
  /** What else its `info` has. */
  collect?(): Promise<Partial<ActorInfo>>;
  /** A setting is about to change. @throws for what cannot be */
  configured?(name: string, value: unknown): void;
}
