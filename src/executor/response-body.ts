import { type AnyIterator, LENDING_ITERATOR, type LendingBody } from '../core/body-pump.js';
import type { Chunk } from '../core/contract.js';
import { Eventual } from '../core/eventual.js';
import { own } from '../core/own.js';
import { BLOCK_BYTES, costOf, RESPONSE_WINDOW_BYTES } from './wire.js';

type Step = IteratorResult<Chunk, undefined>;

/** What a response's body asks of the thread that it comes from. */
export interface BodySource {
  /** So many bytes have been taken on. @param blocks - memory of chunks that nobody reads any more */
  credit(bytes: number, blocks: readonly ArrayBuffer[]): void;
  /** No more is wanted. */
  cancel(): void;
}

/** Credit is given for so many bytes at once. */
const CREDIT_BYTES = RESPONSE_WINDOW_BYTES / 4;
const DONE: Step = { done: true, value: undefined };

/** A body that comes from a thread, chunk by chunk, as fast as it is taken. */
export class ResponseBody implements AsyncIterableIterator<Chunk>, LendingBody {
  readonly #source: BodySource;
  #chunks: Chunk[] = [];
  #owedBytes = 0;
  /** Whoever takes chunks is done with each when asking for the next, so that its memory can go back. */
  #isLent = false;
  #last: Chunk | undefined;
  #blocks: ArrayBuffer[] = [];
  #isEnded = false;
  #error: Error | undefined;
  #reader: Eventual<Step> | undefined;

  constructor(source: BodySource) {
    this.#source = source;
  }

  push(chunk: Chunk): void {
    if (this.#isEnded) return;
    if (this.#reader === undefined) this.#chunks.push(chunk);
    else this.#settle((reader) => reader.resolve(this.#take(chunk)));
  }

  end(): void {
    this.#isEnded = true;
    this.#settle((reader) => reader.resolve(DONE));
  }

  fail(error: Error): void {
    this.#error = error;
    this.#isEnded = true;
    this.#settle((reader) => reader.reject(error));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** For a server: a step that is there already is no promise, which spares a turn for each chunk. */
  [LENDING_ITERATOR](): AnyIterator {
    this.#isLent = true;
    return { next: () => this.#step(), return: () => this.return() };
  }

  next(): Promise<Step> {
    return own(this.#next());
  }

  async #next(): Promise<Step> {
    return await this.#step();
  }

  async return(): Promise<Step> {
    if (!this.#isEnded) {
      this.end();
      this.#source.cancel();
    }
    this.#chunks = [];
    this.#error = undefined;
    return DONE;
  }

  #step(): Step | Eventual<Step> {
    if (this.#isLent) this.#giveBack();
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) return this.#take(chunk);
    if (this.#error !== undefined) throw this.#error;
    if (this.#isEnded) return DONE;
    this.#reader = new Eventual<Step>();
    return this.#reader;
  }

  #take(value: Chunk): Step {
    this.#owedBytes += costOf(value);
    if (this.#owedBytes >= CREDIT_BYTES) {
      this.#source.credit(this.#owedBytes, this.#blocks);
      this.#owedBytes = 0;
      this.#blocks = [];
    }
    this.#last = value;
    return { done: false, value };
  }

  #giveBack(): void {
    const last = this.#last;
    this.#last = undefined;
    if (
      typeof last === 'object' &&
      last.buffer instanceof ArrayBuffer &&
      last.buffer.byteLength === BLOCK_BYTES
    )
      this.#blocks.push(last.buffer);
  }

  #settle(tell: (reader: Eventual<Step>) => void): void {
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader !== undefined) tell(reader);
  }
}
