import { createHash } from 'node:crypto';
import { atOnce } from '../core/at-once.js';
import type { Environ, HeaderPair, MiddlewareFunction } from '../core/contract.js';
import { LONGEST_AGE_MS, LONGEST_TIMER_MS } from '../core/duration.js';
import { describeValue, isThenable, refuseUnknown, requireOptions, toError } from '../core/errors.js';
import { HttpError } from '../core/http-error.js';
import { findClientNetwork } from './client-network.js';
import {
  createMemoryRateLimitStore,
  type RateLimitStore,
  type TakenTokens,
  type TokenBucket,
} from './rate-limit-store.js';

/** Options of {@link rateLimit}. */
export interface RateLimitOptions {
  /** How many requests a client may send at once, and in each window. */
  limit: number;
  /** In how long an empty bucket fills up, in ms. @defaultValue 1 minute */
  windowMs?: number;
  /** Who is counted. @defaultValue the client's address, of IPv6 its /64 */
  key?(environ: Environ): string;
  /** What a request costs; 0 only looks. @defaultValue 1 */
  cost?: number | ((environ: Environ) => number);
  /** Requests that are not counted. @defaultValue none */
  skip?(environ: Environ): boolean;
  /** @defaultValue the memory of this process */
  store?: RateLimitStore;
  /** What becomes of requests when the store fails: `open` lets them pass, `closed` answers 503. @defaultValue `open` */
  onStoreError?: 'open' | 'closed';
  /** For how long the store is waited for, in ms; then it has failed. @defaultValue 1 s */
  storeTimeoutMs?: number;
  /** What this limit is called in the headers, and apart from others in one store. @defaultValue `default` */
  name?: string;
}

const KNOWN = ['limit', 'windowMs', 'key', 'cost', 'skip', 'store', 'onStoreError', 'storeTimeoutMs', 'name'];
const DEFAULT_WINDOW_MS = 60_000;
const DEFAULT_STORE_TIMEOUT_MS = 1000;
/** The largest that a header can state (RFC 9651 §3.3.1). */
const LARGEST_INTEGER = 999_999_999_999_999;
/** A longer key is kept as its hash, so that keys of clients' making take no more memory. */
const MAX_KEY_LENGTH = 64;

/**
 * Answers 429 to whoever asks too often: a token bucket for each client, which a burst may empty and time fills again.
 * Responses say how much is left (RateLimit-Policy and RateLimit), and 429 when to come back (Retry-After).
 * @throws {TypeError} for a wrong option
 * @example rateLimit({ limit: 100, windowMs: 60_000 })
 * @see {@link https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-10 | RateLimit header fields, draft 10}
 */
export function rateLimit(options: RateLimitOptions): MiddlewareFunction {
  const settings = resolve(options);
  const { bucket, store, prefix, isOpen, storeTimeoutMs, skip } = settings;
  const { key: findKey = findAddress, cost: costOption } = settings;
  const policy: HeaderPair = [
    'RateLimit-Policy',
    `"${settings.name}";q=${bucket.capacity};w=${Math.ceil(bucket.windowMs / 1000)}`,
  ];

  function accept(environ: Environ, taken: TakenTokens): undefined {
    const limit = `"${settings.name}"${formatRemaining(taken.remaining, bucket)}`;
    environ['vela.response'].onStart(({ headers }) => {
      headers.push(policy, ['RateLimit', limit]);
    });
    if (taken.isAllowed) return undefined;
    const seconds = Math.max(1, Math.ceil(taken.retryAfterMs / 1000));
    throw new HttpError(429, `Too many requests: come back in ${seconds} s`, {
      headers: [['Retry-After', String(seconds)]],
    });
  }

  function failed(environ: Environ, error: unknown): undefined {
    const details = { err: toError(error), requestId: environ['vela.request_id'] };
    environ['vela.logger'].error(details, 'the store of rateLimit failed');
    if (isOpen) return undefined;
    throw new HttpError(503, 'Requests cannot be counted at the moment', { headers: [['Retry-After', '1']] });
  }

  const rateLimitMiddleware: MiddlewareFunction = (environ) => {
    if (skip !== undefined && atOnce('rateLimit', 'skip', skip(environ)) === true) return undefined;
    const key = prefix + shorten(requireKey(atOnce('rateLimit', 'key', findKey(environ))));
    const cost =
      typeof costOption === 'number'
        ? costOption
        : requireCost(atOnce('rateLimit', 'cost', costOption(environ)), bucket);
    let taken: TakenTokens | PromiseLike<TakenTokens>;
    try {
      taken = store.take(key, cost, bucket);
    } catch (error) {
      return failed(environ, error);
    }
    if (!isThenable(taken)) return accept(environ, taken);
    return within(taken, storeTimeoutMs).then(
      (value) => accept(environ, value),
      (error: unknown) => failed(environ, error),
    );
  };
  // What `key`, `cost` and `skip` read is not known.
  const isOwn = options.key === undefined && typeof costOption === 'number' && skip === undefined;
  if (isOwn) rateLimitMiddleware.headers = [];
  rateLimitMiddleware.runsOn = 'request';
  return rateLimitMiddleware;
}

