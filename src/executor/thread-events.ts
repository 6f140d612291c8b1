import type { Call } from './call.js';
import type { FromThread, LOADED, LOG } from './wire.js';

type Entry<Kind> = Extract<FromThread, [Kind, ...unknown[]]>;

/** Whom a thread reports to. */
export interface ThreadEvents<Thread> {
  ready(thread: Thread): void;
  /** It gets a call of a target that it was not told to load. */
  lacks(thread: Thread, target: number): void;
  loaded(thread: Thread, entry: Entry<typeof LOADED>): void;
  /** A call is over. */
  done(thread: Thread, call: Call, beganMs: number, endedMs: number): void;
  /** Calls are over, so there is room. */
  freed(thread: Thread): void;
  logged(entry: Entry<typeof LOG>): void;
}
