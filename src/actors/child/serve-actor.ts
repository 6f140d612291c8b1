import { isMainThread } from 'node:worker_threads';
import { toError } from '../../core/errors.js';
import { waitAtMost } from '../../core/wait-at-most.js';
import { packError } from '../../core/wire-error.js';
import { createWireLogger } from '../../core/wire-log.js';
import { type ActorCode, resolveCode } from '../actor-code.js';
import { ActorDied, unpackActorError } from '../actor-errors.js';
import { ActorProxy } from '../actor-proxy.js';
import { markMadeForActor, setResident } from '../current-actor.js';
import type { Down } from '../down-notice.js';
import { Link } from '../link.js';
import { loadExport } from '../load-export.js';
import { LocalActor } from '../local-actor.js';
import { setParcelPost, takeParcel } from '../parcels.js';
import type { Port } from '../port.js';
import {
  type ActorStart,
  BEAT,
  BEGIN,
  CONNECTED,
  DIRECT,
  DOWN,
  type Frame,
  LAST,
  LOG,
  READY,
  STOP,
  UNWATCH,
  WATCH,
  type WireDown,
} from '../wire.js';
import { DirectLinks } from './direct-links.js';
import { watchParent } from './watch-parent.js';
import { startWatchdog } from './watchdog.js';

/** How many messages an actor may have under way. */
const OUTSTANDING = 10_000;
/** Signs of life come four times as often as they must, and at least this often, in ms. */
const LONGEST_BEAT_MS = 10_000;
/** An actor whose arbiter is gone has so long to stop, in ms. */
const ORPHAN_MS = 2000;
const STDERR_LOG = { isText: true, file: undefined };
/** When the watchdog of an actor's process begins, in ms: that of one which may be short-lived, later. */
const WATCH_AFTER_MS = { 'at-once': 0, later: 1000 } as const;
/** How long the last words may take to leave, in ms. */
const FLUSH_MS = 1000;

/** What an actor is in its process or thread. */
export interface LoadedActor {
  readonly code: ActorCode;
  /** Where its process logs, and how. @defaultValue standard error, for people */
  readonly log?: { readonly isText: boolean; readonly file: string | undefined };
  /** When its process has a watchdog. @defaultValue `later` */
  readonly watch?: keyof typeof WATCH_AFTER_MS | 'never';
}
export type CodeLoader = (start: ActorStart) => Promise<LoadedActor>;

/**
 * Runs an actor in this process or thread, which the arbiter has made for it, until the end.
 * @param loadCode - where its code is not an export of its module
 */
export function serveActor(port: Port, loadCode: CodeLoader = loadActorCode): void {
  markMadeForActor();
  new ServedActor(port, loadCode);
}

async function loadActorCode(start: ActorStart): Promise<LoadedActor> {
  const owner = `The export "${start.export}" of ${start.module}`;
  return { code: resolveCode(owner, await loadExport('spawn', start.module, start.export)) };
}

class ServedActor {
  readonly #loadCode: CodeLoader;
  readonly #link: Link;
  readonly #direct: DirectLinks;
  readonly #watches = new Map<number, (down: Down) => void>();
  #ticket = 0;
  #actor: LocalActor | undefined;
  #begun: Promise<void> = Promise.resolve();
  #beat: NodeJS.Timeout | undefined;
  #stopTimeoutMs = 0;
  #isEnding = false;

