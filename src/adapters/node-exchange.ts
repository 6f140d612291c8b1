import { IncomingMessage, ServerResponse } from 'node:http';
import { LARGE_BYTES } from '../core/chunks.js';
import type {
  Body,
  Chunk,
  ConnectionInfo,
  Environ,
  HeaderPair,
  RequestEnd,
  StartResponse,
  Write,
} from '../core/contract.js';
import { isThenable, toError } from '../core/errors.js';
import { Eventual } from '../core/eventual.js';
import type { HttpError } from '../core/http-error.js';
import { ResponseHooks } from '../core/response-hooks.js';
import { HeldWrites } from './held-writes.js';
import {
  beginResponse,
  callAll,
  completeResponse,
  emitClose,
  emitTimeout,
  endedError,
  finishResponse,
  isWatched,
  resetError,
} from './node-events.js';
import { fits, type NodeHead, readHead } from './node-head.js';
import { emitDrain, type NodeRequest, type NodeResponse } from './node-internals.js';
import { fillRequest, findConnection } from './node-request.js';
import { warnOfRawWrite } from './raw-write-warning.js';
import { RequestFeed } from './request-feed.js';
import { type Done, type LocalSide, RequestSocket, type SocketOwner } from './request-socket.js';

/** A handler of node:http. */
export type NodeListener = (request: IncomingMessage, response: ServerResponse) => unknown;

/** A request of the contract as node:http's objects, which are its own: a listener finds no difference. */
export class NodeExchange implements SocketOwner {
  readonly local: LocalSide;
  readonly #environ: Environ;
  readonly #startResponse: StartResponse;
  readonly #socket: RequestSocket;
  readonly #request: NodeRequest;
  readonly #response: NodeResponse;
  #head: NodeHead | undefined = undefined;
  readonly #held = new HeldWrites();
  /** There once the response goes out in pieces. */
  #write: Write | undefined = undefined;
  #isBlocked = false;
  #isOver = false;
  /** Another response, or none, takes the place of the program's. */
  #isFailed = false;
  /** The listener has returned, and what it has begun goes on. */
  #isCalled = false;
  /** What was written while it was called is to go. */
  #isFlushDue = false;
  /** Of the response, where the listener has not ended it at once. */
  #body: Eventual<Body> | undefined = undefined;
  readonly #feed: RequestFeed;

  constructor(environ: Environ, startResponse: StartResponse, local: LocalSide) {
    this.local = local;
    this.#environ = environ;
    this.#startResponse = startResponse;
    const socket = new RequestSocket(this);
    this.#socket = socket;
    const request = new IncomingMessage(socket as never) as NodeRequest;
    fillRequest(request, environ);
    this.#request = request;
    const response = new ServerResponse(request) as unknown as NodeResponse;
    this.#response = response;
    this.#feed = new RequestFeed(environ, request, response, socket);
    // As an own property it stays when a framework puts another prototype on the response.
    response._storeHeader = beginResponse;
    response.on('finish', finishResponse);
    response.assignSocket(socket as never);
  }

