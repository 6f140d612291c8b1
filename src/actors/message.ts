import type { WireError } from '../core/wire-error.js';
import type { ActorProxy } from './actor-proxy.js';

/** What became of a message: its answer, or why it has none. */
export type Outcome =
  | { readonly isOk: true; readonly value: unknown }
  | { readonly isOk: false; readonly error: WireError };

/** A message on its way to an actor. */
export interface Message {
  readonly command: string;
  readonly args: readonly unknown[];
  readonly sender: ActorProxy | undefined;
  /** Whether the answer of the command is wanted, or only that the message was taken. */
  readonly ack: boolean;
  /** Called once. */
  settle(outcome: Outcome): void;
}
