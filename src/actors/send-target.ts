import { isWithin, LONGEST_TIMER_MS } from '../core/duration.js';
import { describeValue, isPlainObject, refuseUnknown } from '../core/errors.js';
import { ActorProxy } from './actor-proxy.js';

/** An actor: its id, its name, a handle of it, `'arbiter'`, or `'monitor'`, which is the sender's. */
export type ActorTarget = string | ActorProxy | { readonly proxy: ActorProxy };

/** A target, and how a message is sent to it. */
export interface SendOptions {
  to: ActorTarget;
  /** How long its answer is waited for, in ms. @defaultValue `sendTimeoutMs` of the sender, 30,000 */
  timeoutMs?: number;
  /** False: the promise resolves when the message is in the mailbox, and there is no answer. @defaultValue true */
  ack?: boolean;
}

/** Where a message goes. */
export interface ResolvedTarget {
  readonly target: string;
  readonly timeoutMs: number;
  readonly ack: boolean;
}

/** @throws {TypeError} for what is no target, and for wrong options */
export function resolveSend(to: ActorTarget | SendOptions, timeoutMs: number): ResolvedTarget {
  if (!isPlainObject(to)) return { target: resolveTarget('send', to), timeoutMs, ack: true };
  const { to: inner, timeoutMs: givenMs = timeoutMs, ack = true, ...unknown } = to as SendOptions;
  refuseUnknown('send', unknown, ['to', 'timeoutMs', 'ack']);
  if (!isWithin(givenMs, 1, LONGEST_TIMER_MS))
    throw new TypeError(
      `Option "timeoutMs" of send must be a number of milliseconds from 1 to ${LONGEST_TIMER_MS}; received ${describeValue(givenMs)}`,
    );
  if (typeof ack !== 'boolean')
    throw new TypeError(`Option "ack" of send must be true or false; received ${describeValue(ack)}`);
  return { target: resolveTarget('send', inner), timeoutMs: givenMs, ack };
}

/** The id or name of a target. @throws {TypeError} */
export function resolveTarget(owner: string, target: unknown): string {
  if (typeof target === 'string' && target !== '') return target;
  if (target instanceof ActorProxy) return target.id;
  const proxy: unknown =
    typeof target === 'object' && target !== null && 'proxy' in target ? target.proxy : undefined;
  if (proxy instanceof ActorProxy) return proxy.id;
  throw new TypeError(
    `${owner}() takes the id or name of an actor, what spawn() gave, 'arbiter' or 'monitor'; received ${describeValue(target)}`,
  );
}