  constructor(port: Port, loadCode: CodeLoader) {
    this.#loadCode = loadCode;
    this.#link = new Link(port, OUTSTANDING, {
      arrived: (_target, message) => this.#receive(message),
      parcel: (kind, content) => takeParcel(kind, content, undefined),
      told: (frame) => this.#told(frame),
      closed: () => this.#orphaned(),
    });
    setParcelPost((parcel) => this.#link.sendParcel(parcel));
    this.#direct = new DirectLinks({
      isPossible: !isMainThread,
      limit: OUTSTANDING,
      arbiter: this.#link,
      receive: (message) => this.#receive(message),
      watch: (target, listener) => this.#watch(target, listener),
    });
    process.on('uncaughtException', (error) => void this.#die(toError(error)));
    if (!isMainThread) return;
    watchParent(() => this.#orphaned());
    // From a terminal it goes to all processes, and the arbiter is the one that acts on it.
    process.on('SIGINT', () => {});
    // A terminal that goes away; job control; these are the arbiter's too.
    for (const signal of ['SIGHUP', 'SIGTTIN', 'SIGTTOU'] as const) process.on(signal, () => {});
    for (const signal of ['SIGTERM', 'SIGQUIT'] as const)
      process.on(signal, () => void this.#stop(this.#stopTimeoutMs));
  }

  #receive(message: Parameters<LocalActor['receive']>[0]): void {
    if (this.#actor !== undefined) this.#actor.receive(message);
    // It is still loading: a mailbox comes with the code.
    else void this.#begun.then(() => this.#actor?.receive(message));
  }

  #told(frame: Frame): void {
    switch (frame[0]) {
      case BEGIN:
        this.#begun = this.#begin(frame[1]);
        void this.#begun.then(() => this.#start());
        return;
      case STOP:
        if (frame[2] === true) this.#actor?.retire();
        void this.#stop(frame[1]);
        return;
      case DOWN:
        this.#down(frame[1], frame[2]);
        return;
      case CONNECTED:
        this.#direct.connected(frame[1], frame[2], frame[3]);
        return;
      case DIRECT:
        this.#direct.add(frame[1], frame[2]);
    }
  }

  /** Loads the code. */
  async #begin(start: ActorStart): Promise<void> {
    this.#stopTimeoutMs = start.stopTimeoutMs;
    if (isMainThread) process.title = `vela: ${start.name}`;
    try {
      const { code, log = STDERR_LOG, watch = 'later' } = await this.#loadCode(start);
      const actor = new LocalActor(start, code, {
        logger: createWireLogger((line) => this.#link.tell([LOG, line])),
        deliver: (target, message) => this.#direct.deliver(target, message),
        watch: (target, listener) => this.#watch(target, listener),
        stop: () => void this.#stop(start.stopTimeoutMs),
      });
      this.#actor = actor;
      setResident(actor);
      const everyMs = Math.min(LONGEST_BEAT_MS, start.timeoutMs / 4);
      let dueMs = performance.now() + everyMs;
      const beats = new Int32Array(new SharedArrayBuffer(4));
      const { name, timeoutMs } = start;
      if (isMainThread && watch !== 'never')
        startWatchdog({ name, timeoutMs, beats, delayMs: WATCH_AFTER_MS[watch], log });
      this.#beat = setInterval(() => {
        Atomics.add(beats, 0, 1);
        this.#link.tell([BEAT]);
        actor.noteLag(performance.now() - dueMs);
        dueMs = performance.now() + everyMs;
      }, everyMs);
    } catch (error) {
      await this.#die(toError(error));
    }
  }

  async #start(): Promise<void> {
    try {
      await this.#actor?.begin();
      if (this.#actor?.isRunning() === true) this.#link.tell([READY]);
    } catch (error) {
      await this.#die(toError(error));
    }
  }

  async #stop(timeoutMs: number): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#link.tell([STOP, timeoutMs]);
    await waitAtMost(this.#begun, timeoutMs);
    await this.#actor?.end(timeoutMs);
    await this.#leave(undefined, 0);
  }

  /** It cannot go on. */
  async #die(error: Error): Promise<void> {
    if (this.#isEnding) {
      this.#actor?.logger.error({ err: error }, 'an error came while the actor stopped');
      return;
    }
    this.#isEnding = true;
    await this.#actor?.terminate();
    await this.#leave(error, 1);
  }

  async #leave(error: Error | undefined, exitCode: number): Promise<void> {
    clearInterval(this.#beat);
    this.#link.tell([LAST, error && packError(error)]);
    await waitAtMost(this.#link.flush(), FLUSH_MS);
    process.exit(exitCode);
  }

  /** The arbiter is gone. */
  #orphaned(): void {
    this.#link.fail(new ActorDied('arbiter', 'killed'));
    setTimeout(() => process.exit(1), ORPHAN_MS);
    void this.#stop(Math.min(ORPHAN_MS, this.#stopTimeoutMs));
  }

  #watch(target: string, listener: (down: Down) => void): () => void {
    const ticket = ++this.#ticket;
    this.#watches.set(ticket, listener);
    this.#link.tell([WATCH, ticket, target]);
    return () => {
      if (this.#watches.delete(ticket)) this.#link.tell([UNWATCH, ticket]);
    };
  }

  #down(ticket: number, { actor, error, ...down }: WireDown): void {
    const listener = this.#watches.get(ticket);
    this.#watches.delete(ticket);
    listener?.({
      ...down,
      actor: actor && new ActorProxy(actor.id, actor.name, actor.kind),
      error: error && unpackActorError(error),
    });
  }
}
