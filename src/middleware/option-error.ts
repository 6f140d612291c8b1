import { isWithin, LONGEST_TIMER_MS } from '../core/duration.js';
import { describeValue } from '../core/errors.js';

/** The error for an option that has a wrong value: what was expected, what came. */
export function optionError(owner: string, option: string, expected: string, received: unknown): TypeError {
  return new TypeError(
    `Option "${option}" of ${owner}() must be ${expected}; received ${describeValue(received)}`,
  );
}

/** @throws {TypeError} unless the value is true or false */
export function requireBoolean(owner: string, option: string, value: unknown): void {
  if (typeof value !== 'boolean') throw optionError(owner, option, 'true or false', value);
}

/** @throws {TypeError} unless the value is a number of milliseconds above 0 that a timer can wait */
export function requireMs(owner: string, option: string, value: unknown): void {
  if (!isWithin(value, Number.MIN_VALUE, LONGEST_TIMER_MS))
    throw optionError(owner, option, `a number of milliseconds above 0, up to ${LONGEST_TIMER_MS}`, value);
}

/** @throws {TypeError} unless the value is a path as clients write it, without escapes */
export function requirePath(owner: string, option: string, path: unknown, example: string): void {
  if (typeof path !== 'string' || !/^\/[\w.~!$&'()*+,;=:@/-]*$/.test(path))
    throw optionError(owner, option, `a path such as '${example}'`, path);
}
