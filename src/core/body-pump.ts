import { Stream } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { LARGE_BYTES } from './chunks.js';
import type { Body, Chunk } from './contract.js';
import { bodyError, chunkError } from './contract-errors.js';
import { isThenable } from './errors.js';

/**
 * After so many bytes without a wait, other requests get their turn: some 1.5 ms. With a quarter of it, streams that
 * take turns cost up to twice the CPU time in the kernel.
 */
const TURN_BYTES = 4_194_304;
/** An empty or tiny chunk counts as this much of a turn. */
const CHUNK_COST_BYTES = 1024;

/**
 * The method of a body that is iterated by one who is done with each chunk when asking for the next, as servers are: it may
 * fill the same memory again. Others collect chunks, and take `Symbol.asyncIterator`.
 */
export const LENDING_ITERATOR: unique symbol = Symbol('vela.lendingIterator');

/** Where a body goes. */
export interface BodySink {
  /** No chunk is wanted now: `run` is called again when one is. */
  readonly isBlocked: boolean;
  take(chunk: Chunk): void;
  /** The body makes us wait: send what is held. */
  flush(): void;
  /** The body is complete. */
  finish(): void;
  fail(error: unknown): void;
  /** `close` or `return` of the body threw. */
  report(error: unknown): void;
}

export type Step = IteratorResult<Chunk | PromiseLike<Chunk>>;
export type AnyIterator = { next(): Step | PromiseLike<Step>; return?: () => unknown };

/** A body that knows whom it lends its memory to. */
export interface LendingBody {
  [LENDING_ITERATOR](): AnyIterator;
}

/** Walks a body in any of its forms, as fast as its sink takes it, and closes it exactly once. */
export class BodyPump {
  #body: Body;
  #sink: BodySink;
  #iterator: AnyIterator;
  #isClosed = false;
  /** The body's own code is on the stack. */
  #isStepping = false;
  /** All chunks are there already, so none shares its memory with the next. */
  readonly #isEager: boolean;
  /** A promise, or the next turn of the loop, goes on with the walk. */
  #isWaiting = false;
  #turnBytes = TURN_BYTES;

  /** @throws {VelaError} `ERR_CONTRACT_BODY` */
  constructor(body: Body, sink: BodySink) {
    this.#body = body;
    this.#sink = sink;
    this.#iterator = iterateBody(body);
    this.#isEager = Array.isArray(body);
  }

  /** Walks until the body ends, has to be waited for, or the sink is blocked. */
  run(): void {
    try {
      while (!this.#isClosed && !this.#isWaiting && !this.#sink.isBlocked) {
        if (this.#turnBytes <= 0) {
          this.#yieldTurn();
          return;
        }
        this.#isStepping = true;
        const step = this.#iterator.next();
        this.#stepped();
        if (isThenable(step)) this.#await(step as PromiseLike<Step>, (value) => this.#onStep(value));
        else this.#onStep(step as Step);
      }
    } catch (error) {
      if (this.#isStepping) this.#stepped();
      this.#fail(error);
    }
  }

  /** Ends the walk and closes the body. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (!this.#isStepping) closeBody(this.#body, this.#iterator, this.#sink);
  }

  /** A generator cannot be closed in the middle of a step, as one that ends its own request would be. */
  #stepped(): void {
    this.#isStepping = false;
    if (this.#isClosed) closeBody(this.#body, this.#iterator, this.#sink);
  }

  #onStep(step: Step): void {
    if (step === null || typeof step !== 'object') {
      throw new TypeError('The iterator of a body gave a result that is no object');
    }
    if (step.done === true) {
      this.close();
      this.#sink.finish();
    } else if (isThenable(step.value)) {
      this.#await(step.value as PromiseLike<Chunk>, (chunk) => this.#take(chunk));
    } else {
      this.#take(step.value as Chunk);
    }
  }

