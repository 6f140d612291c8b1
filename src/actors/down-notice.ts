import type { ActorProxy } from './actor-proxy.js';

/**
 * Why an actor is down: it was stopped, or stopped itself; left by `process.exit`; died of an error; was killed by a signal or
 * by force; gave no sign of life for its `timeoutMs`; gave up, as a monitor; or was not there when it was asked for.
 */
export type DownReason = 'stopped' | 'exit' | 'error' | 'killed' | 'timeout' | 'gave-up' | 'unknown';

/** What a watcher is told, once. */
export interface DownNotice {
  /** Who is down; undefined when there was nobody, or not any more. */
  readonly actor: ActorProxy | undefined;
  /** How it was addressed. */
  readonly target: string;
  readonly reason: DownReason;
  /** What it died of, where that is known. */
  readonly error: Error | undefined;
  /** The exit code of its process or thread. */
  readonly exitCode: number | undefined;
  /** The signal that ended its process. */
  readonly signal: string | undefined;
}

/** A notice that is still without its watcher. */
export type Down = Omit<DownNotice, 'target'>;

/** True for an end that nobody need mend: asked for, or by exit code 0. */
export function isNormal({ reason, exitCode }: Down): boolean {
  return reason === 'stopped' || (reason === 'exit' && exitCode === 0);
}
