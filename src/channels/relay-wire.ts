import type { PackedMessage } from './packed-message.js';

/** Entries to and from the main process. To a worker: messages. */
export const RELAY_COMMAND = 'vela.channels';
/** How many subscribe to a channel in all other processes of the program. */
export const COUNT_COMMAND = 'vela.channels.count';
export const LOCK_COMMAND = 'vela.channels.lock';
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
