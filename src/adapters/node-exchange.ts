import { IncomingMessage, ServerResponse } from 'node:http';
import { joinChunks } from '../core/chunks.js';
import type { Body, Chunk, Environ, HeaderPair, RequestEnd, StartResponse, Write } from '../core/contract.js';
import { isThenable, toError } from '../core/errors.js';
import { createGate, type Gate } from '../core/gate.js';
import { ResponseHooks } from '../core/response-hooks.js';
import { type NodeHead, readHead } from './node-head.js';
import { emitDrain, type NodeRequest, type NodeResponse } from './node-internals.js';
import { fillRequest, isBodyExpected } from './node-request.js';
import { type Done, type LocalSide, RequestSocket, type SocketOwner } from './request-socket.js';

/** A handler of node:http. */
export type NodeListener = (request: IncomingMessage, response: ServerResponse) => unknown;

const NOTHING: readonly Chunk[] = [];

/** A request of the contract as node:http's objects, which are its own: a listener finds no difference. */
export class NodeExchange implements SocketOwner {
  readonly request: NodeRequest;
  readonly response: NodeResponse;
  readonly #environ: Environ;
  readonly #startResponse: StartResponse;
  readonly #socket: RequestSocket;
  #head: NodeHead | undefined = undefined;
  #held: Chunk[] = [];
  #heldBytes = 0;
  /** Called when what is held has gone. */
  #done: Done[] = [];
  /** There once the response goes out in pieces. */
  #write: Write | undefined = undefined;
  #isBlocked = false;
  #isOver = false;
  #resolve: ((body: Body) => void) | undefined = undefined;
  #reject: ((error: unknown) => void) | undefined = undefined;
  /** The request's body is being handed on. */
  #isFed = false;
  #wanted: Gate | undefined = undefined;

