import type { Actor } from '../actors/actor.js';
import { ActorDied, MailboxFull } from '../actors/actor-errors.js';
import { onParcel } from '../actors/parcels.js';
import { bootFile } from '../core/boot-file.js';
import { LONGEST_TIMER_MS } from '../core/duration.js';
import { own } from '../core/own.js';
import { backlogError, channelsError } from './channels-error.js';
import { Courier } from './courier.js';
import type { LockKeeper, LockRequest } from './lock-keeper.js';
import { MOST_WAITING_BYTES, Outbox } from './outbox.js';
import type { PackedMessage } from './packed-message.js';
import { pause } from './pause.js';
import { Questions } from './questions.js';
import {
  COUNT,
  COUNT_COMMAND,
  type CountQuestion,
  LOCK_COMMAND,
  MESSAGE,
  RELAY,
  type RelayEntry,
  UNLOCK_COMMAND,
  type Unlocking,
} from './relay-wire.js';

/** What this process has. */
export interface UplinkOwner {
  countHere(name: string, target: string): number;
  receive(name: string, channel: string, message: PackedMessage): void;
}

/** The main process loads it, whatever else it has loaded: its program may be another one. */
const HUB_MODULE = bootFile('channels/relay-hub');
/** The arbiter answers at once, unless its loop is held. */
const ANSWER_MS = 30_000;
const COUNT_MS = 5000;
/** How much longer than the wait for a lock its answer may take, in ms. */
const LOCK_EXTRA_MS = 5000;
/** Where too much waits there, it is asked again after about so long, in ms. */
const RETRY_MS = 100;

/** The way from a worker to its program's main process, which passes things on to the other workers. */
export class Uplink implements LockKeeper {
  readonly #actor: Actor;
  readonly #owner: UplinkOwner;
  readonly #courier = new Courier('arbiter', ANSWER_MS);
  readonly #outbox: Outbox<RelayEntry>;
  readonly #counts: Questions<CountQuestion, number>;
  readonly #unlockings: Questions<Unlocking, boolean>;
  /** Whose number of subscribers is to be told: name, then targets. */
  #changed = new Map<string, Set<string>>();
  #joining: Promise<void> | undefined;
  #isJoined = false;

  constructor(actor: Actor, owner: UplinkOwner) {
    this.#actor = actor;
    this.#owner = owner;
    this.#outbox = new Outbox((entries, settled) => this.#relay(entries, settled), {
      before: () => this.#takeChanges(),
    });
    this.#counts = new Questions((all) => this.#ask(COUNT_MS, COUNT_COMMAND, all) as Promise<number[]>);
    this.#unlockings = new Questions(
      (all) => this.#ask(ANSWER_MS, UNLOCK_COMMAND, all) as Promise<boolean[]>,
    );
    onParcel(RELAY, (entries) => {
      for (const entry of entries as readonly RelayEntry[])
        if (entry[0] === MESSAGE) owner.receive(entry[1], entry[2], { kind: entry[3], data: entry[4] });
    });
  }

  get isJoined(): boolean {
    return this.#isJoined;
  }

  /** Has the main process pass things on. */
  join(): Promise<void> {
    this.#joining ??= own(this.#join());
    return this.#joining;
  }

  publish(name: string, channel: string, { kind, data }: PackedMessage): Promise<void> {
    const isSent = this.#outbox.push([MESSAGE, name, channel, kind, data], data.length);
    return isSent ? this.#outbox.taken() : own(Promise.reject(backlogError(MOST_WAITING_BYTES)));
  }

  changed(name: string, target: string): void {
    this.#note(name, target);
    this.#outbox.stir();
  }

  settled(): Promise<void> {
    // What could not be told is told again now.
    if (this.#changed.size > 0) this.#outbox.stir();
    return this.#outbox.taken();
  }

  async countOthers(name: string, channel: string): Promise<number> {
    await this.join();
    return this.#counts.ask([name, channel]);
  }

  async acquire(name: string, request: LockRequest): Promise<number | undefined> {
    const { token, signal, waitMs } = request;
    await this.join();
    const cancel = () => void own(this.release(name, token));
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      const endMs = performance.now() + waitMs;
      for (let leftMs = waitMs; ; leftMs = endMs - performance.now()) {
        signal?.throwIfAborted();
        const sinceMs = await this.#tryLock(name, { ...request, waitMs: Math.max(0, leftMs) });
        signal?.throwIfAborted();
        if (sinceMs !== undefined || leftMs <= 0 || performance.now() >= endMs) return sinceMs;
        // Too many wait there.
        await pause(RETRY_MS * (0.5 + Math.random()), signal);
      }
    } catch (error) {
      // It may be had by now, and by nobody who knows of it.
      cancel();
      throw error;
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  release(name: string, token: string): Promise<boolean> {
    return this.#unlockings.ask([name, token]);
  }

  /** Resolves when all that was published has left. */
  idle(): Promise<void> {
    return this.#outbox.idle();
  }

  async #join(): Promise<void> {
    try {
      await this.#ask(ANSWER_MS, 'run', HUB_MODULE, 'openHub');
      this.#isJoined = true;
    } catch (error) {
      this.#joining = undefined;
      throw channelsError(
        'ERR_CHANNELS_DISCONNECTED',
        'The main process does not pass on what is published',
        error,
      );
    }
  }

  async #tryLock(name: string, { token, timeoutMs, waitMs }: LockRequest): Promise<number | undefined> {
    const answerMs = Math.min(LONGEST_TIMER_MS, waitMs + LOCK_EXTRA_MS);
    const beganMs = performance.now();
    try {
      const tookMs = await this.#ask(answerMs, LOCK_COMMAND, name, token, timeoutMs, waitMs);
      return typeof tookMs === 'number' ? beganMs + tookMs : undefined;
    } catch (error) {
      if (error instanceof MailboxFull) return undefined;
      throw error;
    }
  }

  #relay(entries: readonly RelayEntry[], settled: ((error?: Error) => void) | undefined): void {
    if (this.#isJoined) this.#courier.send(entries, settled);
    else
      this.join().then(
        () => this.#courier.send(entries, settled),
        (error: Error) => {
          // Messages are lost, but who subscribes must be known there.
          for (const [type, name, target] of entries) if (type === COUNT) this.#note(name, target);
          if (this.#changed.size > 0 && !(error.cause instanceof ActorDied))
            setTimeout(() => this.#outbox.stir(), RETRY_MS).unref();
          settled?.(error);
        },
      );
  }

  #ask(timeoutMs: number, ...call: [command: string, ...args: unknown[]]): Promise<unknown> {
    return this.#actor.send({ to: 'arbiter', timeoutMs }, ...call);
  }

  #note(name: string, target: string): void {
    const targets = this.#changed.get(name) ?? new Set();
    targets.add(target);
    this.#changed.set(name, targets);
  }

  #takeChanges(): readonly RelayEntry[] {
    const changed = this.#changed;
    if (changed.size === 0) return [];
    this.#changed = new Map();
    const entries: RelayEntry[] = [];
    for (const [name, targets] of changed)
      for (const target of targets) entries.push([COUNT, name, target, this.#owner.countHere(name, target)]);
    return entries;
  }
}