  #take(chunk: Chunk): void {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) throw chunkError(chunk);
    this.#turnBytes -= chunk.length + CHUNK_COST_BYTES;
    // A generator may use the memory of a chunk again for the next; a large one leaves before that.
    const isShared = !this.#isEager && typeof chunk !== 'string' && chunk.length < LARGE_BYTES;
    this.#sink.take(isShared ? Buffer.from(chunk) : chunk);
  }

  /** Waits for the body: what came before goes out meanwhile. */
  #await<T>(promise: PromiseLike<T>, next: (value: T) => void): void {
    this.#isWaiting = true;
    // A thenable that is no promise may call back twice, or throw.
    Promise.resolve(promise).then(
      (value) => {
        this.#isWaiting = false;
        if (this.#isClosed) return;
        try {
          next(value);
        } catch (error) {
          this.#fail(error);
        }
        this.run();
      },
      (error: unknown) => this.#fail(error),
    );
    this.#sink.flush();
  }

  #yieldTurn(): void {
    this.#turnBytes = TURN_BYTES;
    this.#isWaiting = true;
    setImmediate(() => {
      this.#isWaiting = false;
      this.run();
    });
    this.#sink.flush();
  }

  #fail(error: unknown): void {
    if (this.#isClosed) {
      this.#sink.report(error);
      return;
    }
    this.close();
    this.#sink.fail(error);
  }
}

/** Closes a body that nobody walks. */
export function closeBody(
  body: Body,
  iterator: AnyIterator | undefined,
  sink: Pick<BodySink, 'report'>,
): void {
  try {
    ownPromises(body);
    const closed = findClose(body, iterator, sink)?.();
    if (isThenable(closed)) closed.then(undefined, (error: unknown) => sink.report(error));
  } catch (error) {
    sink.report(error);
  }
}

/** A stream's `destroy`; else its own `close` (PEP 3333), else its own `return`, else its iterator's. */
export function findClose(
  body: Body,
  iterator: AnyIterator | undefined,
  sink: Pick<BodySink, 'report'>,
): (() => unknown) | undefined {
  const owner = body as { [K in 'destroy' | 'close' | 'return' | 'getReader' | 'cancel']?: unknown };
  const call = (method: unknown) =>
    typeof method === 'function' ? () => method.call(body) as unknown : undefined;
  if (body instanceof Stream && typeof owner.destroy === 'function') {
    // What it still fails with, such as a file that is not there, nobody else hears.
    body.on('error', (error) => sink.report(error));
    return call(owner.destroy);
  }
  // A web stream that is being read is cancelled by its reader.
  if (iterator === undefined && typeof owner.getReader === 'function') return call(owner.cancel);
  return call(owner.close) ?? call(owner.return) ?? (iterator?.return && (() => iterator.return?.()));
}

/** A later promise of an array may reject before its turn, or when its turn never comes: that is no unhandled rejection. */
function ownPromises(body: Body): void {
  if (!Array.isArray(body)) return;
  for (const chunk of body) {
    if (chunk instanceof Promise) chunk.then(undefined, () => undefined);
  }
}

/** The iterator of a body in any of its forms, for whoever is done with a chunk when asking for the next. @throws {VelaError} `ERR_CONTRACT_BODY` */
export function iterateBody(body: Body): AnyIterator {
  ownPromises(body);
  if (body !== null && typeof body === 'object') {
    if (body instanceof ReadableStream) return readWebStream(body as ReadableStream<Chunk>);
    if (LENDING_ITERATOR in body) return (body as LendingBody)[LENDING_ITERATOR]();
    if (Symbol.asyncIterator in body) return body[Symbol.asyncIterator]();
    if (Symbol.iterator in body && !(body instanceof Uint8Array)) return body[Symbol.iterator]();
  }
  throw bodyError(body);
}

/** A web stream by its reader, which can cancel it while a read is pending: its own iterator would wait for that read. */
function readWebStream(stream: ReadableStream<Chunk>): AnyIterator {
  const reader = stream.getReader();
  return {
    next: () => reader.read() as Promise<Step>,
    return: () => reader.cancel(),
  };
}
