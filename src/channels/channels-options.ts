import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import { type DataStore, parseDataStore } from './data-store.js';

/** Options of {@link Channels}. */
export interface ChannelsOptions {
  /** Channels of one name are the same channels, in all processes. Letters, digits, `.`, `_` and `-`. @defaultValue `channels` */
  name?: string;
  /**
   * A Redis or Valkey that other machines use too: `redis://user:password@host:6379/0?namespace=shop`; `rediss:` is with TLS,
   * `?ca=/etc/vela/ca.pem` names who has signed it.
   * @defaultValue the setting `dataStore`; without it, the processes of this program
   */
  dataStore?: string;
  /** Most subscriptions in one process. @defaultValue 100,000 */
  maxSubscriptions?: number;
  /** Largest message, in bytes. @defaultValue 1,048,576 */
  maxMessageBytes?: number;
}

export interface ResolvedChannels {
  readonly name: string;
  readonly dataStore: DataStore | undefined;
  readonly maxSubscriptions: number;
  readonly maxMessageBytes: number;
}

const LARGEST_MESSAGE_BYTES = 16 * 1_048_576;

/** @throws {TypeError} @throws {ImproperlyConfigured} for a data store that cannot be */
export function resolveChannels(options: ChannelsOptions): ResolvedChannels {
  const {
    name = 'channels',
    dataStore,
    maxSubscriptions = 100_000,
    maxMessageBytes = 1_048_576,
    ...unknown
  } = requireOptions('Channels', options);
  refuseUnknown('Channels', unknown, ['name', 'dataStore', 'maxSubscriptions', 'maxMessageBytes']);
  if (typeof name !== 'string' || !/^[\w.-]{1,64}$/.test(name))
    throw new TypeError(
      `Option "name" of Channels must be 1 to 64 letters, digits, ".", "_" and "-"; received ${describeValue(name)}`,
    );
  requireWhole('maxSubscriptions', maxSubscriptions, 10_000_000);
  requireWhole('maxMessageBytes', maxMessageBytes, LARGEST_MESSAGE_BYTES);
  return {
    name,
    dataStore:
      dataStore === undefined ? undefined : parseDataStore('Option "dataStore" of Channels', dataStore),
    maxSubscriptions,
    maxMessageBytes,
  };
}

function requireWhole(name: string, value: unknown, most: number): void {
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > most)
    throw new TypeError(
      `Option "${name}" of Channels must be a whole number from 1 to ${most}; received ${describeValue(value)}`,
    );
}
