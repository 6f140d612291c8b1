import type { BodySink } from './body-sink.js';
import { ByteQueue, type LineScan } from './byte-queue.js';
import type { WsgiInput } from './contract.js';
import { VelaError } from './errors.js';
import { Eventual } from './eventual.js';
import { checkLimit, checkSize, closedError, notLoadedError, tooLarge } from './input-errors.js';
import { collectLines } from './input-lines.js';
import { own, ownSteps } from './own.js';

/** How many unread bytes are held before the socket is paused. */
const HIGH_WATER_BYTES = 65_536;

/** The socket's side of an input. */
export interface InputFlow {
  pause(): void;
  resume(): void;
  /** Where the thread may be blocked: waits until bytes come, or the end. */
  readonly block?: (() => void) | undefined;
}

/** The request's body as it comes from a socket. The gateway's side is static, so that a reader does not see it. */
export class RequestInput implements WsgiInput {
  #queue = new ByteQueue();
  #receivedBytes = 0;
  #limitBytes: number;
  readonly #statedBytes: number;
  /** How much is held before the socket is paused. */
  #demandBytes = HIGH_WATER_BYTES;
  readonly #flow: InputFlow;
  #isPaused = false;
  #isEnded: boolean;
  #isTaken = false;
  #error: Error | undefined = undefined;
  /** The one reader that waits, and for how many bytes: Infinity is the end. */
  #reader: Eventual<void> | undefined = undefined;
  #awaitedBytes = 0;
  /** Who takes all of it. */
  #sink: BodySink | undefined = undefined;
  #isPouring = false;
  #onEnd: (() => void) | undefined = undefined;

  /**
   * @param flow - pauses and resumes the socket
   * @param limitBytes - largest body
   * @param statedBytes - how long the body will be: 0 when none comes, -1 when that is not known
   */
  constructor(flow: InputFlow, limitBytes: number, statedBytes: number) {
    this.#flow = flow;
    this.#limitBytes = limitBytes;
    this.#statedBytes = statedBytes;
    this.#isEnded = statedBytes === 0;
  }

