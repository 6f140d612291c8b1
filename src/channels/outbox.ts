import { createGate, type Gate } from '../core/gate.js';

/** Most bytes of messages that wait to be sent to one other process, or to the data store. */
export const MOST_WAITING_BYTES = 16 * 1_048_576;
/** What an entry takes beside its data, in bytes. */
const OVERHEAD_BYTES = 100;
const NONE: readonly never[] = [];

/** What follows it runs behind what this turn of the loop still brings. */
const NOW = Promise.resolve();

/** Takes a batch somewhere, and tells once, if it is asked to, when it was taken or why it was lost. */
export type BatchSend<E> = (entries: readonly E[], settled: ((error?: Error) => void) | undefined) => void;

export interface OutboxOptions<E> {
  readonly before?: () => readonly E[];
  readonly unaskedBytes?: number;
}

/**
 * Entries on their way to one other process, in order. Those of one turn of the loop leave together; while a batch is under way,
 * all others wait for the next one, so that batches grow with the load. Promises are made only for who asks: a message that
 * waits for the collector waits longer than all its way.
 */
export class Outbox<E> {
  readonly #send: BatchSend<E>;
  readonly #before: () => readonly E[];
  readonly #unaskedBytes: number;
  #entries: E[] = [];
  #bytes = 0;
  /** Has left since an answer was last asked for. */
  #leftBytes = 0;
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
   * @param send - takes a batch there
   * @param before - what each batch begins with
   * @param unaskedBytes - so many leave before one is waited for: each answer is a message more. Where somebody asks when they are
   * taken, 0
   */
  constructor(send: BatchSend<E>, { before = () => NONE, unaskedBytes = 0 }: OutboxOptions<E> = {}) {
    this.#send = send;
    this.#before = before;
    this.#unaskedBytes = unaskedBytes;
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
      this.#leftBytes += this.#bytes;
      this.#bytes = 0;
      if (entries.length > 0 && this.#leftBytes >= this.#unaskedBytes) {
        this.#leftBytes = 0;
        this.#send(entries, this.#settled);
        return;
      }
      if (entries.length > 0) this.#send(entries, undefined);
      this.#underWay?.resolve();
    }
    this.#underWay = undefined;
    this.#isSending = false;
    this.#idle?.resolve();
    this.#idle = undefined;
  };

  readonly #settled = (error?: Error): void => {
    if (error === undefined) this.#underWay?.resolve();
    else this.#underWay?.reject(error);
    this.#next();
  };
}
