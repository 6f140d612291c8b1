/** Loaded in the main process, when the first worker has channels. */
import type { Actor } from '../actors/actor.js';
import type { CommandRequest } from '../actors/actor-code.js';
import type { ActorProxy } from '../actors/actor-proxy.js';
import { command } from '../actors/commands.js';
import { own } from '../core/own.js';
import { compilePattern, isPattern } from './channel-name.js';
import { MOST_WAITING_BYTES, Outbox } from './outbox.js';
import type { PackedMessage } from './packed-message.js';
import { type RelayHub, relay } from './relay.js';
import {
  COUNT,
  COUNT_COMMAND,
  LOCK_COMMAND,
  MESSAGE,
  RELAY_COMMAND,
  type RelayEntry,
  UNLOCK_COMMAND,
} from './relay-wire.js';

const ANSWER_MS = 30_000;

/** What is subscribed to in one worker, of channels of one name. */
interface Interest {
  readonly channels: Map<string, number>;
  readonly patterns: Map<string, (channel: string) => boolean>;
}

/** A worker that has channels. */
interface Line {
  readonly outbox: Outbox<RelayEntry>;
  readonly interests: Map<string, Interest>;
  /** What it was sent last was thrown away, and the log says so. */
  isOverfull: boolean;
}

let hub: Hub | undefined;

/** Has the main process pass on what its workers publish. A second call does nothing. */
export function openHub(arbiter: Actor): void {
  if (hub !== undefined) return;
  const opened = new Hub(arbiter);
  hub = opened;
  relay.attach(opened);
  command(RELAY_COMMAND, ({ sender }: CommandRequest, entries: readonly RelayEntry[]) => {
    if (sender !== undefined) opened.take(sender, entries);
  });
  command(
    COUNT_COMMAND,
    ({ sender }: CommandRequest, name: string, channel: string) =>
      opened.count(name, channel, sender?.id) + relay.countHere(name, channel),
  );
  command(
    LOCK_COMMAND,
    ({ sender }: CommandRequest, name: string, token: string, timeoutMs: number, waitMs: number) => {
      // Who is gone gives back what it has.
      if (sender !== undefined) opened.meet(sender);
      return relay.locks.acquire(name, { token, timeoutMs, waitMs, signal: undefined }, sender?.id);
    },
  );
  command(UNLOCK_COMMAND, (_request: CommandRequest, name: string, token: string) =>
    relay.locks.release(name, token),
  );
}

/** Knows what each worker subscribes to, and sends it that. */
class Hub implements RelayHub {
  readonly #arbiter: Actor;
  /** By the ids of the workers. */
  readonly #lines = new Map<string, Line>();

  constructor(arbiter: Actor) {
    this.#arbiter = arbiter;
  }

  take(sender: ActorProxy, entries: readonly RelayEntry[]): void {
    const line = this.meet(sender);
    for (const entry of entries) {
      if (entry[0] === COUNT) {
        note(line, entry[1], entry[2], entry[3]);
        continue;
      }
      const [, name, channel, kind, data] = entry;
      this.#send(entry, sender.id);
      relay.receive(name, channel, { kind, data });
    }
  }

  /** The line to a worker, from its first word to its end. */
  meet(worker: ActorProxy): Line {
    const found = this.#lines.get(worker.id);
    if (found !== undefined) return found;
    const line: Line = {
      interests: new Map(),
      isOverfull: false,
      outbox: new Outbox((entries) =>
        this.#arbiter.send({ to: worker, timeoutMs: ANSWER_MS }, RELAY_COMMAND, entries),
      ),
    };
    this.#lines.set(worker.id, line);
    const forget = () => {
      this.#lines.delete(worker.id);
      relay.locks.releaseAll(worker.id);
    };
    void own(this.#arbiter.watch(worker).then(forget, forget));
    return line;
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

  #send(entry: Extract<RelayEntry, [typeof MESSAGE, ...unknown[]]>, except: string | undefined): void {
    const [, name, channel, , data] = entry;
    for (const [id, line] of this.#lines) {
      if (id === except || !wants(line.interests.get(name), channel)) continue;
      const isLost = line.outbox.push(entry, data.length) === undefined;
      if (isLost && !line.isOverfull)
        this.#arbiter.logger.warn(
          { actor: id, channel },
          `messages of channels to a worker are lost: more than ${MOST_WAITING_BYTES} bytes wait for it`,
        );
      line.isOverfull = isLost;
    }
  }
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
  for (const matches of interest.patterns.values()) if (matches(channel)) return true;
  return false;
}
