import { type AnyIterator, findClose, iterateBody, type Step } from './body-pump.js';
import type { Body, Chunk, Environ } from './contract.js';
import { bodyError, chunkError, lengthError, notStartedError } from './contract-errors.js';
import { isThenable } from './errors.js';
import { breach, check } from './lint-checks.js';
import { checkLent, watchChunk } from './lint-memory.js';

/** What one call of a linted application has said so far. */
export interface LintedCall {
  environ: Environ;
  isStarted: boolean;
  /** -1 when none is stated. */
  statedLength: number;
  writtenBytes: number;
  /** The first breach whose error was thrown into the application, which may have caught it. */
  breach: Error | undefined;
  /** One check for each chunk that `write` was given and that has not left. */
  readonly lentChunks: Set<() => void>;
  /** Throws when the headers were changed after startResponse. */
  checkUnchanged(): void;
}

/** Wraps a body: its chunks, its length, that it is iterated once and closed once. */
export function lintBody(body: Body, state: LintedCall): Body {
  const isObject = typeof body === 'object' && body !== null && !(body instanceof Uint8Array);
  if (!isObject || !(Symbol.iterator in body || Symbol.asyncIterator in body))
    breach('body-iterable', bodyError(body));
  return Symbol.asyncIterator in body
    ? new LintedBody(body, state, true)
    : new LintedBody(body, state, false);
}

/** A body between the application and the server, which looks like the kind that it wraps. */
class LintedBody {
  readonly #body: Body;
  readonly #state: LintedCall;
  #iterator: AnyIterator | undefined;
  #bytes = 0;
  #isClosed = false;
  /** Checks the chunk before, which is gone once the next one is asked for. */
  #checkLast: (() => void) | undefined;

  declare [Symbol.iterator]: () => Iterator<Chunk | Promise<Chunk>>;
  declare [Symbol.asyncIterator]: () => AsyncIterator<Chunk>;

  constructor(body: Body, state: LintedCall, isAsync: boolean) {
    this.#body = body;
    this.#state = state;
    const iterate = () => this.#iterate();
    Object.defineProperty(this, isAsync ? Symbol.asyncIterator : Symbol.iterator, { value: iterate });
  }

  /** What the server calls once, on every path. */
  close(): unknown {
    check('body-close', !this.#isClosed, 'a second call');
    this.#isClosed = true;
    return findClose(this.#body, this.#iterator, { report: () => {} })?.();
  }

  #iterate(): AnyIterator {
    check('body-once', this.#iterator === undefined, 'a second iteration');
    const iterator = iterateBody(this.#body);
    this.#iterator = iterator;
    return {
      next: () => {
        check('body-once', !this.#isClosed, 'a call of next() after close()');
        this.#checkLast?.();
        this.#checkLast = undefined;
        const step = iterator.next();
        return isThenable(step) ? step.then((value) => this.#inspect(value as Step)) : this.#inspect(step);
      },
    };
  }

  #inspect(step: Step): Step {
    if (this.#state.breach !== undefined) throw this.#state.breach;
    checkLent(this.#state);
    if (step.done === true) {
      if (!this.#state.isStarted) breach('start-before-body', notStartedError('before the body ended'));
      this.#state.checkUnchanged();
      this.#checkLength();
      return step;
    }
    const chunk = step.value;
    if (isThenable(chunk))
      return { done: false, value: chunk.then((value) => this.#inspectChunk(value as Chunk)) };
    return { done: false, value: this.#inspectChunk(chunk as Chunk) };
  }

  #inspectChunk(chunk: Chunk): Chunk {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) breach('body-chunks', chunkError(chunk));
    if (chunk.length > 0) {
      if (!this.#state.isStarted)
        breach('start-before-body', notStartedError('before the body yielded its first chunk'));
      this.#state.checkUnchanged();
    }
    this.#checkLast = watchChunk(chunk);
    this.#bytes += Buffer.byteLength(chunk);
    return chunk;
  }

  #checkLength(): void {
    const { statedLength, writtenBytes, environ } = this.#state;
    const sent = this.#bytes + writtenBytes;
    const isWrong =
      statedLength !== -1 && sent !== statedLength && !(sent === 0 && environ.REQUEST_METHOD === 'HEAD');
    if (isWrong) breach('body-length', lengthError(statedLength, sent));
  }
}
