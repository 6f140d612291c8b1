import { IncomingMessage, ServerResponse } from 'node:http';
import type { Body, ConnectionInfo, Environ, RequestEnd, StartResponse } from '../core/contract.js';
import { isThenable, toError } from '../core/errors.js';
import type { HttpError } from '../core/http-error.js';
import { ResponseHooks } from '../core/response-hooks.js';
import {
  beginResponse,
  completeResponse,
  emitClose,
  emitTimeout,
  endedError,
  finishResponse,
  isReadHeard,
  resetError,
} from './node-events.js';
import type { NodeRequest, NodeResponse } from './node-internals.js';
import { fillRequest, findConnection } from './node-request.js';
import { RequestFeed } from './request-feed.js';
import { type LocalSide, RequestSocket, type SocketOwner } from './request-socket.js';
import { ResponseWriter } from './response-writer.js';

/** A handler of node:http. */
export type NodeListener = (request: IncomingMessage, response: ServerResponse) => unknown;

/** A request of the contract as node:http's objects, which are its own: a listener finds no difference. */
export class NodeExchange implements SocketOwner {
  readonly local: LocalSide;
  readonly writer: ResponseWriter;
  readonly #environ: Environ;
  readonly #socket: RequestSocket;
  readonly #request: NodeRequest;
  readonly #response: NodeResponse;
  readonly #feed: RequestFeed;

  constructor(environ: Environ, startResponse: StartResponse, local: LocalSide) {
    this.local = local;
    this.#environ = environ;
    const socket = new RequestSocket(this);
    this.#socket = socket;
    const request = new IncomingMessage(socket as never) as NodeRequest;
    fillRequest(request, environ);
    this.#request = request;
    const response = new ServerResponse(request) as unknown as NodeResponse;
    this.#response = response;
    this.#feed = new RequestFeed(environ, request, response, socket);
    this.writer = new ResponseWriter(environ, startResponse, request, response, socket);
    // As an own property it stays when a framework puts another prototype on the response.
    response._storeHeader = beginResponse;
    response.on('finish', finishResponse);
    // As `assignSocket`, but for a listener: the socket itself tells its response that it has closed.
    socket._httpMessage = response as unknown as ServerResponse;
    response.socket = socket;
  }

  /** Undefined where nobody has asked before the response was sent. */
  get connection(): ConnectionInfo | undefined {
    return findConnection(this.#environ);
  }

  /** Calls the listener. @returns the response's body, or a promise of it */
  run(listener: NodeListener): Body | PromiseLike<Body> {
    const response = this.#response;
    const { writer } = this;
    try {
      const returned = listener(this.#request, response as unknown as ServerResponse);
      if (isThenable(returned)) this.#own(returned);
      if (response.writableEnded && !writer.isOver) return this.#whole();
    } catch (error) {
      // What the program has begun, and left behind, is told that nobody is there any more.
      writer.isFailed = true;
      this.#goOn();
      throw error;
    }
    this.#goOn();
    response.on('prefinish', completeResponse);
    const body = writer.wait();
    this.#feed.prefetch();
    writer.flushDue();
    return body;
  }

  #whole(): Body {
    const [body, isLarge] = this.writer.takeWhole();
    if (isLarge) this.#goOn();
    else this.writer.gone();
    return body;
  }

  /** The response is not all there, or does not leave at once. */
  #goOn(): void {
    this.writer.isCalled = true;
    this.#environ['vela.response'].onEnd((end) => this.#ended(end));
  }

  demand(): void {
    this.#feed.demand();
  }

  cut(error: Error | undefined): void {
    const { writer } = this;
    if (writer.closeWithResponse()) return;
    // To a connection that has ended node:http does not write, and never says that it has finished.
    this.#response._headerSent = false;
    if (writer.drop()) this.#socket._hadError = true;
    if (writer.isOver) return;
    writer.isOver = true;
    ResponseHooks.cut(this.#environ['vela.response'], error ?? endedError());
  }

  refuse(error: HttpError): void {
    this.writer.isOver = true;
    this.#environ['vela.response'].fail(error);
  }

  timedOut(): void {
    emitTimeout(this.#request, this.#response, this.#socket);
  }

  endConnection(): void {
    const { writer } = this;
    if (!writer.isOver && !writer.closeWithResponse() && !this.#response.writableEnded)
      this.#socket.destroy();
  }

  /** The server is done with the response. */
  #ended({ outcome }: RequestEnd): void {
    const { writer } = this;
    writer.isOver = true;
    // All of a stated length may have gone before the program calls `end`; what it has not begun, the server has answered.
    const { writableEnded, _hasBody } = this.#response;
    const isWhole = writableEnded || (writer.isPartial && _hasBody);
    if (outcome === 'sent' && isWhole && !writer.isFailed) writer.gone();
    else if (outcome !== 'taken') this.#socket.destroy(this.#feed.isCut ? resetError() : undefined);
  }

  /** As node:http does it, before listeners of the program hear of 'finish'. */
  finished(): void {
    const request = this.#request;
    const response = this.#response;
    this.writer.isOver = true;
    this.#socket.rest();
    // Without listeners nobody can tell whether the body was read away.
    if (!request._consumed && isReadHeard(request)) request._dump();
    response.detachSocket(this.#socket as never);
    process.nextTick(emitClose, response);
  }

  closed(): void {
    this.writer.isOver = true;
    const response = this.#response;
    // It has let go of its socket if it has finished.
    if (response.socket === null) return;
    this.#request.destroy(resetError());
    emitClose(response);
  }

  /** What an async listener fails with becomes the response, or a log line. */
  #own(returned: PromiseLike<unknown>): void {
    returned.then(undefined, (error: unknown) => {
      if (this.#response.writableEnded || !this.writer.fail(error))
        this.#environ['vela.logger'].error({ err: toError(error) }, 'a listener failed after its response');
    });
  }
}
