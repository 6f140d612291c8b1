import type { Chunk, Environ } from '../core/contract.js';
import { ResponseHooks } from '../core/response-hooks.js';

type Read = IteratorResult<Chunk, undefined>;

/** The body of a Response that comes in pieces. */
export class FetchBody implements AsyncIterable<Chunk> {
  readonly #reader: ReadableStreamDefaultReader<Chunk>;
  readonly #environ: Environ;
  /** What was read before it was clear that more would come. */
  readonly #ahead: Promise<Read>[];
  #isBegun = false;
  #hasCome = false;
  /** What it has failed with, of which whoever reads it knows. */
  #error: unknown;

  constructor(reader: ReadableStreamDefaultReader<Chunk>, environ: Environ, ahead: Promise<Read>[] = []) {
    this.#reader = reader;
    this.#environ = environ;
    this.#ahead = ahead;
  }

  [Symbol.asyncIterator](): AsyncIterator<Chunk, undefined> {
    return { next: () => this.#next() };
  }

  /** Nobody wants the rest. */
  async close(): Promise<void> {
    try {
      await this.#reader.cancel(this.#environ['vela.signal'].reason);
    } catch (error) {
      if (error !== this.#error) throw error;
    }
  }

  #next(): Promise<Read> {
    const read = this.#ahead.shift() ?? (this.#reader.read() as Promise<Read>);
    read.then(undefined, (error: unknown) => {
      this.#error = error;
    });
    if (!this.#isBegun) this.#sendHead(read);
    return read;
  }

  /** A client is told of a response as soon as it has begun, however late its body comes. */
  #sendHead(first: Promise<Read>): void {
    this.#isBegun = true;
    const come = () => {
      this.#hasCome = true;
    };
    first.then(come, come);
    setImmediate(() => {
      if (!this.#hasCome) ResponseHooks.sendHead(this.#environ['vela.response']);
    });
  }
}
