import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { toError } from '../core/errors.js';
import { createGate, type Gate } from '../core/gate.js';
import { own } from '../core/own.js';
import { waitAtMost } from '../core/wait-at-most.js';
import type { Carrier, CarrierOwner } from './carrier.js';
import { backlogError, channelsError, refusedError } from './channels-error.js';
import type { DataStore } from './data-store.js';
import { MOST_WAITING_BYTES } from './outbox.js';
import { exceeds, type PackedMessage } from './packed-message.js';
import { connectRedis } from './redis-client.js';
import { RedisLocks } from './redis-locks.js';
import { RedisPresence } from './redis-presence.js';
import { RedisSubscriber } from './redis-subscriber.js';
import { decodeMessage, encodeMessage } from './redis-wire.js';

/** The pauses between attempts to connect, in ms: doubled each time, give or take a quarter. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 16_000;
/** How long an attempt may take, in ms: both connections, and all subscriptions. */
const ATTEMPT_MS = 5000;
/** How often it is asked whether the connections are alive, in ms. */
const PING_MS = 10_000;
/** How long what is published last may take to leave, in ms. */
const CLOSE_MS = 2000;

/** Two connections: one that subscribes can do nothing else. */
interface Connection {
  readonly publisher: Redis;
  readonly subscriber: RedisSubscriber;
}

/** Channels in a Redis or Valkey, to which each process connects by itself. */
export class RedisCarrier implements Carrier {
  readonly locks: RedisLocks;
  readonly #owner: CarrierOwner;
  readonly #store: DataStore;
  readonly #prefix: string;
  /** Tells what this process has published from what others have. */
  readonly #origin = randomBytes(8).toString('hex');
  readonly #presence: RedisPresence;
  readonly #stopper = new AbortController();
  #connection: Connection | undefined;
  /** While it connects: settles when it is clear what became of that. */
  #attempt: Gate | undefined;
  /** Messages that wait for that, or for the answer of Redis, in bytes. */
  #waitingBytes = 0;
  #underWay = new Set<Promise<void>>();
  #running: Promise<void> | undefined;
  #lastError: Error | undefined;

  constructor(owner: CarrierOwner, store: DataStore) {
    const base = `${store.namespace}:${owner.name}`;
    this.#owner = owner;
    this.#store = store;
    this.#prefix = `${base}:`;
    this.#presence = new RedisPresence(base, this.#origin, (channel) => owner.countOf(channel));
    this.locks = new RedisLocks(`${base}!lock:`, (use) => this.#use(({ publisher }) => use(publisher)));
  }

  async open(): Promise<void> {
    if (this.#running === undefined) {
      this.#attempt = createGate();
      this.#running = own(this.#run());
    }
    const missing = await this.#attempt?.promise.then(
      () => undefined,
      (error: Error & { code?: string }) => (error.code === 'ERR_CHANNELS_REDIS_MISSING' ? error : undefined),
    );
    if (missing !== undefined) throw missing;
  }

