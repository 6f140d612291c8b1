import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';

/** A token bucket: it holds so many, and fills up in so long. */
export interface TokenBucket {
  readonly capacity: number;
  /** From empty to full, in ms. */
  readonly windowMs: number;
}

/** What taking tokens gave. */
export interface TakenTokens {
  readonly isAllowed: boolean;
  /** What is left; not whole, as the bucket fills all the time. */
  readonly remaining: number;
  /** Until there is as much as was asked for, in ms; 0 when allowed. */
  readonly retryAfterMs: number;
}

/** Where buckets are kept. A store that several processes share takes in one step, in Redis by a script. */
export interface RateLimitStore {
  /** Takes so many tokens of the bucket of that key, all or none. */
  take(key: string, cost: number, bucket: TokenBucket): TakenTokens | PromiseLike<TakenTokens>;
}

/** Options of {@link createMemoryRateLimitStore}. */
export interface MemoryRateLimitStoreOptions {
  /** How many buckets are kept; then the one that was used longest ago goes. @defaultValue 100,000, some 15 MB */
  maxKeys?: number;
}

const DEFAULT_MAX_KEYS = 100_000;

/** Buckets in the memory of this process: each worker counts for itself. */
export function createMemoryRateLimitStore(options: MemoryRateLimitStoreOptions = {}): RateLimitStore {
  const { maxKeys = DEFAULT_MAX_KEYS, ...unknown } = requireOptions('createMemoryRateLimitStore', options);
  refuseUnknown('createMemoryRateLimitStore', unknown, ['maxKeys']);
  if (!Number.isSafeInteger(maxKeys) || maxKeys < 1)
    throw new TypeError(
      `Option "maxKeys" must be a whole number above 0; received ${describeValue(maxKeys)}`,
    );
  /** When each bucket is full, in ms of the monotonic clock; the one used longest ago comes first. */
  const fullAtMs = new Map<string, number>();

  return {
    take(key, cost, { capacity, windowMs }) {
      const now = performance.now();
      const perToken = windowMs / capacity;
      const missing = Math.max(0, (fullAtMs.get(key) ?? 0) - now) / perToken;
      // Rounding must not refuse the last token of a bucket.
      const isAllowed = missing + cost <= capacity + 1e-6;
      const after = isAllowed ? missing + cost : missing;
      fullAtMs.delete(key);
      fullAtMs.set(key, now + after * perToken);
      if (fullAtMs.size > maxKeys) fullAtMs.delete(fullAtMs.keys().next().value as string);
      return {
        isAllowed,
        remaining: Math.max(0, capacity - after),
        retryAfterMs: isAllowed ? 0 : (missing + cost - capacity) * perToken,
      };
    },
  };
}