  /**
   * Bytes arrived.
   * @param isOwned - the bytes are a Buffer that may be kept; else they are copied
   * @param isLent - they are copied later: see {@link RequestInput.finish}
   */
  static push(input: RequestInput, bytes: Uint8Array, isOwned: boolean, isLent = false): void {
    if (input.#isEnded || input.#error !== undefined || bytes.length === 0) return;
    input.#receivedBytes += bytes.length;
    if (input.#receivedBytes > input.#limitBytes) {
      RequestInput.fail(input, tooLarge(input.#limitBytes));
      return;
    }
    const isWhole = input.#demandBytes === Number.POSITIVE_INFINITY;
    if (isLent && input.#queue.length === 0) input.#queue.lend(bytes, isWhole);
    else input.#queue.push(bytes, isOwned, isWhole);
    input.#wake();
    if (!input.#isPaused && input.#queue.length >= input.#demandBytes) {
      input.#isPaused = true;
      input.#flow.pause();
    }
  }

  /** The last bytes arrived. They are there only as long as this call: who does not take them within it gets a copy. */
  static finish(input: RequestInput, bytes: Uint8Array): void {
    RequestInput.push(input, bytes, false, true);
    RequestInput.end(input);
    input.#queue.keep();
  }

  /** The body is complete. */
  static end(input: RequestInput): void {
    input.#onEnd?.();
    if (input.#error !== undefined) return;
    input.#isEnded = true;
    input.#resume();
    input.#wake();
  }

  /** The rest is not wanted: later reads reject, and what the client still sends passes unread. */
  static fail(input: RequestInput, error: Error): void {
    if (input.#isEnded || input.#error !== undefined) return;
    input.#resume();
    RequestInput.lose(input, error);
  }

  /** The request is answered: what comes of its body passes unread. @param onEnd - called when all of it has passed */
  static discard(input: RequestInput, onEnd?: () => void): void {
    if (input.#isEnded) return;
    input.#onEnd = onEnd;
    if (input.#error === undefined) RequestInput.fail(input, closedError());
  }

  /** The rest will not come, for the socket is gone: later reads reject. */
  static lose(input: RequestInput, error: Error): void {
    if (input.#isEnded || input.#error !== undefined) return;
    input.#isPaused = false;
    input.#error = error;
    input.#queue.clear();
    const reader = input.#reader;
    const sink = input.#sink;
    input.#reader = undefined;
    input.#sink = undefined;
    reader?.reject(error);
    sink?.failed(error);
  }

  /** Gives all of it to a sink from now on, as it comes, or has it go on. @throws {VelaError} `ERR_INPUT_BUSY` */
  static pour(input: RequestInput, sink: BodySink): void {
    if (input.#sink !== sink) input.#claim();
    if (input.#error !== undefined) sink.failed(input.#error);
    else {
      input.#sink = sink;
      input.#pour(sink);
    }
  }

  /** Lowers the largest size of the body. @throws {PayloadTooLarge} when that is exceeded already */
  static limit(input: RequestInput, limitBytes: number): void {
    if (limitBytes >= input.#limitBytes) return;
    input.#limitBytes = limitBytes;
    if (Math.max(input.#receivedBytes, input.#statedBytes) > limitBytes) throw tooLarge(limitBytes);
  }

  /** The body is all there. */
  static isOver(input: RequestInput): boolean {
    return input.#isEnded;
  }

  /** As `readSync()`, for use at once: the bytes may be there only as long as the gateway's call that has brought them. */
  static takeAtOnce(input: RequestInput): Buffer {
    if (!input.#isEnded || input.#error !== undefined) return input.readSync();
    input.#isTaken = true;
    return input.#queue.takeAtOnce();
  }

  /** Takes what has come and is not read; undefined for nothing. */
  static takeRest(input: RequestInput): Buffer | undefined {
    return input.#queue.length === 0 ? undefined : input.#queue.take(input.#queue.length);
  }

  /** Some of its bytes were given to a reader. */
  static isTaken(input: RequestInput): boolean {
    return input.#isTaken;
  }

  /** Somebody waits for bytes that have not come. */
  static isAwaited(input: RequestInput): boolean {
    return input.#reader !== undefined || input.#sink?.wantsMore === true;
  }

  load(limitBytes = Number.POSITIVE_INFINITY): PromiseLike<void> | undefined {
    checkLimit(limitBytes);
    this.#claim();
    this.#limitBytes = Math.min(this.#limitBytes, limitBytes);
    this.#demandBytes = Number.POSITIVE_INFINITY;
    if (Math.max(this.#receivedBytes, this.#statedBytes) > this.#limitBytes) throw tooLarge(this.#limitBytes);
    if (this.#isEnded) return undefined;
    this.#resume();
    return this.#wait(Number.POSITIVE_INFINITY);
  }

  read(size = -1): Promise<Buffer> {
    return own(this.#read(size));
  }

  async #read(size: number): Promise<Buffer> {
    checkSize(size);
    if (size < 0) await this.load(this.#limitBytes);
    else await this.#demand(size);
    return this.#take(size);
  }

  readline(size = -1): Promise<Buffer> {
    return own(this.#readline(size));
  }

  async #readline(size: number): Promise<Buffer> {
    checkSize(size);
    this.#claim();
    const scan: LineScan = { chunk: 0, offset: 0, before: 0 };
    for (;;) {
      const lineBytes = this.#queue.findLine(scan);
      if (lineBytes > 0) return this.#take(size < 0 ? lineBytes : Math.min(size, lineBytes));
      if (this.#isEnded || (size >= 0 && this.#queue.length >= size)) return this.#take(size);
      await this.#demand(this.#queue.length + 1);
    }
  }

  readlines(hintBytes = -1): Promise<Buffer[]> {
    return own(collectLines(this, hintBytes));
  }

  /** Yields chunks as they come. */
  [Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    return ownSteps(this.#chunks());
  }

  async *#chunks(): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      await this.#demand(1);
      if (this.#queue.length === 0) return;
      // One at a time: what a reader that breaks off leaves can still be read.
      const chunk = this.#queue.takeChunk();
      this.#isTaken = true;
      if (this.#queue.length < HIGH_WATER_BYTES) this.#resume();
      yield chunk;
    }
  }

  readSync(size = -1): Buffer {
    checkSize(size);
    if (!this.#isEnded) this.#blockFor(size < 0 ? Number.POSITIVE_INFINITY : size);
    if (this.#error !== undefined) throw this.#error;
    if (!this.#isEnded && this.#flow.block === undefined) throw notLoadedError();
    return this.#take(size);
  }

  /** Holds the thread until `bytes` are there, or the end, where that is allowed. */
  #blockFor(bytes: number): void {
    const { block } = this.#flow;
    if (block === undefined) return;
    this.#claim();
    this.#demandBytes = Math.max(bytes, HIGH_WATER_BYTES);
    while (this.#error === undefined && !this.#isEnded && this.#queue.length < bytes) {
      this.#resume();
      block();
    }
    this.#demandBytes = HIGH_WATER_BYTES;
  }

  #take(size: number): Buffer {
    const taken = this.#queue.take(size < 0 ? this.#queue.length : size);
    if (taken.length > 0) this.#isTaken = true;
    if (this.#queue.length < HIGH_WATER_BYTES) this.#resume();
    return taken;
  }

  /** Waits until `bytes` are there, or the end. */
  async #demand(bytes: number): Promise<void> {
    this.#claim();
    if (this.#error !== undefined) throw this.#error;
    if (this.#queue.length >= bytes || this.#isEnded) return;
    this.#demandBytes = Math.max(bytes, HIGH_WATER_BYTES);
    this.#resume();
    await this.#wait(bytes);
    this.#demandBytes = HIGH_WATER_BYTES;
  }

  /** @throws {VelaError} `ERR_INPUT_BUSY` while another read waits */
  #claim(): void {
    if (this.#reader === undefined && this.#sink === undefined) return;
    throw new VelaError('ERR_INPUT_BUSY', 'wsgi.input is being read already: await one read before the next');
  }

  #wait(bytes: number): Eventual<void> {
    const reader = new Eventual<void>();
    if (this.#error !== undefined) {
      reader.reject(this.#error);
    } else {
      this.#reader = reader;
      this.#awaitedBytes = bytes;
    }
    return reader;
  }

  #pour(sink: BodySink): void {
    // A sink may ask for more while it takes: that comes after it.
    if (this.#isPouring) return;
    this.#isPouring = true;
    while (sink.wantsMore && this.#queue.length > 0) {
      this.#isTaken = true;
      sink.take(this.#queue.takeChunk());
    }
    this.#isPouring = false;
    if (this.#queue.length < HIGH_WATER_BYTES) this.#resume();
    if (this.#isEnded && this.#queue.length === 0 && this.#sink === sink) {
      this.#sink = undefined;
      sink.ended();
    }
  }

  #wake(): void {
    if (this.#sink !== undefined) this.#pour(this.#sink);
    const reader = this.#reader;
    if (reader === undefined || !(this.#isEnded || this.#queue.length >= this.#awaitedBytes)) return;
    this.#reader = undefined;
    reader.resolve();
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#flow.resume();
  }
}
