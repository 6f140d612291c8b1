import { packError } from '../core/wire-error.js';
import { ActorDied, actorError } from './actor-errors.js';
import type { ActorProxy } from './actor-proxy.js';
import type { Outcome } from './message.js';

/*
 * Parcels: what other systems of this package say to each other between the main process and those of actors. They take the way of
 * messages, in order with them, but no mailbox, hook or command: an actor that is busy, or full, has them all the same.
 */

/** Something on its way to another process or thread. It is not to be changed any more. */
export interface Parcel {
  /** The id of an actor, or `arbiter`. */
  readonly target: string;
  /** Who takes it there. */
  readonly kind: string;
  readonly content: unknown;
  /** JSON text gives its content back as it was. */
  readonly isPlain: boolean;
  /** Called once, when it was taken or cannot be. Its time is the sender's to bound. @defaultValue nobody asks */
  readonly settle: ((outcome: Outcome) => void) | undefined;
}

/** @param sender - undefined: the main process @throws when it cannot be taken, which is the answer */
export type ParcelTaker = (content: unknown, sender: ActorProxy | undefined) => void;

const takers = new Map<string, ParcelTaker>();
let post: ((parcel: Parcel) => void) | undefined;

/** Takes all parcels of a kind that come to this process or thread. */
export function onParcel(kind: string, take: ParcelTaker): void {
  takers.set(kind, take);
}

/** A parcel came. @throws what its taker throws, and {@link VelaError} `ERR_ACTOR_COMMAND` when it has none */
export function takeParcel(kind: string, content: unknown, sender: ActorProxy | undefined): void {
  const take = takers.get(kind);
  if (take === undefined) throw actorError('ERR_ACTOR_COMMAND', `Nothing here takes parcels of "${kind}"`);
  take(content, sender);
}

/** How parcels leave this process or thread, from now on. */
export function setParcelPost(way: ((parcel: Parcel) => void) | undefined): void {
  post = way;
}

export function postParcel(parcel: Parcel): void {
  if (post === undefined) loseParcel(parcel, new ActorDied(parcel.target, 'stopped'));
  else post(parcel);
}

export function loseParcel({ settle }: Parcel, error: Error): void {
  settle?.({ isOk: false, error: packError(error) });
}
