import type { PackedMessage } from './packed-message.js';

/** Parcels of entries to and from the main process. To a worker: messages. */
export const RELAY = 'vela.channels';
/** How many subscribe to channels in all other processes of the program: a list of questions, and one of numbers. */
export const COUNT_COMMAND = 'vela.channels.count';
export const LOCK_COMMAND = 'vela.channels.lock';
/** Gives back locks: a list of them, and one of whether each was held. */
export const UNLOCK_COMMAND = 'vela.channels.unlock';

/** A message of a channel. */
export const MESSAGE = 0;
/** So many subscribe to a channel or pattern in the sender's process. */
export const COUNT = 1;

export type RelayEntry =
  | [
      type: typeof MESSAGE,
      name: string,
      channel: string,
      kind: PackedMessage['kind'],
      data: PackedMessage['data'],
    ]
  | [type: typeof COUNT, name: string, target: string, count: number];

/** A channel, by the name of its channels and its own. */
export type CountQuestion = readonly [name: string, channel: string];

/** A lock that is given back. */
export type Unlocking = readonly [name: string, token: string];
