/** Loaded in the main process, when the first worker has channels. */
import type { Actor } from '../actors/actor.js';
import type { CommandRequest } from '../actors/actor-code.js';
import { ActorDied } from '../actors/actor-errors.js';
import type { ActorProxy } from '../actors/actor-proxy.js';
import { command } from '../actors/commands.js';
import { onParcel } from '../actors/parcels.js';
import { toError } from '../core/errors.js';
import { compilePattern, isPattern } from './channel-name.js';
import { Courier } from './courier.js';
import type { LockRequest } from './lock-keeper.js';
import { MOST_WAITING_BYTES, Outbox } from './outbox.js';
import type { PackedMessage } from './packed-message.js';
import { type RelayHub, relay } from './relay.js';
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

/** So much is on its way to a worker before its answer is waited for, in bytes. */
const UNASKED_BYTES = 8192;
/** So many of its workers wait for locks at once. */
const MOST_WAITING_FOR_LOCKS = 100;

/** What is subscribed to in one worker, of channels of one name. */
interface Interest {
  readonly channels: Map<string, number>;
  readonly patterns: Map<string, (channel: string) => boolean>;
}

/** A worker that has channels. */
interface Line {
  readonly worker: string;
  readonly outbox: Outbox<RelayEntry>;
  readonly interests: Map<string, Interest>;
  /** What it was sent last was thrown away, and the log says so. */
  isOverfull: boolean;
}

/** Knows what each worker subscribes to, and sends it that. */
class Hub implements RelayHub {
  #arbiter: Actor | undefined;
  /** By the ids of the workers. */
  readonly #lines = new Map<string, Line>();
  #waitingForLocks = 0;

  get isOpen(): boolean {
    return this.#arbiter !== undefined;
  }

  /** An arbiter may have stopped, and another one been made. */
  open(arbiter: Actor): void {
    if (this.#arbiter !== arbiter) this.#lines.clear();
    this.#arbiter = arbiter;
  }

  take(sender: ActorProxy, entries: readonly RelayEntry[]): void {
    const line = this.meet(sender);
    for (const entry of entries) {
      if (entry[0] === COUNT) {
        note(line, entry[1], entry[2], entry[3]);
        continue;
      }
      this.#send(entry, line);
      relay.receive(entry[1], entry[2], { kind: entry[3], data: entry[4] });
    }
  }

  /** The line to a worker, from its first word to its end. */
  meet(worker: ActorProxy): Line {
    const found = this.#lines.get(worker.id);
    if (found !== undefined) return found;
    // Nobody awaits its answers: what it has not answered waits at the most, however long its loop is held.
    const courier = new Courier(worker.id);
    const line: Line = {
      worker: worker.id,
      interests: new Map(),
      isOverfull: false,
      outbox: new Outbox(
        (entries, settled) =>
          courier.send(
            entries,
            settled &&
              ((error) => {
                if (error !== undefined && !(error instanceof ActorDied))
                  this.#warn(worker.id, 'messages of channels to a worker are lost', error);
                settled(error);
              }),
          ),
        { unaskedBytes: UNASKED_BYTES },
      ),
    };
    this.#lines.set(worker.id, line);
    const forget = () => {
      this.#lines.delete(worker.id);
      relay.locks.releaseAll(worker.id);
    };
    void this.#arbiter?.watch(worker).then(forget, forget);
    return line;
  }

  /** Takes a lock for a worker, which gives it back when it dies. @returns how long that took, in ms */
  async lock(worker: ActorProxy, name: string, request: LockRequest): Promise<number | false> {
    this.meet(worker);
    // Who waits takes room in the arbiter's mailbox: others come back.
    const isFull = this.#waitingForLocks >= MOST_WAITING_FOR_LOCKS;
    const beganMs = performance.now();
    this.#waitingForLocks++;
    try {
      const asked = isFull ? { ...request, waitMs: 0 } : request;
      const sinceMs = await relay.locks.acquire(name, asked, worker.id);
      return sinceMs !== undefined && sinceMs - beganMs;
    } finally {
      this.#waitingForLocks--;
    }
  }

  publish(name: string, channel: string, { kind, data }: PackedMessage): void {
    this.#send([MESSAGE, name, channel, kind, data], undefined);
  }

  count(name: string, channel: string, except?: string): number {
    let count = 0;
    for (const [id, { interests }] of this.#lines)
      if (id !== except) count += interests.get(name)?.channels.get(channel) ?? 0;
    return count;
  }

  #warn(worker: string, message: string, error?: unknown): void {
    this.#arbiter?.logger.warn(
      { actor: worker, ...(error !== undefined && { err: toError(error) }) },
      message,
    );
  }

  #send(entry: Extract<RelayEntry, [typeof MESSAGE, ...unknown[]]>, except: Line | undefined): void {
    // By their places: taking tuples apart leaves garbage for each message.
    for (const line of this.#lines.values()) {
      if (line === except || !wants(line.interests.get(entry[1]), entry[2])) continue;
      const isLost = !line.outbox.push(entry, entry[4].length);
      if (isLost && !line.isOverfull)
        this.#warn(
          line.worker,
          `messages of channels to a worker are lost: more than ${MOST_WAITING_BYTES} bytes wait`,
        );
      line.isOverfull = isLost;
    }
  }
}

const hub = new Hub();

/** Has the main process pass on what its workers publish. A second call of the same arbiter does nothing. */
export function openHub(arbiter: Actor): void {
  const isFirst = !hub.isOpen;
  hub.open(arbiter);
  if (!isFirst) return;
  relay.attach(hub);
  onParcel(RELAY, (entries, sender) => {
    if (sender !== undefined) hub.take(sender, entries as readonly RelayEntry[]);
  });
  command(COUNT_COMMAND, ({ sender }: CommandRequest, questions: readonly CountQuestion[]) =>
    questions.map(([name, channel]) => hub.count(name, channel, sender?.id) + relay.countHere(name, channel)),
  );
  command(
    LOCK_COMMAND,
    ({ sender }: CommandRequest, name: string, token: string, timeoutMs: number, waitMs: number) =>
      sender === undefined ? false : hub.lock(sender, name, { token, timeoutMs, waitMs, signal: undefined }),
  );
  command(UNLOCK_COMMAND, (_request: CommandRequest, unlockings: readonly Unlocking[]) =>
    Promise.all(unlockings.map(([name, token]) => relay.locks.release(name, token))),
  );
}

function note({ interests }: Line, name: string, target: string, count: number): void {
  let interest = interests.get(name);
  if (interest === undefined) {
    interest = { channels: new Map(), patterns: new Map() };
    interests.set(name, interest);
  }
  const { channels, patterns } = interest;
  if (isPattern(target)) {
    if (count > 0) patterns.set(target, patterns.get(target) ?? compilePattern(target));
    else patterns.delete(target);
  } else if (count > 0) channels.set(target, count);
  else channels.delete(target);
  if (channels.size === 0 && patterns.size === 0) interests.delete(name);
}

function wants(interest: Interest | undefined, channel: string): boolean {
  if (interest === undefined) return false;
  if (interest.channels.has(channel)) return true;
  if (interest.patterns.size === 0) return false;
  for (const matches of interest.patterns.values()) if (matches(channel)) return true;
  return false;
}
