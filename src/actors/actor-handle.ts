import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { toError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { own } from '../core/own.js';
import { packError } from '../core/wire-error.js';
import { writeLine } from '../core/wire-log.js';
import { ActorDied, actorError, unpackActorError } from './actor-errors.js';
import type { ActorProxy } from './actor-proxy.js';
import type { ActorState } from './actor-state.js';
import type { Down, DownReason } from './down-notice.js';
import { Link, toWire } from './link.js';
import type { Message } from './message.js';
import { type Parcel, takeParcel } from './parcels.js';
import { type Runner, type RunnerEnd, startRunner } from './runner.js';
import { SilenceWatch } from './silence-watch.js';
import type { ResolvedSpawn } from './spawn-options.js';
import {
  BEGIN,
  CONNECT,
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
} from './wire.js';

/** What a handle needs of the arbiter. */
export interface HandleOwner {
  readonly logger: Logger;
  deliver(target: string, message: Message): void;
  watch(target: string, listener: (down: Down) => void): () => void;
  /** The id of a target, `''` when there is none; and its handle, if it is a thread. */
  findPeer(target: string): { readonly id: string; readonly thread: ActorHandle | undefined };
  /** Called once, when it is gone. */
  ended(handle: ActorHandle, down: Down): void;
}

/** A process or thread that has been told to stop has so much longer than its time for it, in ms: `onExit` is to come. */
const STOP_GRACE_MS = 1500;

/** The arbiter's side of an actor in a process or thread. */
export class ActorHandle {
  readonly proxy: ActorProxy;
  readonly options: ResolvedSpawn;
  /** The name of the monitor that it belongs to, or `arbiter`. */
  readonly monitor: string;
  /** Resolves when it runs; rejects when it does not come up. */
  readonly started: Promise<ActorProxy>;
  /** Resolves when it is gone. */
  readonly down: Promise<Down>;
  readonly #owner: HandleOwner;
  readonly #runner: Runner;
  readonly #link: Link;
  readonly #silence: SilenceWatch;
  /** By the tickets of the other side. */
  readonly #watches = new Map<number, () => void>();
  #state: ActorState = 'initial';
  #killTimer: NodeJS.Timeout | undefined;
  #startTimer: NodeJS.Timeout | undefined;
  /** Why it was ended from here. */
  #endedFor: DownReason | undefined;
  /** It has said its last word, and what it died of. */
  #last: { readonly error: Error | undefined } | undefined;
  #settleStart = { resolve: (_proxy: ActorProxy) => {}, reject: (_error: Error) => {} };
  #settleDown = (_down: Down) => {};

  constructor(proxy: ActorProxy, options: ResolvedSpawn, monitor: string, age: number, owner: HandleOwner) {
    this.proxy = proxy;
    this.options = options;
    this.monitor = monitor;
    this.#owner = owner;
    this.started = own(
      new Promise((resolve, reject) => {
        this.#settleStart = { resolve, reject };
      }),
    );
    this.down = new Promise((resolve) => {
      this.#settleDown = resolve;
    });
    this.#silence = new SilenceWatch(options.timeoutMs, () => this.end('timeout'));
    this.#runner = startRunner(options, (end) => this.#ended(end));
    this.#link = new Link(this.#runner.port, options.mailboxLimit, {
      heard: () => this.#silence.heard(),
      arrived: (target, message) => owner.deliver(target, message),
      parcel: (kind, content) => takeParcel(kind, content, proxy),
      told: (frame) => this.#told(frame),
      closed: () => this.#disconnected(),
    });
    const { startTimeoutMs } = options;
    this.#startTimer = setTimeout(() => this.#isLate(), startTimeoutMs);
    try {
      const { module, export: exported, args, config, mailboxLimit, concurrency } = options;
      const { timeoutMs, stopTimeoutMs, sendTimeoutMs, taskMs } = options;
      const numbers = { mailboxLimit, concurrency, timeoutMs, stopTimeoutMs, sendTimeoutMs, taskMs };
      const told = options.program?.told;
      const start = { module, export: exported, args, config, told, monitor, age, ...numbers };
      this.#link.tell([BEGIN, { ...toWire(proxy), kind: options.kind, ...start }]);
      this.#state = 'inactive';
    } catch (error) {
      const why = `The "args" or the "config" of the actor "${proxy.name}" cannot be sent to it: ${toError(error).message}`;
      this.#fail(actorError('ERR_ACTOR_MESSAGE', why, error));
    }
  }

  get state(): ActorState {
    return this.#state;
  }

  get pid(): number | undefined {
    return this.#runner.pid;
  }

  send(message: Message): void {
    this.#link.send(this.proxy.name, message);
  }

  sendParcel(parcel: Parcel): void {
    this.#link.sendParcel(parcel);
  }

  /**
   * Asks it to stop, and ends it when it has not after `timeoutMs`, by default its `stopTimeoutMs`.
   * @param isRetired - others go on in its place
   */
  stop(timeoutMs: number = this.options.stopTimeoutMs, isRetired = false): Promise<Down> {
    if (this.#state === 'closed' || this.#state === 'terminated') return this.down;
    if (this.#state !== 'stopping') {
      const isUp = this.#state === 'running';
      this.#state = 'stopping';
      this.#link.tell([STOP, timeoutMs, isRetired]);
      // A process that is still loading reads nothing, and may do so for long: the signal ends it, or is read as this frame.
      if (!isUp && this.pid !== undefined) this.#runner.terminate();
    }
    this.#killIn(timeoutMs + STOP_GRACE_MS, 'killed');
    return this.down;
  }

  /** Ends it: a process by SIGTERM, and by SIGKILL `killAfterMs` later. */
  end(reason: DownReason): void {
    if (this.#state === 'closed' || this.#state === 'terminated') return;
    this.#endedFor ??= reason;
    this.#state = 'stopping';
    this.#runner.terminate();
    this.#killIn(this.options.killAfterMs, reason);
  }

  kill(reason: DownReason): void {
    if (this.#state === 'closed' || this.#state === 'terminated') return;
    this.#endedFor ??= reason;
    this.#state = 'terminated';
    this.#runner.kill();
  }

  /** Gives it one end of a channel to a thread that speaks with it from now on. */
  connect(peer: ActorProxy, port: MessagePort): void {
    this.#link.tell([DIRECT, toWire(peer), port], [port]);
  }

  #killIn(ms: number, reason: DownReason): void {
    clearTimeout(this.#killTimer);
    this.#killTimer = setTimeout(() => this.kill(reason), ms);
  }

  #isLate(): void {
    const { startTimeoutMs } = this.options;
    const why = `The actor "${this.proxy.name}" has not started within its "startTimeoutMs", ${startTimeoutMs} ms`;
    this.#fail(actorError('ERR_ACTOR_START', why));
  }

  /** It will not come up. */
  #fail(error: Error): void {
    this.#last = { error };
    this.#settleStart.reject(error);
    this.kill('error');
  }

  #told(frame: Frame): void {
    switch (frame[0]) {
      case READY:
        clearTimeout(this.#startTimer);
        if (this.#state !== 'inactive') return;
        this.#state = 'running';
        this.#silence.begin();
        this.#settleStart.resolve(this.proxy);
        return;
      case STOP:
        if (this.#state === 'running') void this.stop(frame[1]);
        return;
      case LAST:
        this.#last = { error: frame[1] && unpackActorError(frame[1]) };
        // It has nothing to do any more but to leave.
        this.#killIn(this.options.stopTimeoutMs + STOP_GRACE_MS, 'killed');
        return;
      case LOG:
        writeLine(this.#owner.logger, frame[1], {
          actor: this.proxy.name,
          ...(this.pid !== undefined && { pid: this.pid }),
        });
        return;
      case WATCH:
        this.#watch(frame[1], frame[2]);
        return;
      case UNWATCH:
        this.#watches.get(frame[1])?.();
        this.#watches.delete(frame[1]);
        return;
      case CONNECT:
        this.#connect(frame[1], frame[2]);
    }
  }

  #watch(ticket: number, target: string): void {
    let isOver = false;
    const end = this.#owner.watch(target, ({ actor, error, ...down }) => {
      isOver = true;
      this.#watches.delete(ticket);
      const wire = { ...down, actor: actor && toWire(actor), error: error && packError(error) };
      this.#link.tell([DOWN, ticket, wire]);
    });
    if (!isOver) this.#watches.set(ticket, end);
  }

  #connect(ticket: number, target: string): void {
    const { id, thread } = this.#owner.findPeer(target);
    if (thread === undefined || thread === this) {
      this.#link.tell([CONNECTED, ticket, id, undefined]);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    thread.connect(this.proxy, port2);
    this.#link.tell([CONNECTED, ticket, id, port1], [port1]);
  }

  /** A process that has let go of its channel, and is still there, cannot be spoken with. */
  #disconnected(): void {
    if (this.#state === 'running') this.#killIn(this.options.killAfterMs, 'error');
  }

  #ended({ exitCode, signal, error }: RunnerEnd): void {
    clearTimeout(this.#killTimer);
    clearTimeout(this.#startTimer);
    this.#silence.end();
    const reason = this.#findReason(exitCode, signal, error);
    this.#state = reason === 'stopped' ? 'closed' : 'terminated';
    const down: Down = { actor: this.proxy, reason, error: this.#last?.error ?? error, exitCode, signal };
    for (const end of this.#watches.values()) end();
    this.#watches.clear();
    const died = new ActorDied(this.proxy.name, reason, {
      ...(down.error && { cause: down.error }),
      exitCode,
      signal,
    });
    this.#settleStart.reject(down.error ?? died);
    this.#owner.ended(this, down);
    this.#link.fail(died);
    this.#settleDown(down);
  }

  #findReason(
    exitCode: number | undefined,
    signal: string | undefined,
    error: Error | undefined,
  ): DownReason {
    // It had done all that it had to, and was only slow to leave.
    const isDone = this.#last !== undefined && this.#last.error === undefined;
    if (isDone && this.#endedFor !== 'timeout') return 'stopped';
    if (this.#endedFor !== undefined) return this.#endedFor;
    if (this.#last !== undefined || error !== undefined) return 'error';
    if (this.#state === 'stopping' && signal === 'SIGTERM') return 'stopped';
    return signal === undefined && exitCode !== undefined ? 'exit' : 'killed';
  }
}
