import { BodyPump, type BodySink } from './body-pump.js';
import { byteLength, joinChunks, LARGE_BYTES } from './chunks.js';
import type { Body, Chunk } from './contract.js';
import { chunkError, lengthError, notStartedError } from './contract-errors.js';
import { createGate, type Gate } from './gate.js';
import type { BodyStream } from './transport.js';

/** Chunks are gathered up to this size while the body need not be waited for, and leave as one write. */
const GATHER_BYTES = 65_536;

/** The response that a delivery belongs to. */
export interface DeliveryOwner {
  readonly isStarted: boolean;
  readonly isDone: boolean;
  /** HEAD, 204, 205 and 304: the body is not sent. */
  readonly isBodyless: boolean;
  readonly statedLength: number;
  /** Sends the whole response. */
  sendWhole(body: Chunk): void;
  /** Sends the response without its body. @param bodyBytes - how much that would be; -1 when it is not known */
  sendBodyless(bodyBytes: number): void;
  openStream(): BodyStream;
  cork(writes: () => void): void;
  progressed(): void;
  /** The last write comes next. */
  ending(): void;
  /** All has been sent. */
  ended(): void;
  reject(error: unknown): void;
  report(error: unknown): void;
}

/** The way of a body that is not sent in one go: from `write()` and the body's iterator to the socket, under back-pressure. */
export class Delivery implements BodySink {
  #owner: DeliveryOwner;
  #pump: BodyPump | undefined;
  #stream: BodyStream | undefined;
  #held: Chunk[] = [];
  #heldSize = 0;
  #sentBytes = 0;
  #isBlocked = false;
  #isFinished = false;
  /** Something was written of a body that is not sent. */
  #isUncounted = false;
  #drain: Gate | undefined;

  constructor(owner: DeliveryOwner) {
    this.#owner = owner;
  }

  /** Sends a body in any form. @throws {VelaError} `ERR_CONTRACT_BODY` */
  pump(body: Body): void {
    this.#pump = new BodyPump(body, this);
    this.#pump.run();
  }

  /** The `write` that `startResponse` returned. */
  write(chunk: Chunk): void | Promise<void> {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) throw chunkError(chunk);
    if (chunk.length === 0) return undefined;
    if (this.#owner.isDone || this.#isFinished) return nextTurn();
    if (this.#owner.isBodyless) {
      this.#isUncounted = true;
      return nextTurn();
    }
    // The writer may use its memory again; a large chunk has left before that.
    this.#hold(typeof chunk !== 'string' && chunk.length < LARGE_BYTES ? Buffer.from(chunk) : chunk);
    this.flush();
    if (!this.#isBlocked) return undefined;
    this.#drain ??= createGate();
    return this.#drain.promise;
  }

  /** Sends the head before the first chunk, where the server can; the body is a stream from now on. */
  sendHead(): void {
    const owner = this.#owner;
    if (this.#stream !== undefined || this.#isFinished || owner.isDone) return;
    if (owner.isBodyless) {
      this.#sendBodyless();
      return;
    }
    // It leaves as a whole.
    if (owner.statedLength === 0) return;
    owner.cork(() => {
      this.#stream ??= owner.openStream();
      this.#stream.flushHead?.();
    });
    owner.progressed();
  }

  get sentBytes(): number {
    return this.#sentBytes;
  }

  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  take(chunk: Chunk): void {
    const owner = this.#owner;
    if (owner.isDone || this.#isFinished || chunk.length === 0) return;
    if (!owner.isStarted) throw notStartedError('before the body yielded its first chunk');
    this.#hold(chunk);
    if (this.#heldSize >= GATHER_BYTES) this.flush();
  }

  flush(): void {
    const owner = this.#owner;
    if (this.#held.length === 0 || this.#isFinished || owner.isDone) return;
    if (owner.isBodyless) {
      this.#sendBodyless();
      return;
    }
    const chunk = joinChunks(this.#held);
    this.forget();
    this.#count(byteLength(chunk));
    const isWhole = this.#sentBytes === owner.statedLength;
    if (isWhole) owner.ending();
    owner.cork(() => {
      this.#stream ??= owner.openStream();
      if (!this.#stream.write(chunk)) this.#isBlocked = true;
    });
    owner.progressed();
    if (isWhole) this.#end();
  }

  /** The head is all that there is to be sent. */
  #sendBodyless(): void {
    this.#pump?.close();
    this.#owner.sendBodyless(-1);
  }

  /** Sends a body that is there, as fast as the socket takes it. */
  sendLarge(body: Chunk): void {
    this.take(body);
    this.flush();
  }

  finish(): void {
    if (this.#owner.isDone || this.#isFinished) return;
    try {
      this.#complete();
    } catch (error) {
      this.#owner.reject(error);
    }
  }

  /** The body is all there: what is held is the whole response, or its last part. */
  #complete(): void {
    const owner = this.#owner;
    if (!owner.isStarted) throw notStartedError('before the body ended');
    if (this.#stream === undefined) {
      const body = joinChunks(this.#held.length === 0 ? [''] : this.#held);
      this.forget();
      if (owner.isBodyless) owner.sendBodyless(this.#isUncounted ? -1 : byteLength(body));
      else owner.sendWhole(body);
      return;
    }
    this.flush();
    if (this.#isFinished) return;
    if (owner.statedLength !== -1) throw lengthError(owner.statedLength, this.#sentBytes);
    owner.ending();
    this.#end();
  }

  /** Nothing more is written; the owner is told when all is sent. */
  #end(): void {
    this.#isFinished = true;
    this.#pump?.close();
    if (this.#stream?.end() === true) this.#owner.ended();
  }

  /** The stream takes chunks again, or has sent the last one. */
  drained(): void {
    this.#isBlocked = false;
    this.#releaseWriters();
    if (this.#isFinished) this.#owner.ended();
    else this.#pump?.run();
  }

  /** What is held will not be sent: another response takes the place of this one. */
  drop(): void {
    this.forget();
    this.#pump?.close();
    this.#pump = undefined;
  }

  /** Nothing more will be sent. */
  close(): void {
    this.forget();
    this.#pump?.close();
    this.#releaseWriters();
  }

  fail(error: unknown): void {
    this.#owner.reject(error);
  }

  report(error: unknown): void {
    this.#owner.report(error);
  }

  #hold(chunk: Chunk): void {
    this.#held.push(chunk);
    this.#heldSize += chunk.length;
  }

  /** What is held is thrown away. */
  forget(): void {
    this.#held = [];
    this.#heldSize = 0;
  }

  #releaseWriters(): void {
    this.#drain?.resolve();
    this.#drain = undefined;
  }

  #count(bytes: number): void {
    const { statedLength } = this.#owner;
    const sentBytes = this.#sentBytes + bytes;
    if (statedLength !== -1 && sentBytes > statedLength) throw lengthError(statedLength, sentBytes);
    this.#sentBytes = sentBytes;
  }
}

/** Without it, a writer that waits for nothing else would never let the loop go on. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