  publish(channel: string, message: PackedMessage): Promise<void> {
    const bytes = encodeMessage(this.#origin, message);
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes.length > MOST_WAITING_BYTES)
      return own(Promise.reject(backlogError(MOST_WAITING_BYTES)));
    this.#waitingBytes += bytes.length;
    const sent = own(
      this.#use(async ({ publisher }) => {
        await publisher.publish(`${this.#prefix}${channel}`, bytes);
      }).finally(() => {
        this.#waitingBytes -= bytes.length;
        this.#underWay.delete(sent);
      }),
    );
    this.#underWay.add(sent);
    return sent;
  }

  changed(target: string): void {
    this.#connection?.subscriber.changed(target);
  }

  settled(): Promise<void> {
    return this.#use(({ subscriber }) => subscriber.settled());
  }

  countOthers(channel: string): Promise<number> {
    return this.#use(({ publisher, subscriber }) =>
      this.#presence.countOthers(publisher, channel, `${this.#prefix}${channel}`, subscriber.has(channel)),
    );
  }

  async close(): Promise<void> {
    await waitAtMost(
      Promise.allSettled([...this.#underWay]).then(() => undefined),
      CLOSE_MS,
    );
    this.#stopper.abort();
    await this.#running;
  }

  /** Uses the connection, or that which is being made. @throws {VelaError} `ERR_CHANNELS_DISCONNECTED`, `ERR_CHANNELS_REFUSED` */
  async #use<T>(use: (connection: Connection) => Promise<T>): Promise<T> {
    if (this.#connection === undefined) await this.#attempt?.promise;
    const connection = this.#connection;
    if (connection === undefined) throw disconnected(this.#store, this.#lastError);
    try {
      return await use(connection);
    } catch (thrown) {
      const error = toError(thrown);
      if (error.name === 'AbortError') throw error;
      throw error.name === 'ReplyError' ? refusedError(this.#store, error) : disconnected(this.#store, error);
    }
  }

  /** Connects, and connects again when a connection ends. */
  async #run(): Promise<void> {
    const { signal } = this.#stopper;
    for (let failures = 0; !signal.aborted; failures++) {
      const attempt = this.#attempt ?? createGate();
      this.#attempt = attempt;
      this.#owner.become('connecting');
      try {
        await this.#connectOnce(() => {
          failures = 0;
        });
      } catch (thrown) {
        const error = toError(thrown);
        this.#lastError = error;
        this.#attempt = undefined;
        // Trying again would not find the package.
        if (!signal.aborted && this.#failed(attempt, error)) return;
      }
      if (signal.aborted) {
        attempt.reject(disconnected(this.#store, undefined));
        return;
      }
      const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
      await sleep(pauseMs * (0.75 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
    }
  }

  /** @returns whether that is for good */
  #failed(attempt: Gate, error: Error): boolean {
    const isMissing = 'code' in error && error.code === 'ERR_CHANNELS_REDIS_MISSING';
    const why = isMissing ? error : disconnected(this.#store, error);
    this.#owner.become('disconnected', why);
    attempt.reject(why);
    return isMissing;
  }

  /** Rejects with why the connection is there no more; resolves when it is to end. */
  async #connectOnce(connected: () => void): Promise<void> {
    const { signal } = this.#stopper;
    const clients: Redis[] = [];
    const over = createGate();
    let isOver = false;
    const late = setTimeout(
      () => over.reject(new Error(`it was not connected within ${ATTEMPT_MS} ms`)),
      ATTEMPT_MS,
    );
    const connect = async () => {
      for (let i = 0; i < 2; i++) {
        const client = await connectRedis(this.#store, over.reject);
        clients.push(client);
        if (isOver) client.disconnect();
      }
      const [publisher, listening] = clients as [Redis, Redis];
      const subscriber = this.#listen(publisher, listening);
      await subscriber.open([this.#presence.requests, this.#presence.replies]);
      if (isOver) return;
      clearTimeout(late);
      this.#connection = { publisher, subscriber };
      this.#attempt?.resolve();
      this.#attempt = undefined;
      connected();
      this.#owner.become('connected');
    };
    connect().catch((error: unknown) => over.reject(toError(error)));
    signal.addEventListener('abort', over.resolve, { once: true });
    const pings = setInterval(() => this.#lookAlive(), PING_MS);
    try {
      await over.promise;
    } finally {
      isOver = true;
      clearTimeout(late);
      clearInterval(pings);
      signal.removeEventListener('abort', over.resolve);
      this.#connection = undefined;
      for (const client of clients) client.disconnect();
    }
  }

  #listen(publisher: Redis, client: Redis): RedisSubscriber {
    return new RedisSubscriber(client, this.#prefix, {
      countOf: (target) => this.#owner.countOf(target),
      targets: () => this.#owner.targets(),
      received: (channel, bytes, only) => this.#received(channel, bytes, only),
      told: (channel, bytes) => {
        this.#presence.received(publisher, channel, bytes).catch((error: unknown) => {
          this.#owner.logger.debug({ err: toError(error) }, 'a count of subscribers was not answered');
        });
      },
    });
  }

  #received(channel: string, bytes: Buffer, only: 'channel' | { readonly pattern: string }): void {
    const decoded = decodeMessage(bytes);
    if (decoded?.origin === this.#origin) return;
    if (decoded !== undefined && !exceeds(decoded.message, this.#owner.maxMessageBytes))
      this.#owner.deliver({ channel, message: decoded.message, only });
    else
      this.#owner.logger.warn(
        { channel, bytes: bytes.length },
        `a message of ${bytes.length} bytes in the data store cannot be read, or is larger than "maxMessageBytes"`,
      );
  }

  /** A connection that does not answer is ended; its timer is `commandTimeout`. */
  #lookAlive(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    const { publisher, subscriber } = connection;
    publisher.ping().catch(() => publisher.disconnect());
    subscriber.settled().catch(() => subscriber.cut());
  }
}

function disconnected({ host, port }: DataStore, cause: Error | undefined): Error {
  return channelsError(
    'ERR_CHANNELS_DISCONNECTED',
    `The data store at ${host}:${port} is away${cause === undefined ? '' : `: ${cause.message}`}`,
    cause,
  );
}
