import { BodyPump, type BodySink, chunkError } from './body-pump.js';
import { byteLength, joinChunks } from './chunks.js';
import type { Body, Chunk } from './contract.js';
import { VelaError } from './errors.js';
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
  /** Sends the whole response; undefined without a body. */
  sendWhole(body: Chunk | undefined): void;
  openStream(length: number): BodyStream;
  cork(writes: () => void): void;
  progressed(): void;
  /** The last write comes next. */
  ending(): void;
  /** All has been sent. */
  ended(): void;
  fail(error: unknown): void;
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
  #drain: { promise: Promise<void>; resolve: () => void } | undefined;

  constructor(owner: DeliveryOwner) {
    this.#owner = owner;
  }

  /** Sends a body in any form. @throws {VelaError} `ERR_CONTRACT_BODY` */
  pump(body: Body): void {
    this.#pump = new BodyPump(body, this);
    if (!this.#isBlocked) this.#pump.run();
  }

  /** The `write` that `startResponse` returned. */
  write(chunk: Chunk): void | Promise<void> {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) throw chunkError(chunk);
    if (this.#owner.isDone || this.#owner.isBodyless || chunk.length === 0) return undefined;
    this.#hold(chunk);
    if (this.flush()) return undefined;
    this.#drain ??= createDrain();
    return this.#drain.promise;
  }

  take(chunk: Chunk): boolean {
    const owner = this.#owner;
    if (owner.isDone) return false;
    if (chunk.length === 0) return true;
    if (!owner.isStarted) throw notStarted('before the body yielded its first chunk');
    if (owner.isBodyless) {
      this.finish();
      return false;
    }
    this.#hold(chunk);
    return this.#heldSize < GATHER_BYTES || this.flush();
  }

  flush(): boolean {
    if (this.#held.length > 0) {
      const chunk = joinChunks(this.#held);
      this.#forget();
      this.#count(byteLength(chunk));
      this.#owner.cork(() => {
        this.#stream ??= this.#owner.openStream(this.#owner.statedLength);
        if (!this.#stream.write(chunk)) this.#isBlocked = true;
      });
      this.#owner.progressed();
    }
    return !this.#isBlocked;
  }

  finish(): void {
    const owner = this.#owner;
    if (owner.isDone) return;
    if (!owner.isStarted) {
      owner.fail(notStarted('before the body ended'));
      return;
    }
    if (this.#stream === undefined) {
      const body = owner.isBodyless ? undefined : joinChunks(this.#held.length === 0 ? [''] : this.#held);
      this.#forget();
      owner.sendWhole(body);
      return;
    }
    this.flush();
    if (owner.statedLength !== -1 && this.#sentBytes !== owner.statedLength) {
      owner.fail(lengthError(owner.statedLength, this.#sentBytes));
      return;
    }
    this.#end();
  }

  /** Ends the stream; its owner is told when all is sent. */
  #end(): void {
    this.#isFinished = true;
    let isSent = false;
    this.#owner.ending();
    this.#owner.cork(() => {
      isSent = this.#stream?.end() ?? true;
    });
    if (isSent) this.#owner.ended();
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
    this.#forget();
    this.#pump?.close();
    this.#pump = undefined;
  }

  /** Nothing more will be sent. */
  close(): void {
    this.#forget();
    this.#pump?.close();
    this.#releaseWriters();
  }

  fail(error: unknown): void {
    this.#owner.fail(error);
  }

  report(error: unknown): void {
    this.#owner.report(error);
  }

  #hold(chunk: Chunk): void {
    this.#held.push(chunk);
    this.#heldSize += chunk.length;
  }

  #forget(): void {
    this.#held = [];
    this.#heldSize = 0;
  }

  #releaseWriters(): void {
    this.#drain?.resolve();
    this.#drain = undefined;
  }

  #count(bytes: number): void {
    const { statedLength } = this.#owner;
    this.#sentBytes += bytes;
    if (statedLength !== -1 && this.#sentBytes > statedLength) throw lengthError(statedLength, this.#sentBytes);
  }
}

/** The error for a Content-Length that the body contradicts. */
export function lengthError(statedBytes: number, sentBytes: number): VelaError {
  return new VelaError(
    'ERR_CONTRACT_LENGTH',
    `The application stated a Content-Length of ${statedBytes} bytes, and its body has ${sentBytes > statedBytes ? 'at least ' : ''}${sentBytes}`,
  );
}

/** The error for a response without `startResponse`. */
export function notStarted(when: string): VelaError {
  return new VelaError(
    'ERR_CONTRACT_NOT_STARTED',
    `startResponse(status, headers) was not called ${when}: call it first, or return a WsgiResponse`,
  );
}

function createDrain(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
