import { isThenable } from './errors.js';
import { own } from './own.js';

/**
 * What a function among the options gave, which must be there at once.
 * @throws {TypeError} for a promise: it would be taken for yes or for a value, and reject unseen
 */
export function atOnce<T>(owner: string, option: string, value: T): T {
  if (!isThenable(value)) return value;
  void own(Promise.resolve(value));
  throw new TypeError(`Option "${option}" of ${owner}() must answer at once; it gave a promise`);
}
