import { isWithin, LONGEST_TIMER_MS } from '../core/duration.js';
import { describeValue } from '../core/errors.js';

/** @throws {TypeError} */
export function requireTimeout(owner: string, timeoutMs: unknown): void {
  if (!isWithin(timeoutMs, Number.MIN_VALUE, LONGEST_TIMER_MS))
    throw new TypeError(
      `Option "timeoutMs" of ${owner} must be a number of milliseconds above 0, up to ${LONGEST_TIMER_MS}; received ${describeValue(timeoutMs)}`,
    );
}