  constructor(environ: Environ, startResponse: StartResponse, local: LocalSide) {
    this.#environ = environ;
    this.#startResponse = startResponse;
    const socket = new RequestSocket(this, environ['vela.connection'], local);
    this.#socket = socket;
    this.request = new IncomingMessage(socket as never) as NodeRequest;
    fillRequest(this.request, environ);
    const response = new ServerResponse(this.request) as unknown as NodeResponse;
    this.response = response;
    // As own properties they stay when a framework puts another prototype on the response.
    response._storeHeader = (statusLine, given) => this.#begin(statusLine, given);
    response.on('finish', () => this.#finished());
    socket.on('close', () => this.#closed());
    response.assignSocket(socket as never);
  }

  /** Calls the listener. @returns the response's body, or a promise of it */
  run(listener: NodeListener): Body | Promise<Body> {
    const returned = listener(this.request, this.response as unknown as ServerResponse);
    if (isThenable(returned)) this.#own(returned);
    if (this.response.writableEnded) return this.#whole();
    this.#environ['vela.response'].onEnd((end) => this.#ended(end));
    const body = new Promise<Body>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.response.on('prefinish', () => this.#complete());
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
    if (this.#isOver || this.#head === undefined) {
      if (done !== undefined) process.nextTick(done);
      return true;
    }
    if (chunk.length > 0) {
      const isText = typeof chunk === 'string' && encoding !== undefined && !isUtf8(encoding);
      const piece = isText ? Buffer.from(chunk as string, encoding) : chunk;
      this.#held.push(piece);
      this.#heldBytes += piece.length;
      this.#socket.bytesWritten += piece.length;
    }
    this.#done.push(done ?? nothing);
    // From `flushHeaders`.
    if (chunk.length === 0 && done === undefined) process.nextTick(() => this.flush());
    return !this.#isBlocked && this.#heldBytes < this.#socket.writableHighWaterMark;
  }

  get waitingBytes(): number {
    return this.#heldBytes;
  }

  cut(error: Error | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    ResponseHooks.cut(this.#environ['vela.response'], error ?? new Error('the program has ended the connection'));
  }

  timedOut(): void {
    const { request, response } = this;
    const socket = this.#socket;
    const heard = [
      !request.complete && request.emit('timeout', socket),
      response.emit('timeout', socket),
      socket.emit('timeout'),
    ];
    if (!heard.includes(true)) socket.destroy();
  }

  endConnection(): void {
    if (this.#isOver || this.response.writableEnded) return;
    this.#socket.destroy();
  }

  /** In the place of node:http's own, which would write the head as text. */
  #begin(statusLine: string, given: unknown): void {
    const { response } = this;
    this.#head = readHead(response, statusLine, given);
    response._header = statusLine;
    response._headerSent = true;
    response.chunkedEncoding = false;
    if (this.#head.closes) response._last = true;
  }

  /** The response is complete before the listener has returned. */
  #whole(): Body {
    const done = this.#done;
    this.#done = [];
    process.nextTick(() => {
      for (const one of done) one();
    });
    return this.#body();
  }

  /** The body of a response of which nothing has been sent. */
  #body(): Body {
    const { response } = this;
    const head = this.#head as NodeHead;
    const chunks = this.#takeHeld();
    const body = chunks.length > 1 ? [joinChunks(chunks as Chunk[])] : chunks;
    const isCounted = response._hasBody && fits(head.length, body[0]);
    const write = this.#start(isCounted ? undefined : head.length);
    // Of a HEAD whose length nobody has said: the contract would report that of no bytes.
    if (!response._hasBody && head.length === undefined) void write(' ');
    if (!head.isChunked || !response._hasBody) return body as Body;
    ResponseHooks.sendHead(this.#environ['vela.response']);
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
    this.#held = [];
    this.#heldBytes = 0;
    return held.length === 0 ? NOTHING : held;
  }

  flush(): void {
    if (this.#isOver || this.#isBlocked || this.#head === undefined || this.response.writableEnded) return;
    const chunks = this.#takeHeld();
    const done = this.#done;
    this.#done = [];
    try {
      this.#write ??= this.#start(this.#head.length);
      if (chunks.length === 0) ResponseHooks.sendHead(this.#environ['vela.response']);
      const drained = chunks.length > 0 ? this.#write?.(joinChunks(chunks as Chunk[])) : undefined;
      if (drained === undefined) this.#flushed(done);
      else this.#block(drained, done);
    } catch (error) {
      this.#reject?.(error);
    }
  }

  #block(drained: Promise<void>, done: readonly Done[]): void {
    this.#isBlocked = true;
    void drained.then(() => {
      this.#isBlocked = false;
      this.#socket.moved();
      this.#flushed(done);
      if (this.response.writableEnded) this.#complete();
      else if (this.#done.length > 0) this.flush();
    });
  }

  #flushed(done: readonly Done[]): void {
    for (const one of done) one();
    if (!this.#isBlocked && this.#heldBytes < this.#socket.writableHighWaterMark) emitDrain(this.response);
  }

  /** `end` was called after the listener had returned. */
  #complete(): void {
    if (this.#isOver || this.#isBlocked) return;
    const resolve = this.#resolve;
    if (resolve === undefined) return;
    try {
      if (this.#write === undefined) resolve(this.#body());
      else {
        const chunks = this.#takeHeld();
        resolve(chunks as Body);
      }
      this.#resolve = undefined;
    } catch (error) {
      this.#reject?.(error);
    }
  }

  /** The server is done with the response. */
  #ended({ outcome }: RequestEnd): void {
    this.#isOver = true;
    const done = this.#done;
    this.#done = [];
    // All of a stated length may have gone before the program calls `end`; what it has not begun, the server has answered.
    const isSent = outcome === 'sent' && (this.response.writableEnded || this.#write !== undefined);
    if (isSent) for (const one of done) one();
    else if (outcome !== 'taken') this.#socket.destroy(this.#isBodyCut() ? resetError() : undefined);
  }

  /** The client has left before its body was whole. */
  #isBodyCut(): boolean {
    return isBodyExpected(this.#environ) && !this.request.complete;
  }

  /** As node:http does it, before listeners of the program hear of 'finish'. */
  #finished(): void {
    const { request, response } = this;
    const socket = this.#socket;
    this.#isOver = true;
    socket.rest();
    // Without listeners nobody can tell whether the body was read away.
    if (!request._consumed && request.listenerCount('end') + request.listenerCount('close') > 0) request._dump();
    if (response.socket !== null) response.detachSocket(socket as never);
    process.nextTick(emitClose, response);
  }

  /** The connection is gone, or the program has ended it. */
  #closed(): void {
    this.#isOver = true;
    const { request, response } = this;
    if (!response.writableFinished && !request.destroyed)
      request.destroy(resetError());
  }

  /** What an async listener fails with becomes the response, or a log line. */
  #own(returned: PromiseLike<unknown>): void {
    returned.then(undefined, (error: unknown) => {
      if (this.#reject !== undefined && !this.response.writableEnded) this.#reject(error);
      else this.#environ['vela.logger'].error({ err: toError(error) }, 'a listener failed after its response');
    });
  }

  /** Hands the body on as it comes, and as it is read. */
  async #feed(): Promise<void> {
    const { request } = this;
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
      if (!request.destroyed) request.destroy(toError(error));
    }
  }

  #endBody(): void {
    this.request.complete = true;
    this.request.push(null);
  }
}

/** What a client says by leaving, as node:http puts it. */
function resetError(): Error {
  return Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
}

function emitClose(response: NodeResponse): void {
  if (response._closed) return;
  response.destroyed = true;
  response._closed = true;
  response.emit('close');
}

function fits(length: string | undefined, body: Chunk | undefined): boolean {
  return length === undefined || Number(length) === (body === undefined ? 0 : Buffer.byteLength(body));
}

function isUtf8(encoding: string): boolean {
  return encoding === 'utf8' || encoding === 'utf-8' || encoding === 'buffer';
}

function nothing(): void {}
