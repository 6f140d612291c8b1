import { AsyncLocalStorage } from 'node:async_hooks';
import { isMainThread } from 'node:worker_threads';
import type { Actor } from './actor.js';
import { actorError } from './actor-errors.js';

/** Several actors live in the main process's loop: the arbiter and its monitors. */
const acting = new AsyncLocalStorage<Actor>();
/** The actor that this process or thread belongs to. */
let resident: Actor | undefined;

/** The actor whose code this is: in the main process the arbiter, or the monitor whose hook runs; undefined where there is none. */
export function getActor(): Actor | undefined {
  return acting.getStore() ?? resident;
}

/** @throws {VelaError} `ERR_ACTOR_NONE` where there is none */
export function requireActor(owner: string): Actor {
  const actor = getActor();
  if (actor !== undefined) return actor;
  throw actorError(
    'ERR_ACTOR_NONE',
    isMainThread
      ? `${owner}() needs an actor to speak for, and the arbiter is not started: await arbiter().start() first`
      : `${owner}() needs an actor to speak for, and this thread is none: it was not made by spawn()`,
  );
}

/** True in a process or thread that was made for an actor, also while its code is still loading. */
let isMade = false;

export function isMadeForActor(): boolean {
  return isMade;
}

export function markMadeForActor(): void {
  isMade = true;
}

export function setResident(actor: Actor | undefined): void {
  resident = actor;
  if (actor !== undefined) for (const listener of listeners.splice(0)) listener(actor);
}

/** Those that wait for this process or thread to become an actor. */
const listeners: ((actor: Actor) => void)[] = [];

/** Tells once of the actor that this process or thread belongs to: at once, if it does already. */
export function whenResident(listener: (actor: Actor) => void): void {
  if (resident === undefined) listeners.push(listener);
  else listener(resident);
}

/** Runs a function as an actor's code. Where there is but one, it is that one's anyway, and promises stay as fast as they are. */
export function actAs<T>(actor: Actor, run: () => T): T {
  return isMade ? run() : acting.run(actor, run);
}
