import type { BodySink } from '../core/body-sink.js';
import type { Environ, WsgiInput } from '../core/contract.js';
import { toError } from '../core/errors.js';
import { createGate, type Gate } from '../core/gate.js';
import { HttpError } from '../core/http-error.js';
import { RequestInput } from '../core/input.js';
import type { NodeRequest, NodeResponse } from './node-internals.js';
import { isBodyExpected } from './node-request.js';
import type { RequestSocket } from './request-socket.js';

/** Hands the body of a request on as it comes, and as it is read. */
export class RequestFeed implements BodySink {
  readonly #environ: Environ;
  readonly #request: NodeRequest;
  readonly #response: NodeResponse;
  readonly #socket: RequestSocket;
  #isBegun = false;
  /** Where it comes from, when that is a server's own. */
  #input: RequestInput | undefined = undefined;
  /** What the reader of another source waits for. */
  #wanted: Gate | undefined = undefined;
  wantsMore = true;

  constructor(environ: Environ, request: NodeRequest, response: NodeResponse, socket: RequestSocket) {
    this.#environ = environ;
    this.#request = request;
    this.#response = response;
    this.#socket = socket;
  }

  /** Somebody reads. */
  demand(): void {
    if (!this.#isBegun) {
      this.#isBegun = true;
      this.#begin();
    } else if (!this.wantsMore) {
      this.wantsMore = true;
      this.#goOn();
    }
  }

  /** The listener has returned: as in node:http, a body is taken in unread, as far as the request's buffer goes. */
  prefetch(): void {
    if (this.#isBegun) return;
    if (isBodyExpected(this.#environ)) this.demand();
    else this.#request.complete = true;
  }

  /** Its client has left before the body was whole. */
  get isCut(): boolean {
    return !this.#request.complete && isBodyExpected(this.#environ);
  }

  take(bytes: Buffer): void {
    const request = this.#request;
    this.#socket.bytesRead += bytes.length;
    this.#socket.moved();
    if (request.destroyed) return;
    // Who is given them may ask for more meanwhile.
    this.wantsMore = false;
    try {
      if (request.push(bytes)) this.wantsMore = true;
    } catch (error) {
      this.failed(toError(error));
    }
  }

  ended(): void {
    this.#request.complete = true;
    this.#request.push(null);
  }

  failed(error: Error): void {
    const request = this.#request;
    // Larger than the server takes, for one.
    if (error instanceof HttpError && !this.#response.headersSent) this.#socket.owner.refuse(error);
    if (!this.#response.writableEnded) request.destroy(error);
    // The rest passes unread behind a response; whoever still reads is not left waiting.
    else if (this.#response.closed) request.destroy();
    else this.#response.once('close', () => request.destroy());
  }

  #begin(): void {
    if (!isBodyExpected(this.#environ)) {
      this.ended();
      return;
    }
    const input = this.#environ['wsgi.input'];
    if (!(input instanceof RequestInput)) {
      void this.#run(input);
      return;
    }
    this.#input = input;
    try {
      this.#goOn();
    } catch (error) {
      this.failed(toError(error));
    }
  }

  #goOn(): void {
    if (this.#input !== undefined) RequestInput.pour(this.#input, this);
    else this.#wanted?.resolve();
  }

  /** Reads what is no input of a server. */
  async #run(input: WsgiInput): Promise<void> {
    try {
      for await (const chunk of input) {
        this.take(chunk);
        if (this.#request.destroyed) return;
        if (this.wantsMore) continue;
        this.#wanted = createGate();
        await this.#wanted.promise;
      }
      this.ended();
    } catch (error) {
      this.failed(toError(error));
    }
  }
}
