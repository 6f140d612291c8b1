import { LARGE_BYTES } from '../core/chunks.js';
import type { Body, Chunk, Environ, HeaderPair, StartResponse, Write } from '../core/contract.js';
import { Eventual } from '../core/eventual.js';
import { ResponseHooks } from '../core/response-hooks.js';
import { HeldWrites } from './held-writes.js';
import { callAll, isClosingHeard, isFinishHeard } from './node-events.js';
import { fits, type NodeHead, readHead } from './node-head.js';
import { emitDrain, type NodeRequest, type NodeResponse } from './node-internals.js';
import { warnOfRawWrite } from './raw-write-warning.js';
import type { Done, RequestSocket, SocketWriter } from './request-socket.js';

/** What a program writes as a response of node:http, as the body of one of the contract: whole where it can be. */
export class ResponseWriter implements SocketWriter {
  readonly #environ: Environ;
  readonly #startResponse: StartResponse;
  readonly #request: NodeRequest;
  readonly #response: NodeResponse;
  readonly #socket: RequestSocket;
  readonly #held = new HeldWrites();
  #head: NodeHead | undefined = undefined;
  /** There once the response goes out in pieces. */
  #write: Write | undefined = undefined;
  #isBlocked = false;
  /** What was written while the listener was called is to go. */
  #isFlushDue = false;
  /** The whole response leaves within this turn. */
  #isFinishing = false;
  /** Of the response, where the listener has not ended it at once. */
  #body: Eventual<Body> | undefined = undefined;
  /** The listener has returned. */
  isCalled = false;
  /** Nothing more is to be written. */
  isOver = false;
  /** Another response, or none, takes the place of the program's. */
  isFailed = false;

  constructor(
    environ: Environ,
    startResponse: StartResponse,
    request: NodeRequest,
    response: NodeResponse,
    socket: RequestSocket,
  ) {
    this.#environ = environ;
    this.#startResponse = startResponse;
    this.#request = request;
    this.#response = response;
    this.#socket = socket;
  }

