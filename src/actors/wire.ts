import type { WireError } from '../core/wire-error.js';
import type { WireLine } from '../core/wire-log.js';
import type { ActorKind } from './actor-state.js';
import type { Down } from './down-notice.js';

/*
 * What two ends of a link say to each other: tuples with their kind in front, over the channel of a child process or a
 * MessagePort. Both carry them in order and whole, or not at all.
 */

/** A message for an actor; its ticket is of the side that sends it, and is answered once. */
export const SEND = 0;
export const REPLY = 1;
export const FAIL = 2;
/** Several frames, in their order. */
export const BATCH = 3;
/** A parcel (see parcels.ts), answered as a message is, or, with this ticket, not at all. */
export const PARCEL = 4;
export const UNANSWERED = 0;
/** To an actor: who it is. To the arbiter: it is up, and has started. */
export const BEGIN = 10;
export const READY = 11;
/** A sign of life. */
export const BEAT = 12;
/** To an actor: stop, and whether others go on in its place. To the arbiter: it stops of its own accord. */
export const STOP = 13;
/** Its last word: the error that it dies of, or none. */
export const LAST = 14;
export const LOG = 15;
/** To the arbiter: tell of the end of an actor, or do so no more. */
export const WATCH = 20;
export const UNWATCH = 21;
export const DOWN = 22;
/** A thread asks for a port to another; it is given one, or none. The other is given its end. */
export const CONNECT = 30;
export const CONNECTED = 31;
export const DIRECT = 32;

export type Frame =
  | [
      kind: typeof SEND,
      ticket: number,
      target: string,
      sender: WireActor | undefined,
      command: string,
      args: readonly unknown[],
      ack: boolean,
    ]
  | [kind: typeof REPLY, ticket: number, value?: unknown]
  | [kind: typeof FAIL, ticket: number, error: WireError]
  | [kind: typeof BATCH, frames: readonly Frame[]]
  | [kind: typeof PARCEL, ticket: number, of: string, parcel: unknown]
  | [kind: typeof BEGIN, start: ActorStart]
  | [kind: typeof READY]
  | [kind: typeof BEAT]
  | [kind: typeof STOP, timeoutMs: number, isRetired?: boolean]
  | [kind: typeof LAST, error: WireError | undefined]
  | [kind: typeof LOG, line: WireLine]
  | [kind: typeof WATCH, ticket: number, target: string]
  | [kind: typeof UNWATCH, ticket: number]
  | [kind: typeof DOWN, ticket: number, down: WireDown]
  | [kind: typeof CONNECT, ticket: number, target: string]
  | [kind: typeof CONNECTED, ticket: number, id: string, port: MessagePort | undefined]
  | [kind: typeof DIRECT, peer: WireActor, port: MessagePort];

type MessagePort = import('node:worker_threads').MessagePort;

export interface WireActor {
  readonly id: string;
  readonly name: string;
  readonly kind: ActorKind;
}

/** A {@link Down} as it crosses. */
export interface WireDown extends Omit<Down, 'actor' | 'error'> {
  readonly actor: WireActor | undefined;
  readonly error: WireError | undefined;
}

/** What an actor is told when its process or thread is up. */
export interface ActorStart extends WireActor {
  readonly kind: 'process' | 'thread';
  readonly module: string;
  readonly export: string;
  readonly args: readonly unknown[];
  readonly config: Readonly<Record<string, unknown>>;
  /** For the program that it is. */
  readonly told?: unknown;
  /** Who looks after it: the name of its monitor, or `arbiter`. */
  readonly monitor: string;
  /** How many actors were spawned before it. */
  readonly age: number;
  readonly mailboxLimit: number;
  readonly concurrency: number;
  readonly timeoutMs: number;
  readonly stopTimeoutMs: number;
  readonly sendTimeoutMs: number;
  readonly taskMs: number;
}
