import { toError } from '../core/errors.js';
import { createGate, type Gate } from '../core/gate.js';

/** Most bytes of messages that wait to be sent to one other process, or to the data store. */
export const MOST_WAITING_BYTES = 16 * 1_048_576;
/** What an entry takes beside its data, in bytes. */
const OVERHEAD_BYTES = 100;

/**
 * Entries on their way to one other process, in order. Those of one turn of the loop leave together; while a batch is under way,
 * all others wait for the next one, so that batches grow with the load.
 */
export class Outbox<E> {
  readonly #send: (entries: readonly E[]) => Promise<unknown>;
  readonly #before: () => readonly E[];
  #entries: E[] = [];
  #bytes = 0;
  /** Settles with the batch that is being gathered. */
  #gathering: Gate | undefined;
  /** Settles with the batch that is under way. */
  #underWay: Gate | undefined;
  #sending: Promise<void> | undefined;

  /**
   * @param send - takes a batch there; entries of a batch that fails are lost
   * @param before - what each batch begins with
   */
  constructor(send: (entries: readonly E[]) => Promise<unknown>, before: () => readonly E[] = () => []) {
    this.#send = send;
    this.#before = before;
  }

  /** @returns a promise of its batch, owned; undefined when too much waits, and it is not sent */
  push(entry: E, bytes: number): Promise<void> | undefined {
    const more = bytes + OVERHEAD_BYTES;
    if (this.#entries.length > 0 && this.#bytes + more > MOST_WAITING_BYTES) return undefined;
    this.#entries.push(entry);
    this.#bytes += more;
    return this.stir();
  }

  /** Sends a batch soon. @returns a promise of it, owned */
  stir(): Promise<void> {
    this.#gathering ??= createGate();
    const { promise } = this.#gathering;
    this.#sending ??= this.#sendAll();
    return promise;
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#sending;
  }

  /** Resolves when all so far has been taken. Rejects with why it was not. */
  taken(): Promise<void> {
    return (this.#gathering ?? this.#underWay)?.promise ?? Promise.resolve();
  }

  async #sendAll(): Promise<void> {
    // What else this turn of the loop brings goes along.
    await undefined;
    for (let gate = this.#gathering; gate !== undefined; gate = this.#gathering) {
      const entries = [...this.#before(), ...this.#entries];
      this.#underWay = gate;
      this.#gathering = undefined;
      this.#entries = [];
      this.#bytes = 0;
      try {
        if (entries.length > 0) await this.#send(entries);
        gate.resolve();
      } catch (error) {
        gate.reject(toError(error));
      }
    }
    this.#underWay = undefined;
    this.#sending = undefined;
  }
}
