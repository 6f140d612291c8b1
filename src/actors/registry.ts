import { randomBytes } from 'node:crypto';
import { packError } from '../core/wire-error.js';
import { ActorDied, actorError, undeliverable } from './actor-errors.js';
import type { ActorProxy } from './actor-proxy.js';
import type { Down } from './down-notice.js';
import type { Message, Outcome } from './message.js';
import { Watchers } from './watchers.js';

/** An actor that the arbiter knows: in its loop, or behind a handle. */
export interface Entry {
  readonly proxy: ActorProxy;
  send(message: Message): void;
  /** In the main process's loop: what it is sent from there is still to be copied. */
  readonly isLocal: boolean;
}

/** Who is there, by id and by name; and who was, for a while. */
export class Registry {
  readonly #entries = new Map<string, Entry>();
  readonly #names = new Map<string, string>();
  readonly #watchers = new Watchers();

  get size(): number {
    return this.#entries.size;
  }

  find(target: string): Entry | undefined {
    return this.#entries.get(target) ?? this.#entries.get(this.#names.get(target) ?? '');
  }

  /** @throws {VelaError} `ERR_ACTOR_NAME` when another one has the name */
  requireFree(name: string): void {
    if (this.find(name) !== undefined)
      throw actorError('ERR_ACTOR_NAME', `There is an actor "${name}" already: no two have one name`);
  }

  add(entry: Entry): void {
    const { id, name } = entry.proxy;
    this.requireFree(name);
    this.#entries.set(id, entry);
    this.#names.set(name, id);
  }

  remove({ id, name }: ActorProxy, down: Down): void {
    if (!this.#entries.delete(id)) return;
    if (this.#names.get(name) === id) this.#names.delete(name);
    this.#watchers.tell(id, name, down);
  }

  /** Takes a message that was copied on its way. */
  deliver(target: string, message: Message): void {
    const entry = this.find(target);
    if (entry === undefined) message.settle({ isOk: false, error: packError(this.#died(target)) });
    else entry.send(message);
  }

  /** Takes a message from an actor of the main process's loop. */
  deliverLocal(target: string, message: Message): void {
    if (this.find(target)?.isLocal !== true) {
      this.deliver(target, message);
      return;
    }
    const { command } = message;
    try {
      const args = structuredClone(message.args);
      const settle = (outcome: Outcome) => message.settle(copyOutcome(command, outcome));
      this.deliver(target, { ...message, args, settle });
    } catch (error) {
      message.settle({ isOk: false, error: packError(undeliverable(command, error)) });
    }
  }

  /** Tells once of the end of an actor: at once, if it is gone. @returns what ends the watch */
  watch(target: string, listener: (down: Down) => void): () => void {
    const entry = this.find(target);
    if (entry !== undefined) return this.#watchers.add(entry.proxy.id, listener);
    listener(this.#watchers.find(target));
    return () => {};
  }

  /** An id that nobody has: eight letters and digits. */
  createId(): string {
    for (;;) {
      const id = randomBytes(5).readUIntBE(0, 5).toString(36).padStart(8, '0');
      if (id.length === 8 && this.find(id) === undefined) return id;
    }
  }

  #died(target: string): ActorDied {
    const { reason, error } = this.#watchers.find(target);
    return new ActorDied(target, reason, error && { cause: error });
  }
}

function copyOutcome(command: string, outcome: Outcome): Outcome {
  if (!outcome.isOk) return outcome;
  try {
    return { isOk: true, value: structuredClone(outcome.value) };
  } catch (error) {
    return { isOk: false, error: packError(undeliverable(command, error)) };
  }
}
