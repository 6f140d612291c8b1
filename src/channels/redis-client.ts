import { readFile } from 'node:fs/promises';
import type { Redis } from 'ioredis';
import { toError } from '../core/errors.js';
import { channelsError } from './channels-error.js';
import type { DataStore, TlsFiles } from './data-store.js';

/** How long a connection may take to be made, in ms. */
const CONNECT_MS = 5000;
/** How long an answer may take, in ms. */
const COMMAND_MS = 5000;

/** The package ioredis, which is an optional peer: nothing else of Vela loads it, and only a data store needs it. */
async function loadRedis(): Promise<typeof Redis> {
  try {
    return (await import('ioredis')).Redis;
  } catch (cause) {
    throw channelsError(
      'ERR_CHANNELS_REDIS_MISSING',
      'A data store needs the package ioredis: npm install ioredis',
      cause,
    );
  }
}

/** Read for each connection, as certificates are renewed. */
async function readFiles(files: TlsFiles): Promise<Record<string, Buffer>> {
  const read = Object.entries(files).map(async ([name, path]) => [name, await readFile(path)] as const);
  return Object.fromEntries(await Promise.all(read));
}

/**
 * A connection that is made once: when it ends, nothing is sent again, and whoever has it makes another one.
 * @param ended - called once with why, when it ends after it was made
 * @throws {VelaError} `ERR_CHANNELS_REDIS_MISSING` @throws why it cannot be made
 */
export async function connectRedis(store: DataStore, ended: (error: Error) => void): Promise<Redis> {
  const Client = await loadRedis();
  const { host, port, username, password, database } = store;
  const tls = store.tls && (await readFiles(store.tls));
  const client = new Client({
    host,
    port,
    db: database,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls }),
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    commandTimeout: COMMAND_MS,
    enableOfflineQueue: false,
    autoResubscribe: false,
    // At most once.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let last: Error | undefined;
  client.on('error', (error: unknown) => {
    last = toError(error);
  });
  try {
    await client.connect();
  } catch (error) {
    client.disconnect();
    throw last ?? toError(error);
  }
  const end = () => ended(last ?? new Error('the connection was closed'));
  if (client.status === 'ready') client.once('end', end);
  else queueMicrotask(end);
  return client;
}
