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
import { createGate, type Gate } from '../core/gate.js';
import { ResponseHooks } from '../core/response-hooks.js';
import { type NodeHead, readHead } from './node-head.js';
import { emitDrain, type NodeRequest, type NodeResponse } from './node-internals.js';
import { fillRequest, isBodyExpected } from './node-request.js';
import { type Done, type LocalSide, RequestSocket, type SocketOwner } from './request-socket.js';

/** A handler of node:http. */
export type NodeListener = (request: IncomingMessage, response: ServerResponse) => unknown;

const INTERIM = 'HTTP/1.1 1';
const NOTHING: readonly Chunk[] = [];

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
  /** The request's body is being handed on. */
  #isFed = false;
  #wanted: Gate | undefined = undefined;

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
    // As an own property it stays when a framework puts another prototype on the response.
    response._storeHeader = beginResponse;
    response.on('finish', finishResponse);
    response.assignSocket(socket as never);
  }

  get localPort(): number | undefined {
    return this.local.localPort ?? (Number(this.#environ.SERVER_PORT) || undefined);
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
    if (this.#isFlushDue) this.flush();
    return body;
  }

  demand(): void {
    this.#wanted?.resolve();
    this.#wanted = undefined;
    if (this.#isFed) return;
    this.#isFed = true;
    if (isBodyExpected(this.#environ)) void this.#feed();
    else this.#endBody();
  }

  take(chunk: Chunk, encoding: BufferEncoding | undefined, done: Done | undefined): boolean {
    // Before a head there is only 1xx, which is the gateway's.
    if (this.#head === undefined && !String(chunk).startsWith(INTERIM)) warnOfRawWrites();
    if (this.#isOver || this.#head === undefined) {
      if (done !== undefined) process.nextTick(done);
      return true;
    }
    if (chunk.length > 0) {
      const isText = typeof chunk === 'string' && encoding !== undefined && !isUtf8(encoding);
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
    const request = this.#request;
    const socket = this.#socket;
    const { server } = this.local;
    const isHeard = [
      !request.complete && request.emit('timeout', socket),
      this.#response.emit('timeout', socket),
      isEmitter(server) && server.emit('timeout', socket),
    ].includes(true);
    // As in node:http, whoever listens to the socket itself does not hold that up.
    if (!isHeard) socket.destroy();
    socket.emit('timeout');
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
    if (!this.#isCalled || this.#isOver || this.#isBlocked || this.#head === undefined || this.#response.writableEnded) return;
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
    else if (outcome !== 'taken') this.#socket.destroy(this.#isBodyCut() ? resetError() : undefined);
  }

  /** The client has left before its body was whole. */
  #isBodyCut(): boolean {
    return isBodyExpected(this.#environ) && !this.#request.complete;
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

  /** Hands the body on as it comes, and as it is read. */
  async #feed(): Promise<void> {
    const request = this.#request;
    try {
      for await (const chunk of this.#environ['wsgi.input']) {
        this.#socket.bytesRead += chunk.length;
        this.#socket.moved();
        if (request.destroyed) return;
        if (!request.push(chunk)) {
          this.#wanted ??= createGate();
          await this.#wanted.promise;
        }
      }
      this.#endBody();
    } catch (error) {
      if (!this.#response.writableEnded) request.destroy(toError(error));
      // The rest passes unread behind a response; whoever still reads is not left waiting.
      else if (this.#response.closed) request.destroy();
      else this.#response.once('close', () => request.destroy());
    }
  }

  #endBody(): void {
    this.#request.complete = true;
    this.#request.push(null);
  }
}

/** The exchange of a response, by the socket that it has until it is over. */
function exchangeOf(response: NodeResponse): SocketOwner | undefined {
  return (response.socket as unknown as RequestSocket | null)?.owner;
}

function beginResponse(this: NodeResponse, statusLine: string, given: unknown): void {
  exchangeOf(this)?.begin(statusLine, given);
}

function finishResponse(this: ServerResponse): void {
  exchangeOf(this as unknown as NodeResponse)?.finished();
}

function completeResponse(this: ServerResponse): void {
  exchangeOf(this as unknown as NodeResponse)?.complete();
}

function emitClose(response: NodeResponse): void {
  if (response._closed) return;
  response.destroyed = true;
  response._closed = true;
  response.emit('close');
}

/** Somebody hears of its end. */
function isWatched(request: NodeRequest): boolean {
  return request.listenerCount('end') + request.listenerCount('close') > 0;
}

function callAll(done: readonly Done[]): void {
  for (const one of done) one();
}

let isWarned = false;

/** Once: what a program writes past its response would be lost without a word. */
function warnOfRawWrites(): void {
  if (isWarned) return;
  isWarned = true;
  process.emitWarning(
    'request.socket.write() does nothing on uWebSockets.js, which owns the connection: use the response, or createServer({ gateway: "node" })',
    { code: 'ERR_HTTP_RAW_SOCKET' },
  );
}

/** What a client says by leaving, as node:http puts it. */
function resetError(): Error {
  return Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
}

function fits(length: string | undefined, body: Chunk | undefined): boolean {
  return length === undefined || Number(length) === (body === undefined ? 0 : Buffer.byteLength(body));
}

function isUtf8(encoding: string): boolean {
  return encoding === 'utf8' || encoding === 'utf-8' || encoding === 'buffer';
}

function isEmitter(
  server: object | undefined,
): server is { emit(event: string, ...args: unknown[]): boolean } {
  return server !== undefined && 'emit' in server;
}