  begin(statusLine: string, given: unknown): void {
    const response = this.#response;
    this.#head = readHead(response, statusLine, given);
    response._header = statusLine;
    response._headerSent = !this.#socket.destroyed;
    response.chunkedEncoding = false;
    if (!response.shouldKeepAlive) this.#head.closes = true;
    if (this.#head.closes) response._last = true;
    if (isClosingHeard(this.#request, response) || (!this.isCalled && isFinishHeard(response)))
      this.#keepPeer();
  }

  /** Who hears of an end may ask for the peer then, and once the response has left it cannot be had any more: it costs 3 µs. */
  #keepPeer(): void {
    void this.#socket.remoteAddress;
  }

  take(chunk: Chunk, encoding: BufferEncoding | undefined, done: Done | undefined): boolean {
    // Before a head there is only 1xx, which is the gateway's.
    if (this.#head === undefined) warnOfRawWrite(chunk);
    if (this.isOver || this.#head === undefined) {
      if (done !== undefined) process.nextTick(done);
      return true;
    }
    if (chunk.length > 0) {
      this.#socket.bytesWritten += this.#held.push(chunk, encoding);
    } else if (done === undefined) process.nextTick(() => this.flush()); // From `flushHeaders`.
    if (done !== undefined) this.#held.whenGone(done);
    return this.#isFree;
  }

  get #isFree(): boolean {
    return !this.#isBlocked && this.#held.bytes < this.#socket.writableHighWaterMark;
  }

  /** The last of a response is on its way once `end` was called, unless it has to wait. */
  get waitingBytes(): number {
    return this.#response.writableEnded && !this.#isBlocked ? 0 : this.#held.bytes;
  }

  /** The response goes out in pieces. */
  get isPartial(): boolean {
    return this.#write !== undefined;
  }

  /** Has the connection end with the response. @returns false where it is too late, or too early, for that */
  closeWithResponse(): boolean {
    if (this.#isFinishing) {
      ResponseHooks.closeAfter(this.#environ['vela.response']);
      return true;
    }
    if (this.#head === undefined || this.isCalled || !this.#response.writableEnded) return false;
    // The response is complete, and leaves when the listener returns.
    this.#head.closes = true;
    return true;
  }

  /** What waits will not go. @returns false where nobody waited for it */
  drop(): boolean {
    return this.#held.fail();
  }

  /** All that was written has gone. */
  gone(): void {
    this.#held.gone();
  }

  /** The response, complete before the listener has returned. @returns its body, and whether its memory is in use until it has left */
  takeWhole(): [body: Body, isLarge: boolean] {
    const isLarge = this.#held.bytes > LARGE_BYTES;
    return [this.#wholeBody(), isLarge];
  }

  /** The listener has returned before the response is complete. */
  wait(): Eventual<Body> {
    this.#body = new Eventual<Body>();
    return this.#body;
  }

  /** Sends what was to go before that. */
  flushDue(): void {
    if (this.#isFlushDue) this.flush();
  }

  /** The body of a response of which nothing has been sent. */
  #wholeBody(): Body {
    const { _hasBody } = this.#response;
    const head = this.#head as NodeHead;
    const body = this.#held.take();
    const write = this.#start(_hasBody && fits(head.length, body[0]) ? undefined : head.length);
    // Of a HEAD whose length nobody has said: the contract would report that of no bytes.
    if (!_hasBody && head.length === undefined) void write(' ');
    if (head.isChunked && _hasBody) ResponseHooks.sendHead(this.#environ['vela.response']);
    return body;
  }

  #start(length: string | undefined): Write {
    const { status, headers, closes } = this.#head as NodeHead;
    const pairs: HeaderPair[] = length === undefined ? headers : [...headers, ['Content-Length', length]];
    if (closes) ResponseHooks.closeAfter(this.#environ['vela.response']);
    return this.#startResponse(status, pairs);
  }

  uncork(): void {
    if (this.#held.hasSome) this.flush();
  }

  flush(): void {
    // A response that is ended within the call goes as a whole.
    if (!this.isCalled) this.#isFlushDue = true;
    const isHeld = !this.isCalled || this.#isBlocked || this.#response.writableEnded;
    if (isHeld || this.isOver || this.#head === undefined) return;
    const [chunk] = this.#held.take();
    const done = this.#held.takeDone();
    try {
      if (this.#write === undefined) {
        if (isFinishHeard(this.#response)) this.#keepPeer();
        this.#write = this.#start(this.#head.length);
      }
      if (chunk === undefined) ResponseHooks.sendHead(this.#environ['vela.response']);
      const drained = chunk === undefined ? undefined : this.#write(chunk);
      if (drained === undefined) this.#flushed(done);
      else this.#block(drained, done);
    } catch (error) {
      this.fail(error);
    }
  }

  /** An error response takes the place of what was begun, or the connection ends. @returns false where it is too late for that */
  fail(error: unknown): boolean {
    if (this.#body === undefined) return false;
    this.isFailed = true;
    this.#body.reject(error);
    return true;
  }

  #block(drained: Promise<void>, done: readonly Done[]): void {
    this.#isBlocked = true;
    void drained.then(() => {
      this.#isBlocked = false;
      this.#socket.moved();
      this.#flushed(done);
      if (this.#response.writableEnded) this.complete();
      else if (this.#held.bytes > 0) this.flush();
    });
  }

  #flushed(done: readonly Done[]): void {
    callAll(done);
    if (this.#isFree) emitDrain(this.#response);
  }

  complete(): void {
    const body = this.#body;
    if (this.isOver || this.#isBlocked || body === undefined) return;
    try {
      if (this.#write !== undefined) body.resolve(this.#held.take());
      else if (!isFinishHeard(this.#response)) body.resolve(this.#wholeBody());
      else if (this.#held.bytes > LARGE_BYTES) {
        this.#keepPeer();
        body.resolve(this.#wholeBody());
      } else this.#finishFirst(body, this.#wholeBody());
    } catch (error) {
      this.fail(error);
    }
  }

  /** Tells of 'finish' just before the response leaves, as its listeners can still ask for the peer then. */
  #finishFirst(body: Eventual<Body>, whole: Body): void {
    this.#isFinishing = true;
    const done = this.#held.takeDone();
    process.nextTick(() => {
      try {
        callAll(done);
      } finally {
        this.#isFinishing = false;
        body.resolve(whole);
      }
    });
  }
}
