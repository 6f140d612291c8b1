import { isMainThread } from 'node:worker_threads';
import { actorError } from './actor-errors.js';
import { Arbiter } from './arbiter.js';
import { type ArbiterOptions, resolveArbiter } from './arbiter-options.js';
import { isMadeForActor } from './current-actor.js';

let current: Arbiter | undefined;

/** The arbiter of this process, where there is one that has not stopped. */
export function findArbiter(): Arbiter | undefined {
  return current?.actor.isStopped() === false ? current : undefined;
}

/**
 * The arbiter of this process: made by the first call, and anew after it has stopped. Nothing starts before
 * `await arbiter().start()`.
 * @throws {TypeError} for wrong options, and for options when there is an arbiter already
 * @throws {VelaError} `ERR_ACTOR_ARBITER` in an actor and in threads, which have none of their own
 */
export function arbiter(options?: ArbiterOptions): Arbiter {
  // A main program that is its own actor's module would start itself for ever.
  if (!isMainThread || isMadeForActor())
    throw actorError(
      'ERR_ACTOR_ARBITER',
      "arbiter() is for the main program: an actor speaks with the arbiter by send('arbiter', command, ...), and its code stands in a file that starts no arbiter",
    );
  const found = findArbiter();
  if (found !== undefined) {
    if (options === undefined) return found;
    throw new TypeError('There is an arbiter already: arbiter() takes its options when it is called first');
  }
  current = new Arbiter(resolveArbiter('arbiter', options ?? {}));
  return current;
}
