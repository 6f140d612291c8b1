/** Where an actor's code runs: the arbiter and monitors live in the main process's loop. */
export type ActorKind = 'arbiter' | 'monitor' | 'process' | 'thread';

/** The states of an actor, in the order in which it goes through them; `terminated` is one that was ended by force. */
export const ACTOR_STATES = [
  'initial',
  'inactive',
  'starting',
  'running',
  'stopping',
  'closed',
  'terminated',
] as const;

export type ActorState = (typeof ACTOR_STATES)[number];

/** True once an actor is that far. */
export function hasReached(state: ActorState, milestone: ActorState): boolean {
  return ACTOR_STATES.indexOf(state) >= ACTOR_STATES.indexOf(milestone);
}
