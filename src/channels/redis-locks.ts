import type { Redis } from 'ioredis';
import { own } from '../core/own.js';
import type { LockKeeper, LockRequest } from './lock-keeper.js';
import { pause } from './pause.js';

/** Gives back what the token holds, and nothing else. */
const RELEASE = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0`;

/** Between two looks at a lock that is not free, in ms: growing, and never the same for two. */
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 200;

/** Does something with a connection. */
type UseRedis = <T>(use: (client: Redis) => Promise<T>) => Promise<T>;

/** Locks in Redis: a key with the token that expires (https://redis.io/docs/latest/commands/set/#patterns). */
export class RedisLocks implements LockKeeper {
  readonly #prefix: string;
  readonly #use: UseRedis;

  /** @param use - rejects while there is no connection */
  constructor(prefix: string, use: UseRedis) {
    this.#prefix = prefix;
    this.#use = use;
  }

  async acquire(
    name: string,
    { token, timeoutMs, waitMs, signal }: LockRequest,
  ): Promise<number | undefined> {
    const endMs = performance.now() + waitMs;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
      signal?.throwIfAborted();
      const key = `${this.#prefix}${name}`;
      const beganMs = performance.now();
      const isHad = await this.#take(key, token, timeoutMs).catch((error: unknown) => {
        // It may be had by now, and by nobody who knows of it.
        void own(this.release(name, token));
        throw error;
      });
      const leftMs = endMs - performance.now();
      if (isHad) return beganMs;
      if (leftMs <= 0) return undefined;
      await pause(Math.min(leftMs, pauseMs * (0.5 + Math.random())), signal);
    }
  }

  #take(key: string, token: string, timeoutMs: number): Promise<boolean> {
    return this.#use(
      async (client) => (await client.set(key, token, 'PX', Math.ceil(timeoutMs), 'NX')) === 'OK',
    );
  }

  release(name: string, token: string): Promise<boolean> {
    const key = `${this.#prefix}${name}`;
    return this.#use(async (client) => (await client.eval(RELEASE, 1, key, token)) === 1);
  }
}
