import { IncomingMessage, ServerResponse } from 'node:http';
import { joinChunks } from '../core/chunks.js';
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
import { ResponseHooks } from '../core/response-hooks.js';
import {
  beginResponse,
  callAll,
  completeResponse,
  emitClose,
  emitTimeout,
  finishResponse,
  isWatched,
  resetError,
} from './node-events.js';
import { fits, type NodeHead, readHead } from './node-head.js';
import { emitDrain, type NodeRequest, type NodeResponse } from './node-internals.js';
import { fillRequest } from './node-request.js';
import { warnOfRawWrite } from './raw-write-warning.js';
import { RequestFeed } from './request-feed.js';
import { type Done, type LocalSide, RequestSocket, type SocketOwner } from './request-socket.js';

/** A handler of node:http. */
export type NodeListener = (request: IncomingMessage, response: ServerResponse) => unknown;

const NOTHING: readonly Chunk[] = [];
/** The encodings in which a text can be left as it is; `buffer` is that of bytes. */
const UTF8: ReadonlySet<string> = new Set(['utf8', 'utf-8', 'buffer']);

/** A request of the contract as node:http's objects, which are its own: a listener finds no difference. */
export class NodeExchange implements SocketOwner {
  readonly local: LocalSide;
  readonly #environ: Environ;
  readonly #startResponse: StartResponse;
  readonly #socket: RequestSocket;
  readonly #request: NodeRequest;
  readonly #response: NodeResponse;
  #head: NodeHead | undefined = undefined;
  #held: Chunk[] = [];
  #heldBytes = 0;
  /** Called when what is held has gone. */
  #done: Done[] = [];
  /** There once the response goes out in pieces. */
  #write: Write | undefined = undefined;
  #isBlocked = false;
  #isOver = false;
  /** The listener has returned. */
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
    try {
      return this.#environ['vela.connection'];
    } catch {
      return undefined;
    }
  }

  /** Calls the listener. @returns the response's body, or a promise of it */
  run(listener: NodeListener): Body | PromiseLike<Body> {
    const response = this.#response;
    const returned = listener(this.#request, response as unknown as ServerResponse);
    if (isThenable(returned)) this.#own(returned);
    if (response.writableEnded) return this.#whole();
    this.#isCalled = true;
    this.#environ['vela.response'].onEnd((end) => this.#ended(end));
    response.on('prefinish', completeResponse);
    const body = new Eventual<Body>();
    this.#body = body;
    this.#feed.prefetch();
    if (this.#isFlushDue) this.flush();
    return body;
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
      const isText = typeof chunk === 'string' && encoding !== undefined && !UTF8.has(encoding);
      const piece = isText ? Buffer.from(chunk, encoding) : chunk;
      this.#held.push(piece);
      this.#heldBytes += piece.length;
      this.#socket.bytesWritten += piece.length;
    } else if (done === undefined) {
      // From `flushHeaders`.
      process.nextTick(() => this.flush());
    }
    if (done !== undefined) this.#done.push(done);
    return !this.#isBlocked && this.#heldBytes < this.#socket.writableHighWaterMark;
  }

  /** The last of a response is on its way once `end` was called, unless it has to wait. */
  get waitingBytes(): number {
    return this.#response.writableEnded && !this.#isBlocked ? 0 : this.#heldBytes;
  }

  cut(error: Error | undefined): void {
    if (this.#isOver) return;
    if (this.#head !== undefined && this.#body === undefined && this.#response.writableEnded) {
      // The response is complete, and leaves when the listener returns.
      this.#head.closes = true;
      return;
    }
    this.#isOver = true;
    const control = this.#environ['vela.response'];
    ResponseHooks.cut(control, error ?? new Error('the program has ended the connection'));
  }

  timedOut(): void {
    emitTimeout(this.#request, this.#response, this.#socket);
  }

  endConnection(): void {
    if (!this.#isOver && !this.#response.writableEnded) this.#socket.destroy();
  }

  begin(statusLine: string, given: unknown): void {
    const response = this.#response;
    this.#head = readHead(response, statusLine, given);
    response._header = statusLine;
    response._headerSent = true;
    response.chunkedEncoding = false;
    if (!response.shouldKeepAlive) this.#head.closes = true;
    if (this.#head.closes) response._last = true;
    // Who hears of the end may ask for the peer then, and it cannot be asked for any more.
    if (
      response.listenerCount('finish') > 1 ||
      response.listenerCount('close') > 0 ||
      isWatched(this.#request)
    )
      void this.#socket.remoteAddress;
  }

  /** The response is complete before the listener has returned. */
  #whole(): Body {
    if (this.#done.length > 0) process.nextTick(callAll, this.#takeDone());
    return this.#wholeBody();
  }

  /** The body of a response of which nothing has been sent. */
  #wholeBody(): Body {
    const response = this.#response;
    const head = this.#head as NodeHead;
    const chunks = this.#takeHeld();
    const body = chunks.length > 1 ? [joinChunks(chunks as Chunk[])] : chunks;
    const isCounted = response._hasBody && fits(head.length, body[0]);
    const write = this.#start(isCounted ? undefined : head.length);
    // Of a HEAD whose length nobody has said: the contract would report that of no bytes.
    if (!response._hasBody && head.length === undefined) void write(' ');
    if (head.isChunked && response._hasBody) ResponseHooks.sendHead(this.#environ['vela.response']);
    return body as Body;
  }

  #start(length: string | undefined): Write {
    const { status, headers, closes } = this.#head as NodeHead;
    const pairs: HeaderPair[] = length === undefined ? headers : [...headers, ['Content-Length', length]];
    if (closes) ResponseHooks.closeAfter(this.#environ['vela.response']);
    return this.#startResponse(status, pairs);
  }

  #takeHeld(): readonly Chunk[] {
    const held = this.#held;
    if (held.length === 0) return NOTHING;
    this.#held = [];
    this.#heldBytes = 0;
    return held;
  }

  #takeDone(): Done[] {
    const done = this.#done;
    this.#done = [];
    return done;
  }

  flush(): void {
    // A response that is ended within the call goes as a whole.
    if (!this.#isCalled) this.#isFlushDue = true;
    if (
      !this.#isCalled ||
      this.#isOver ||
      this.#isBlocked ||
      this.#head === undefined ||
      this.#response.writableEnded
    )
      return;
    const chunks = this.#takeHeld();
    const done = this.#takeDone();
    try {
      this.#write ??= this.#start(this.#head.length);
      if (chunks.length === 0) ResponseHooks.sendHead(this.#environ['vela.response']);
      const drained = chunks.length === 0 ? undefined : this.#write(joinChunks(chunks as Chunk[]));
      if (drained === undefined) this.#flushed(done);
      else this.#block(drained, done);
    } catch (error) {
      this.#body?.reject(error);
    }
  }

  #block(drained: Promise<void>, done: readonly Done[]): void {
    this.#isBlocked = true;
    void drained.then(() => {
      this.#isBlocked = false;
      this.#socket.moved();
      this.#flushed(done);
      if (this.#response.writableEnded) this.complete();
      else if (this.#held.length > 0) this.flush();
    });
  }

  #flushed(done: readonly Done[]): void {
    callAll(done);
    if (!this.#isBlocked && this.#heldBytes < this.#socket.writableHighWaterMark) emitDrain(this.#response);
  }

  complete(): void {
    if (this.#isOver || this.#isBlocked || this.#body === undefined) return;
    try {
      this.#body.resolve(this.#write === undefined ? this.#wholeBody() : (this.#takeHeld() as Body));
    } catch (error) {
      this.#body.reject(error);
    }
  }

  /** The server is done with the response. */
  #ended({ outcome }: RequestEnd): void {
    this.#isOver = true;
    // All of a stated length may have gone before the program calls `end`; what it has not begun, the server has answered.
    const isSent = outcome === 'sent' && (this.#response.writableEnded || this.#write !== undefined);
    if (isSent) process.nextTick(callAll, this.#takeDone());
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
    const request = this.#request;
    if (!this.#response.writableFinished && !request.destroyed) request.destroy(resetError());
  }

  /** What an async listener fails with becomes the response, or a log line. */
  #own(returned: PromiseLike<unknown>): void {
    returned.then(undefined, (error: unknown) => {
      if (this.#body !== undefined && !this.#response.writableEnded) this.#body.reject(error);
      else
        this.#environ['vela.logger'].error({ err: toError(error) }, 'a listener failed after its response');
    });
  }
}
