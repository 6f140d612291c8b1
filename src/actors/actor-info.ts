import type { ActorKind, ActorState } from './actor-state.js';
import type { SystemInfo } from './system-info.js';

/** What an actor says of itself. */
export interface ActorInfo {
  readonly actor: {
    readonly name: string;
    readonly id: string;
    readonly kind: ActorKind;
    readonly state: ActorState;
    readonly uptimeSeconds: number;
    readonly processId: number;
    readonly threadId: number;
    readonly isProcess: boolean;
    /** How many actors were spawned before it. */
    readonly age: number;
    /** Messages that wait, are worked on, are done, were refused; and how many may be there. */
    readonly mailbox: {
      readonly waiting: number;
      readonly running: number;
      readonly processed: number;
      readonly refused: number;
      readonly limit: number;
    };
  };
  /** Of its process and loop; the arbiter's for a monitor. */
  readonly system: SystemInfo;
  /** What its `onInfo` gave. */
  readonly extra: Readonly<Record<string, unknown>>;
  /** Of the arbiter: its monitors, by name. */
  readonly monitors?: Readonly<Record<string, ActorInfo>>;
  /** Of the arbiter and of monitors: their actors; one that does not answer within a second is left out. */
  readonly workers?: readonly ActorInfo[];
}
