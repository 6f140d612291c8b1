import type { Environ } from '../core/contract.js';
import { toError } from '../core/errors.js';
import { createGate, type Gate } from '../core/gate.js';
import type { NodeRequest, NodeResponse } from './node-internals.js';
import { isBodyExpected } from './node-request.js';
import type { RequestSocket } from './request-socket.js';

/** Hands the body of a request on as it comes, and as it is read. */
export class RequestFeed {
  readonly #environ: Environ;
  readonly #request: NodeRequest;
  readonly #response: NodeResponse;
  readonly #socket: RequestSocket;
  #isBegun = false;
  /** There while nobody wants more. */
  #wanted: Gate | undefined = undefined;

  constructor(environ: Environ, request: NodeRequest, response: NodeResponse, socket: RequestSocket) {
    this.#environ = environ;
    this.#request = request;
    this.#response = response;
    this.#socket = socket;
  }

  /** Somebody reads. */
  demand(): void {
    this.#wanted?.resolve();
    this.#wanted = undefined;
    if (this.#isBegun) return;
    this.#isBegun = true;
    if (isBodyExpected(this.#environ)) void this.#run();
    else this.#end();
  }

  /** Its client has left before the body was whole. */
  get isCut(): boolean {
    return !this.#request.complete && isBodyExpected(this.#environ);
  }

  async #run(): Promise<void> {
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
      this.#end();
    } catch (error) {
      if (!this.#response.writableEnded) request.destroy(toError(error));
      // The rest passes unread behind a response; whoever still reads is not left waiting.
      else if (this.#response.closed) request.destroy();
      else this.#response.once('close', () => request.destroy());
    }
  }

  #end(): void {
    this.#request.complete = true;
    this.#request.push(null);
  }
}
