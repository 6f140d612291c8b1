import { VelaError } from '../core/errors.js';
import type { DataStore } from './data-store.js';

type ChannelsErrorCode =
  | 'ERR_CHANNELS_BACKLOG'
  | 'ERR_CHANNELS_CLOSED'
  | 'ERR_CHANNELS_DISCONNECTED'
  | 'ERR_CHANNELS_FULL'
  | 'ERR_CHANNELS_MESSAGE_SIZE'
  | 'ERR_CHANNELS_REDIS_MISSING'
  | 'ERR_CHANNELS_REFUSED'
  | 'ERR_LOCK_LOST'
  | 'ERR_LOCK_TIMEOUT';

export function channelsError(code: ChannelsErrorCode, message: string, cause?: unknown): VelaError {
  return new VelaError(code, message, cause === undefined ? undefined : { cause });
}

/** The data store has answered an error: it is there, and does not do what it was asked. */
export function refusedError({ host, port }: DataStore, cause: Error): VelaError {
  return channelsError(
    'ERR_CHANNELS_REFUSED',
    `The data store at ${host}:${port} refuses: ${cause.message}`,
    cause,
  );
}

/** More waits to be sent than may. */
export function backlogError(bytes: number): VelaError {
  return channelsError(
    'ERR_CHANNELS_BACKLOG',
    `More than ${bytes} bytes wait to be sent to other processes: await publish() where there is much to publish`,
  );
}
