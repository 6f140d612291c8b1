/** How a lock is asked for. */
export interface LockRequest {
  /** Whose it is: random, so that nobody else can give it back. */
  readonly token: string;
  /** After so long it is free again, whoever had it, in ms. */
  readonly timeoutMs: number;
  /** How long it is waited for, in ms. */
  readonly waitMs: number;
  /** Ends the wait. */
  readonly signal: AbortSignal | undefined;
}

/** Where locks are kept. */
export interface LockKeeper {
  /**
   * @returns since when it is held at the earliest, by `performance.now()`; undefined when it was not to be had within `waitMs`
   * @throws the reason of `signal`; why the keeper cannot be reached
   */
  acquire(name: string, request: LockRequest): Promise<number | undefined>;
  /** Gives a lock back, or ends the wait for it. @returns false when the token does not hold it */
  release(name: string, token: string): Promise<boolean>;
}
