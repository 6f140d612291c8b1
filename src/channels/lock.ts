import { randomBytes } from 'node:crypto';
import { isWithin, LONGEST_TIMER_MS } from '../core/duration.js';
import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import { own } from '../core/own.js';
import { channelsError } from './channels-error.js';
import type { LockKeeper } from './lock-keeper.js';

/** Options of {@link Channels.lock}, in ms. */
export interface LockOptions {
  /** How long it is held at the most: then it is free again, so that one who dies does not keep it. @defaultValue 30,000 */
  timeoutMs?: number;
  /** How long it is waited for; 0 is not at all. @defaultValue 10,000 */
  waitMs?: number;
}

/** How a lock is taken. */
export interface LockWait {
  /** Ends the wait: it rejects with its reason. */
  signal?: AbortSignal;
}

/** What a lock needs of its channels. */
export interface LockOwner {
  /** Opens them, where they are not. */
  keeper(): Promise<LockKeeper>;
}

/** Something that one at a time does, as far as its channels reach. Made by {@link Channels.lock}. */
export class Lock {
  readonly name: string;
  readonly #owner: LockOwner;
  readonly #key: string;
  readonly #timeoutMs: number;
  readonly #waitMs: number;

  /** Made by `lock`. @throws {TypeError} for wrong options */
  constructor(owner: LockOwner, scope: string, name: string, options: LockOptions) {
    const { timeoutMs = 30_000, waitMs = 10_000, ...unknown } = requireOptions('lock', options);
    refuseUnknown('lock', unknown, ['timeoutMs', 'waitMs']);
    requireMs('timeoutMs', timeoutMs, 1);
    requireMs('waitMs', waitMs, 0);
    this.name = name;
    this.#owner = owner;
    this.#key = `${scope}:${name}`;
    this.#timeoutMs = timeoutMs;
    this.#waitMs = waitMs;
  }

  /**
   * Takes it.
   * @throws {VelaError} `ERR_LOCK_TIMEOUT` when it was not to be had within `waitMs`; `ERR_CHANNELS_DISCONNECTED`; the reason of `signal`
   * @example await using held = await channels.lock('report').acquire();
   */
  acquire(wait: LockWait = {}): Promise<HeldLock> {
    const { signal, ...unknown } = requireOptions('acquire', wait);
    refuseUnknown('acquire', unknown, ['signal']);
    return own(this.#acquire(signal));
  }

  /**
   * Takes it, does something, and gives it back.
   * @param work - given a signal that aborts when the lock is lost, as `timeoutMs` are over
   * @throws as `acquire`; what the work throws; {@link VelaError} `ERR_LOCK_LOST` when it took longer than `timeoutMs`
   */
  run<T>(work: (signal: AbortSignal) => T | PromiseLike<T>, wait: LockWait = {}): Promise<T> {
    if (typeof work !== 'function')
      throw new TypeError(`run() takes a function, async (signal) => {...}; received ${describeValue(work)}`);
    return own(this.#run(work, wait));
  }

  async #run<T>(work: (signal: AbortSignal) => T | PromiseLike<T>, wait: LockWait): Promise<T> {
    const held = await this.acquire(wait);
    let result: T;
    try {
      result = await work(held.signal);
    } catch (error) {
      // What the work died of says more than that the lock was lost meanwhile.
      await held.release().catch(() => undefined);
      throw error;
    }
    await held.release();
    return result;
  }

  async #acquire(signal: AbortSignal | undefined): Promise<HeldLock> {
    signal?.throwIfAborted();
    const keeper = await this.#owner.keeper();
    const token = randomBytes(16).toString('hex');
    const { name } = this;
    const [timeoutMs, waitMs] = [this.#timeoutMs, this.#waitMs];
    const sinceMs = await keeper.acquire(this.#key, { token, timeoutMs, waitMs, signal });
    if (sinceMs === undefined)
      throw channelsError(
        'ERR_LOCK_TIMEOUT',
        `The lock "${name}" was not to be had within "waitMs", ${waitMs} ms: somebody else holds it`,
      );
    const leftMs = Math.max(0, sinceMs + timeoutMs - performance.now());
    return new HeldLock(name, leftMs, () => keeper.release(this.#key, token));
  }
}

/** A lock that is held here. */
export class HeldLock implements AsyncDisposable {
  /** Aborts when it is lost, as `timeoutMs` are over. */
  readonly signal: AbortSignal;
  readonly #giveBack: () => Promise<boolean>;
  readonly #timer: NodeJS.Timeout;
  readonly #lost: Error;
  #released: Promise<void> | undefined;

  /** Made by `acquire`. */
  constructor(name: string, leftMs: number, giveBack: () => Promise<boolean>) {
    const lost = new AbortController();
    this.signal = lost.signal;
    this.#giveBack = giveBack;
    this.#lost = channelsError(
      'ERR_LOCK_LOST',
      `The lock "${name}" was held for longer than "timeoutMs", and others may have had it since: raise it, or do less`,
    );
    this.#timer = setTimeout(() => lost.abort(this.#lost), leftMs);
    this.#timer.unref();
  }

  /**
   * Gives it back. A second call does nothing more.
   * @throws {VelaError} `ERR_LOCK_LOST` when it was not held any more; `ERR_CHANNELS_DISCONNECTED`: it is free after `timeoutMs` then
   */
  release(): Promise<void> {
    this.#released ??= own(this.#release());
    return this.#released;
  }

  async #release(): Promise<void> {
    clearTimeout(this.#timer);
    if (!(await this.#giveBack())) throw this.#lost;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}

function requireMs(name: string, value: unknown, least: number): void {
  if (!isWithin(value, least, LONGEST_TIMER_MS))
    throw new TypeError(
      `Option "${name}" of lock must be a number of milliseconds from ${least} to ${LONGEST_TIMER_MS}; received ${describeValue(value)}`,
    );
}
