import type { ActorInfo } from './actor-info.js';
import type { ActorProxy } from './actor-proxy.js';

/** What commands answer, by their names. Declare your own: `declare module 'vela/actors' { interface CommandResults { greet: string } }`. */
export interface CommandResults {
  ping: 'pong';
  info: ActorInfo;
  stop: undefined;
  notify: number;
  spawn: ActorProxy;
  kill_actor: string | null;
}

export type CommandResult<C extends string> = C extends keyof CommandResults ? CommandResults[C] : unknown;
