import type { ActorHandle } from './actor-handle.js';
import type { ResolvedChild, ResolvedMonitor, RestartStrategy } from './monitor-options.js';
import { RestartLimit } from './restart-limit.js';

/** One actor of a monitor, through all its restarts. */
export interface SupervisedChild {
  readonly options: ResolvedChild;
  readonly name: string;
  /** Undefined while it is down. */
  handle: ActorHandle | undefined;
  /** Its own, where the monitor's actors may be restarted without end: it only makes the pauses longer. */
  readonly limit: RestartLimit;
}

/** One that is still to be started. */
export function makeChild(
  { maxRestarts, restartWindowMs }: ResolvedMonitor,
  options: ResolvedChild,
  name: string,
): SupervisedChild {
  return { options, name, handle: undefined, limit: new RestartLimit(maxRestarts, restartWindowMs) };
}

/** The children of a monitor, in order. */
export function listChildren(monitor: ResolvedMonitor): SupervisedChild[] {
  const taken = new Set<string>();
  return monitor.children.flatMap((options) =>
    Array.from({ length: options.workers }, () => {
      const name = nameWorker(monitor, options, taken);
      taken.add(name);
      return makeChild(monitor, options, name);
    }),
  );
}

/** A name for one more worker: `name` for the only one, else `name-1` and so on, after the monitor where the child has none. */
export function nameWorker(
  { name: monitor }: ResolvedMonitor,
  { spawn, workers }: ResolvedChild,
  taken: ReadonlySet<string>,
): string {
  if (spawn.name !== undefined && workers === 1 && !taken.has(spawn.name)) return spawn.name;
  for (let number = 1; ; number++) {
    const name = `${spawn.name ?? monitor}-${number}`;
    if (!taken.has(name)) return name;
  }
}

/** Who is restarted with one that died. */
export function findAffected(
  strategy: RestartStrategy,
  children: readonly SupervisedChild[],
  dead: SupervisedChild,
): SupervisedChild[] {
  if (strategy === 'one-for-one') return [dead];
  if (strategy === 'one-for-all') return [...children];
  // Those of one kind have one place.
  const last = children.findLastIndex(({ options }) => options === dead.options);
  return children.filter((child, at) => child === dead || at > last);
}
