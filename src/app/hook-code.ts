import type { Actor } from '../actors/actor.js';
import type { ActorCode } from '../actors/actor-code.js';
import type { ActorInfo } from '../actors/actor-info.js';
import type { ApplicationHooks, HookName } from './application-hooks.js';

type Role = 'monitor' | 'worker';

/**
 * Hooks of applications as those of an actor. Those that start and go on are called in order, those that end in reverse.
 * @param sets - hooks of several, the outermost first
 */
export function hookCode(role: Role, sets: readonly ApplicationHooks[]): ActorCode {
  const call = async (hook: HookName, order: readonly ApplicationHooks[], ...args: [Actor, ActorInfo?]) => {
    for (const set of order) await (set[hook] as ((...all: unknown[]) => unknown) | undefined)?.(...args);
  };
  const hasTask = sets.some((set) => set[`${role}Task`] !== undefined);
  return {
    onStart: (actor) => call(`${role}Start`, sets, actor),
    onStop: (actor) => call(`${role}Stop`, [...sets].reverse(), actor),
    onInfo: async (actor, info) => {
      const extra = [];
      for (const set of sets) extra.push(await set[`${role}Info`]?.(actor, info));
      return mergeObjects(extra);
    },
    ...(hasTask && { onTask: (actor) => call(`${role}Task`, sets, actor) }),
  };
}

/** An actor that is monitor and worker at once, for `workers: 0`. */
export function joinCode(monitor: ActorCode, worker: ActorCode): ActorCode {
  const tasks = [monitor.onTask, worker.onTask].filter((task) => task !== undefined);
  return {
    onStart: async (actor) => {
      await monitor.onStart?.(actor);
      await worker.onStart?.(actor);
    },
    onStop: async (actor) => {
      await worker.onStop?.(actor);
      await monitor.onStop?.(actor);
    },
    onInfo: async (actor, info) =>
      mergeObjects([await monitor.onInfo?.(actor, info), await worker.onInfo?.(actor, info)]),
    ...(tasks.length > 0 && {
      onTask: async (actor) => {
        for (const task of tasks) await task(actor);
      },
    }),
  };
}

function mergeObjects(values: readonly unknown[]): object | undefined {
  const objects = values.filter((value) => typeof value === 'object' && value !== null);
  return objects.length === 0 ? undefined : Object.assign({}, ...objects);
}