/** What is left, and the seconds until there is one more; a full bucket has no such time (draft-10 §4.1). */
function formatRemaining(remaining: number, { capacity, windowMs }: TokenBucket): string {
  const whole = Math.floor(remaining);
  if (whole >= capacity) return `;r=${whole}`;
  const untilMoreMs = ((whole + 1 - remaining) * windowMs) / capacity;
  return `;r=${whole};t=${Math.ceil(untilMoreMs / 1000)}`;
}

function findAddress(environ: Environ): string {
  return findClientNetwork(environ.REMOTE_ADDR);
}

function shorten(key: string): string {
  return key.length <= MAX_KEY_LENGTH ? key : createHash('sha256').update(key).digest('base64url');
}

async function within<T>(promise: PromiseLike<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function requireKey(key: unknown): string {
  if (typeof key === 'string') return key;
  throw new TypeError(`The option "key" of rateLimit must give a text; it gave ${describeValue(key)}`);
}

function requireCost(cost: unknown, { capacity }: TokenBucket): number {
  if (typeof cost === 'number' && cost >= 0 && cost <= capacity) return cost;
  throw new TypeError(
    `The option "cost" of rateLimit must be a number from 0 to the limit, ${capacity}; received ${describeValue(cost)}`,
  );
}

function resolve(options: RateLimitOptions) {
  const {
    limit,
    windowMs = DEFAULT_WINDOW_MS,
    key,
    cost = 1,
    skip,
    store = createMemoryRateLimitStore(),
    onStoreError = 'open',
    storeTimeoutMs = DEFAULT_STORE_TIMEOUT_MS,
    name = 'default',
    ...unknown
  } = requireOptions('rateLimit', options);
  refuseUnknown('rateLimit', unknown, KNOWN);
  for (const [option, value, most] of [
    ['limit', limit, LARGEST_INTEGER],
    ['windowMs', windowMs, LONGEST_AGE_MS],
    ['storeTimeoutMs', storeTimeoutMs, LONGEST_TIMER_MS],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < 1 || value > most)
      throw new TypeError(
        `Option "${option}" must be a whole number from 1 to ${most}; received ${describeValue(value)}`,
      );
  }
  for (const [option, value] of Object.entries({ key, skip })) {
    if (value !== undefined && typeof value !== 'function')
      throw new TypeError(`Option "${option}" must be a function; received ${describeValue(value)}`);
  }
  const bucket: TokenBucket = { capacity: limit, windowMs };
  if (typeof cost !== 'function') requireCost(cost, bucket);
  if (typeof store?.take !== 'function')
    throw new TypeError(`Option "store" must have take(); received ${describeValue(store)}`);
  if (onStoreError !== 'open' && onStoreError !== 'closed')
    throw new TypeError(
      `Option "onStoreError" must be 'open' or 'closed'; received ${describeValue(onStoreError)}`,
    );
  if (typeof name !== 'string' || !/^[\w.-]{1,64}$/.test(name))
    throw new TypeError(
      `Option "name" must be letters, digits, ".", "-" and "_"; received ${describeValue(name)}`,
    );
  return {
    bucket,
    key,
    cost,
    skip,
    store,
    isOpen: onStoreError === 'open',
    storeTimeoutMs,
    name,
    prefix: `${name}:`,
  };
}
