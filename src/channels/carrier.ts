import type { Logger } from '../core/logger.js';
import type { LockKeeper } from './lock-keeper.js';
import type { PackedMessage } from './packed-message.js';
import type { Delivery, TopicSocket } from './subscriptions.js';

/** How channels are connected with other processes, or the data store; where there are none, they are `connected`. */
export type ChannelsStatus = 'initialised' | 'connecting' | 'connected' | 'disconnected' | 'closed';

/** What a carrier needs of the channels that it serves. */
export interface CarrierOwner {
  readonly name: string;
  readonly logger: Logger;
  readonly maxMessageBytes: number;
  /** A message came from elsewhere. */
  deliver(delivery: Delivery): void;
  /** How many subscribe to exactly this channel or pattern, here. */
  countOf(target: string): number;
  /** All channels and patterns that somebody subscribes to, here. */
  targets(): Iterable<string>;
  become(status: ChannelsStatus, error?: Error): void;
}

/** What takes messages to the others: of this process, of this program, of other machines. */
export interface Carrier {
  readonly locks: LockKeeper;
  /**
   * Begins to connect. Resolves when the first attempt has succeeded or failed.
   * @throws {VelaError} `ERR_CHANNELS_REDIS_MISSING`
   */
  open(): Promise<void>;
  /** Takes a message to all others. Its promise is owned. @param except - a socket of this process that does not get it */
  publish(channel: string, message: PackedMessage, except: TopicSocket | undefined): Promise<void>;
  /** Another number subscribes to a channel or pattern than before. */
  changed(target: string): void;
  /** Resolves when the others know of all subscriptions so far. */
  settled(): Promise<void>;
  /** How many subscribe elsewhere. */
  countOthers(channel: string): Promise<number>;
  /** Lets what was published leave, and ends. Never rejects. */
  close(): Promise<void>;
}
