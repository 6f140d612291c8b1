import { joinChunks } from '../core/chunks.js';
import type { Chunk } from '../core/contract.js';
import { callAll, destroyedError } from './node-events.js';
import type { Done } from './request-socket.js';

/** The encodings in which a text can be left as it is; `buffer` is that of bytes. */
const UTF8: ReadonlySet<string> = new Set(['utf8', 'utf-8', 'buffer']);

/** What was written and has not gone yet, and who is to be told when it has. */
export class HeldWrites {
  /** Of texts their characters. */
  bytes = 0;
  #chunks: Chunk[] = [];
  #done: Done[] = [];

  /** Something was written, if only nothing, of which somebody is to be told. */
  get hasSome(): boolean {
    return this.#chunks.length + this.#done.length > 0;
  }

  /** @returns how long it is */
  push(chunk: Chunk, encoding: BufferEncoding | undefined): number {
    const isCoded = typeof chunk === 'string' && encoding !== undefined && !UTF8.has(encoding);
    const piece = isCoded ? Buffer.from(chunk, encoding) : chunk;
    this.#chunks.push(piece);
    this.bytes += piece.length;
    return piece.length;
  }

  whenGone(done: Done): void {
    this.#done.push(done);
  }

  /** All of it as one chunk, or none. */
  take(): Chunk[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.bytes = 0;
    return chunks.length < 2 ? chunks : [joinChunks(chunks)];
  }

  /** All that was taken has gone. */
  gone(): void {
    const done = this.takeDone();
    if (done.length > 0) process.nextTick(callAll, done);
  }

  /** None of it will. @returns false where nobody waited for it */
  fail(): boolean {
    const done = this.takeDone();
    if (done.length > 0) process.nextTick(callAll, done, destroyedError());
    return done.length > 0;
  }

  takeDone(): readonly Done[] {
    const done = this.#done;
    this.#done = [];
    return done;
  }
}
