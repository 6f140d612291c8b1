import { toError } from '../core/errors.js';
import { createGate, type Gate } from '../core/gate.js';

/** Most bytes of messages that wait to be sent to one other process, or to the data store. */
export const MOST_WAITING_BYTES = 16 * 1_048_576;
/** What an entry takes beside its data, in bytes. */
const OVERHEAD_BYTES = 100;
const NONE: readonly never[] = [];

/** What follows it runs behind what this turn of the loop still brings. */
const NOW = Promise.resolve();

/**
 * Entries on their way to one other process, in order. Those of one turn of the loop leave together; while a batch is under way,
 * all others wait for the next one, so that batches grow with the load. Promises are made only for who asks: a message that
 * waits for the collector waits longer than all its way.
 */
export class Outbox<E> {
  readonly #send: (entries: readonly E[]) => Promise<unknown>;
  readonly #before: () => readonly E[];
  #entries: E[] = [];
  #bytes = 0;
  /** A batch is to follow. */
  #isStirred = false;
  #isSending = false;
  /** Settles with the batch that is being gathered. */
  #gathering: Gate | undefined;
  /** Settles with the batch that is under way. */
  #underWay: Gate | undefined;
  /** Settles when nothing is under way. */
  #idle: Gate | undefined;

  /**
   * @param send - takes a batch there; entries of a batch that fails are lost
   * @param before - what each batch begins with
   */
  constructor(send: (entries: readonly E[]) => Promise<unknown>, before: () => readonly E[] = () => NONE) {
    this.#send = send;
    this.#before = before;
  }

  /** @returns false when too much waits, and it is not sent */
  push(entry: E, bytes: number): boolean {
    const more = bytes + OVERHEAD_BYTES;
    if (this.#entries.length > 0 && this.#bytes + more > MOST_WAITING_BYTES) return false;
    this.#entries.push(entry);
    this.#bytes += more;
    this.stir();
    return true;
  }

  /** Sends a batch soon. */
  stir(): void {
    this.#isStirred = true;
    if (this.#isSending) return;
    this.#isSending = true;
    void NOW.then(this.#next);
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    if (!this.#isSending) return NOW;
    this.#idle ??= createGate();
    return this.#idle.promise;
  }

  /** Resolves when all so far has been taken. Rejects, owned, with why it was not. */
  taken(): Promise<void> {
    if (this.#isStirred) {
      this.#gathering ??= createGate();
      return this.#gathering.promise;
    }
    if (!this.#isSending) return NOW;
    this.#underWay ??= createGate();
    return this.#underWay.promise;
  }

  readonly #next = (): void => {
    while (this.#isStirred) {
      const first = this.#before();
      const entries = first.length === 0 ? this.#entries : [...first, ...this.#entries];
      this.#underWay = this.#gathering;
      this.#gathering = undefined;
      this.#isStirred = false;
      this.#entries = [];
      this.#bytes = 0;
      if (entries.length > 0) {
        this.#send(entries).then(this.#sent, this.#failed);
        return;
      }
      this.#underWay?.resolve();
    }
    this.#underWay = undefined;
    this.#isSending = false;
    this.#idle?.resolve();
    this.#idle = undefined;
  };

  readonly #sent = (): void => {
    this.#underWay?.resolve();
    this.#next();
  };

  readonly #failed = (error: unknown): void => {
    this.#underWay?.reject(toError(error));
    this.#next();
  };
}
