import type { Chunk } from '../core/contract.js';
import { Eventual } from '../core/eventual.js';
import { costOf, RESPONSE_WINDOW_BYTES } from './wire.js';

type Step = IteratorResult<Chunk, undefined>;

/** What a response's body asks of the thread that it comes from. */
export interface BodySource {
  /** So many bytes have been taken on. */
  credit(bytes: number): void;
  /** No more is wanted. */
  cancel(): void;
}

/** Credit is given for so many bytes at once. */
const CREDIT_BYTES = RESPONSE_WINDOW_BYTES / 4;
const DONE: Step = { done: true, value: undefined };

/** A body that comes from a thread, chunk by chunk, as fast as it is taken. */
export class ResponseBody implements AsyncIterableIterator<Chunk> {
  readonly #source: BodySource;
  #chunks: Chunk[] = [];
  #owedBytes = 0;
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

  /** A step that is there already is no promise: that spares a turn for each chunk. */
  next(): Promise<Step> {
    return this.#step() as never;
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
      this.#source.credit(this.#owedBytes);
      this.#owedBytes = 0;
    }
    return { done: false, value };
  }

  #settle(tell: (reader: Eventual<Step>) => void): void {
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader !== undefined) tell(reader);
  }
}
