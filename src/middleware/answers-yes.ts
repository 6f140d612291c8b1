import type { Environ } from '../core/contract.js';
import { isThenable } from '../core/errors.js';

/**
 * Asks an option that is a question about a request.
 * @throws {TypeError} for a promise: it would count as no, and reject unseen
 */
export function answersYes(
  owner: string,
  option: string,
  question: (environ: Environ) => unknown,
  environ: Environ,
): boolean {
  const answer = question(environ);
  if (!isThenable(answer)) return answer === true;
  answer.then(undefined, () => undefined);
  throw new TypeError(
    `Option "${option}" of ${owner}() must answer at once, true or false; it gave a promise`,
  );
}
