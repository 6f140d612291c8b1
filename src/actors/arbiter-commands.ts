import { isWithin, LONGEST_TIMER_MS } from '../core/duration.js';
import { describeValue } from '../core/errors.js';
import type { CommandHandler } from './actor-code.js';
import { actorError } from './actor-errors.js';
import type { ActorInfo } from './actor-info.js';
import { ActorProxy } from './actor-proxy.js';
import { type ResolvedSpawn, resolveSpawn, type SpawnOptions } from './spawn-options.js';

/** What the commands of the arbiter do. */
export interface ArbiterWork {
  spawn(options: ResolvedSpawn): Promise<ActorProxy>;
  /** @returns `killed <id>`, or null when there was nobody */
  kill(target: string, timeoutMs: number): Promise<string | null>;
  note(actor: ActorProxy, info: ActorInfo): void;
}

/** How long an actor that is killed has to stop, in ms. */
const KILL_MS = 5000;

export function arbiterCommands({ spawn, kill, note }: ArbiterWork): Record<string, CommandHandler> {
  return {
    spawn: (_request, options: SpawnOptions) => spawn(resolveSpawn('spawn', options)),
    kill_actor: (_request, target: unknown, timeoutMs: unknown = KILL_MS) => {
      const isTarget = typeof target === 'string' || target instanceof ActorProxy;
      if (isTarget && isWithin(timeoutMs, 0, LONGEST_TIMER_MS))
        return kill(typeof target === 'string' ? target : target.id, timeoutMs);
      throw actorError(
        'ERR_ACTOR_ARGUMENTS',
        `The command "kill_actor" takes the id or name of an actor, and how long it may take to stop in ms; received ${describeValue(target)}, ${describeValue(timeoutMs)}`,
      );
    },
    notify: ({ sender }, info: ActorInfo) => {
      if (sender !== undefined) note(sender, info);
      return Date.now();
    },
  };
}
