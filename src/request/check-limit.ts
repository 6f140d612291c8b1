import { describeValue } from '../core/errors.js';

/** A limit as it was given, or its default. @throws {TypeError} for anything but a whole number */
export function checkLimit(name: string, limit: unknown, defaultLimit: number): number {
  if (limit === undefined) return defaultLimit;
  if (
    typeof limit === 'number' &&
    (limit === Number.POSITIVE_INFINITY || Number.isSafeInteger(limit)) &&
    limit >= 0
  )
    return limit;
  throw new TypeError(
    `Option "${name}" must be a whole number, 0 or more, or Infinity; received ${describeValue(limit)}`,
  );
}