  /** Undefined where nobody has asked before the response was sent. */
  get connection(): ConnectionInfo | undefined {
    return findConnection(this.#environ);
  }

  /** Calls the listener. @returns the response's body, or a promise of it */
  run(listener: NodeListener): Body | PromiseLike<Body> {
    const response = this.#response;
    try {
      const returned = listener(this.#request, response as unknown as ServerResponse);
      if (isThenable(returned)) this.#own(returned);
      if (response.writableEnded && !this.#isOver) return this.#whole();
    } catch (error) {
      // What the program has begun, and left behind, is told that nobody is there any more.
      this.#isFailed = true;
      this.#goOn();
      throw error;
    }
    this.#goOn();
    response.on('prefinish', completeResponse);
    const body = new Eventual<Body>();
    this.#body = body;
    this.#feed.prefetch();
    if (this.#isFlushDue) this.flush();
    return body;
  }

  /** The response is not all there, or does not leave at once. */
  #goOn(): void {
    this.#isCalled = true;
    this.#environ['vela.response'].onEnd((end) => this.#ended(end));
  }

  demand(): void {
    this.#feed.demand();
  }

  take(chunk: Chunk, encoding: BufferEncoding | undefined, done: Done | undefined): boolean {
    // Before a head there is only 1xx, which is the gateway's.
    if (this.#head === undefined) warnOfRawWrite(chunk);
    if (this.#isOver || this.#head === undefined) {
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

  cut(error: Error | undefined): void {
    if (this.#endWithResponse()) return;
    // To a connection that has ended node:http does not write, and never says that it has finished.
    this.#response._headerSent = false;
    if (this.#held.fail()) this.#socket._hadError = true;
    if (this.#isOver) return;
    this.#isOver = true;
    ResponseHooks.cut(this.#environ['vela.response'], error ?? endedError());
  }

  /** False where it is too late, or too early, for that. */
  #endWithResponse(): boolean {
    if (this.#head === undefined || this.#isCalled || !this.#response.writableEnded) return false;
    // The response is complete, and leaves when the listener returns.
    this.#head.closes = true;
    return true;
  }

  refuse(error: HttpError): void {
    this.#isOver = true;
    this.#environ['vela.response'].fail(error);
  }

  timedOut(): void {
    emitTimeout(this.#request, this.#response, this.#socket);
  }

  endConnection(): void {
    if (!this.#isOver && !this.#endWithResponse() && !this.#response.writableEnded) this.#socket.destroy();
  }

  begin(statusLine: string, given: unknown): void {
    const response = this.#response;
    this.#head = readHead(response, statusLine, given);
    response._header = statusLine;
    response._headerSent = !this.#socket.destroyed;
    response.chunkedEncoding = false;
    if (!response.shouldKeepAlive) this.#head.closes = true;
    if (this.#head.closes) response._last = true;
    // Who hears of the end may ask for the peer then, and it cannot be asked for any more.
    if (isWatched(this.#request, response)) void this.#socket.remoteAddress;
  }

  /** The response is complete before the listener has returned. */
  #whole(): Body {
    // The memory of a large one is in use until it has left.
    const isLarge = this.#held.bytes > LARGE_BYTES;
    const body = this.#wholeBody();
    if (isLarge) this.#goOn();
    else this.#held.gone();
    return body;
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

  flush(): void {
    // A response that is ended within the call goes as a whole.
    if (!this.#isCalled) this.#isFlushDue = true;
    const isHeld = !this.#isCalled || this.#isBlocked || this.#response.writableEnded;
    if (isHeld || this.#isOver || this.#head === undefined) return;
    const [chunk] = this.#held.take();
    const done = this.#held.takeDone();
    try {
      this.#write ??= this.#start(this.#head.length);
      if (chunk === undefined) ResponseHooks.sendHead(this.#environ['vela.response']);
      const drained = chunk === undefined ? undefined : this.#write(chunk);
      if (drained === undefined) this.#flushed(done);
      else this.#block(drained, done);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** An error response takes the place of what was begun, or the connection ends: the program is told that it is gone. */
  #fail(error: unknown): void {
    this.#isFailed = true;
    this.#body?.reject(error);
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
    if (this.#isOver || this.#isBlocked || this.#body === undefined) return;
    try {
      this.#body.resolve(this.#write === undefined ? this.#wholeBody() : this.#held.take());
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The server is done with the response. */
  #ended({ outcome }: RequestEnd): void {
    this.#isOver = true;
    // All of a stated length may have gone before the program calls `end`; what it has not begun, the server has answered.
    const { writableEnded, _hasBody } = this.#response;
    const isWhole = writableEnded || (this.#write !== undefined && _hasBody);
    if (outcome === 'sent' && isWhole && !this.#isFailed) this.#held.gone();
    else if (outcome !== 'taken') this.#socket.destroy(this.#feed.isCut ? resetError() : undefined);
  }

  /** As node:http does it, before listeners of the program hear of 'finish'. */
  finished(): void {
    const request = this.#request;
    const response = this.#response;
    this.#isOver = true;
    this.#socket.rest();
    // Without listeners nobody can tell whether the body was read away.
    if (!request._consumed && isWatched(request)) request._dump();
    response.detachSocket(this.#socket as never);
    process.nextTick(emitClose, response);
  }

  closed(): void {
    this.#isOver = true;
    // It has let go of its socket if it has finished.
    if (this.#response.socket !== null) this.#request.destroy(resetError());
  }

  /** What an async listener fails with becomes the response, or a log line. */
  #own(returned: PromiseLike<unknown>): void {
    returned.then(undefined, (error: unknown) => {
      if (this.#body !== undefined && !this.#response.writableEnded) this.#fail(error);
      else
        this.#environ['vela.logger'].error({ err: toError(error) }, 'a listener failed after its response');
    });
  }
}
