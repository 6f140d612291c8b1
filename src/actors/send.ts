import { own } from '../core/own.js';
import type { WatchOptions } from './actor.js';
import type { ActorProxy } from './actor-proxy.js';
import type { CommandResult } from './command-results.js';
import { requireActor } from './current-actor.js';
import type { DownNotice } from './down-notice.js';
import type { ActorTarget, SendOptions } from './send-target.js';
import type { SpawnOptions } from './spawn-options.js';

/**
 * Sends a command to an actor, and gives a promise of its answer. Messages from one actor to another arrive in order, and once
 * at most.
 * @param to - an id, a name, what `spawn` gave, `'arbiter'`, `'monitor'`; or `{ to, timeoutMs, ack }`
 * @throws what the command throws there; {@link ActorDied}, {@link MailboxFull}, {@link ActorTimeout}; `ERR_ACTOR_NONE` where no actor runs
 * @example const answer = await send('greeter', 'greet', 'Ann')
 */
export function send<C extends string>(
  to: ActorTarget | SendOptions,
  command: C,
  ...args: unknown[]
): Promise<CommandResult<C>> {
  return own((async () => requireActor('send').send(to, command, ...args))());
}

/**
 * Makes an actor, in a process or thread of its own, and resolves when its `onStart` is done. Any actor may: the arbiter does it.
 * @throws {TypeError} for wrong options; what its code throws before it runs
 * @example const greeter = await spawn({ module: new URL('./greeter.js', import.meta.url), name: 'greeter' })
 */
export function spawn(options: SpawnOptions): Promise<ActorProxy> {
  return own((async () => requireActor('spawn').spawn(options))());
}

/** Resolves once, when an actor is down: at once, if it is already. @example const { reason } = await watch('greeter') */
export function watch(target: ActorTarget, options: WatchOptions = {}): Promise<DownNotice> {
  return own((async () => requireActor('watch').watch(target, options))());
}
