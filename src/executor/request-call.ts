import { isOneChunk } from '../core/chunks.js';
import type {
  Body,
  Chunk,
  Environ,
  HeaderPair,
  MiddlewareResult,
  StartResponse,
  WsgiInput,
} from '../core/contract.js';
import { LazyEnviron } from '../core/environ.js';
import { innerEnviron } from '../core/environ-keys.js';
import { describeValue, VelaError } from '../core/errors.js';
import { Eventual } from '../core/eventual.js';
import { HttpError } from '../core/http-error.js';
import { RequestInput } from '../core/input.js';
import type { RequestHost } from '../core/request-host.js';
import { unpackError } from '../core/wire-error.js';
import { WsgiResponse } from '../core/wsgi-response.js';
import { createMemoryInput } from '../request/memory-input.js';
import { BodyFeed } from './body-feed.js';
import type { Call, CallThread, Packed, Work } from './call.js';
import type { Executor } from './executor.js';
import { type PackOptions, packAssigned, packHead } from './pack-request.js';
import { ResponseBody } from './response-body.js';
import {
  BODY_CREDIT,
  CALL,
  CHUNK,
  COMES,
  CREDIT,
  END,
  FAILED,
  type FromThread,
  HEAD,
  OVER,
  PASS,
  PASS_BODY,
  PASSED,
  RESPONSE,
  TRANSFER_BYTES,
  WHOLE,
} from './wire.js';

/** A request that is answered in a thread. */
export class RequestCall implements Work {
  /** What the application in the thread gives: nothing, when it does not take the request. */
  readonly outcome = new Eventual<MiddlewareResult>();
  isPinned = false;

  readonly #executor: Executor;
  readonly #environ: Environ;
  readonly #host: RequestHost;
  readonly #startResponse: StartResponse;
  readonly #head: string;
  readonly #assigned: unknown[] | undefined;
  readonly #input: WsgiInput | undefined;
  /** The body, where it is in memory. */
  #bytes: Buffer | undefined;
  /** Of a body that is on its way. */
  #steps: AsyncIterator<Buffer> | undefined;
  #call: Call | undefined;
  #feed: BodyFeed | undefined;
  #body: ResponseBody | undefined;
  #isOver = false;
  #isPassed = false;

  constructor(executor: Executor, environ: Environ, startResponse: StartResponse, options: PackOptions) {
    const host = LazyEnviron.hostOf(innerEnviron(environ));
    if (host === undefined)
      throw new VelaError(
        'ERR_EXECUTOR_ENVIRON',
        'A handler in a thread needs the environ of the request, not a copy: pass on what the server gave',
      );
    this.#executor = executor;
    this.#environ = environ;
    this.#host = host;
    this.#startResponse = startResponse;
    this.#input = hasBody(environ, host) ? requireInput(environ['wsgi.input']) : undefined;
    this.#head = packHead(environ, host, options);
    this.#assigned = packAssigned(innerEnviron(environ));
  }

  /** Sends it to a thread. */
  begin(target: number): void {
    // However the request ends: nobody waits for the thread's answer then.
    this.#environ['vela.response'].onEnd(() => this.#cancel());
    const { bodyBytes } = this.#host;
    const isSmall = bodyBytes > 0 && bodyBytes < TRANSFER_BYTES;
    // What came with the head is there when this turn is over, and goes along: in pieces behind the call it takes three times as long.
    if (isSmall && this.#input !== undefined && !isLoaded(this.#input))
      setImmediate(() => this.#submit(target));
    else this.#submit(target);
  }

  #submit(target: number): void {
    if (this.#isOver) return;
    const input = this.#input;
    if (input !== undefined && isLoaded(input)) this.#bytes = RequestInput.takeRest(input);
    else this.#steps = input?.[Symbol.asyncIterator]();
    this.isPinned = this.#steps !== undefined || (this.#bytes?.length ?? 0) >= TRANSFER_BYTES;
    this.#call = this.#executor.submit(target, this);
  }

  pack(call: Call, thread: CallThread): Packed {
    const { slot, ticket, target } = call;
    const server = this.#executor.introduce(thread, this.#host.facts);
    if (this.#steps !== undefined) this.#feed = new BodyFeed(call, this.#steps);
    const body = this.#steps === undefined ? this.#packBody() : COMES;
    const transfer = typeof body === 'object' ? [body.buffer as ArrayBuffer] : undefined;
    return { entry: [CALL, slot, ticket, target, server, this.#head, this.#assigned, body], transfer };
  }

  replied(head: string, body: Buffer | undefined): void {
    this.#whole(head, body);
  }

  told(entry: FromThread): boolean {
    switch (entry[0]) {
      case WHOLE:
        this.#whole(entry[2], entry[3]);
        return true;
      case HEAD:
        if (!this.#isOver) this.#begin(entry[2]);
        return false;
      case CHUNK:
        this.#body?.push(entry[2]);
        return false;
      case BODY_CREDIT:
        this.#feed?.credit(entry[2]);
        if (this.#call !== undefined) this.#executor.progressed(this.#call);
        return false;
      case END:
        this.#over();
        this.#body?.end();
        return true;
      case FAILED:
        this.failed(unpackError(entry[2]));
        return true;
      case PASS:
        return this.#pass(entry[2]);
      case PASS_BODY:
        this.#feed?.giveBack(entry[2]);
        return false;
      case OVER:
        this.#feed?.returned();
        this.#over();
        return true;
      default:
        this.#over();
        return true;
    }
  }

  failed(error: Error): void {
    this.#over();
    this.#feed?.returned(error);
    if (this.#body === undefined) this.outcome.reject(error);
    else this.#body.fail(error);
  }

  lateError(): Error {
    return this.#feed?.isStarved === true
      ? new HttpError(408, 'The request body did not arrive in time')
      : new HttpError(504, 'The call in a thread took too long');
  }

  #whole(head: string, body: Chunk | undefined): void {
    const isLate = this.#isOver;
    this.#over();
    if (!isLate) this.#answer(head, body === undefined ? undefined : [body]);
  }

  /** @param body - undefined for one that is not sent */
  #answer(head: string, body: MiddlewareResult): void {
    const isResponse = head.startsWith(RESPONSE);
    const lines = (isResponse ? head.slice(RESPONSE.length) : head).split('\n');
    const status = lines[0] as string;
    const headers: HeaderPair[] = [];
    for (let i = 1; i < lines.length; i += 2) headers.push([lines[i] as string, lines[i + 1] as string]);
    if (isResponse && (body !== undefined || this.#host.method !== 'HEAD')) {
      const content = isOneChunk(body) ? body[0] : ((body ?? '') as Body);
      this.outcome.resolve(
        Object.assign(new WsgiResponse(), { status: parseInt(status, 10), headers, content }),
      );
      return;
    }
    try {
      const write = this.#startResponse(status, headers);
      // Nobody has counted what GET would send; what is written to HEAD is not sent, and makes it uncounted here too.
      if (body === undefined && this.#host.method === 'HEAD' && !headers.some(isLength)) void write(' ');
      this.outcome.resolve(body ?? ['']);
    } catch (error) {
      this.outcome.reject(error);
      this.#cancel();
    }
  }

  #begin(head: string): void {
    const call = this.#call as Call;
    this.#executor.began(call);
    this.#body = new ResponseBody({
      credit: (bytes, blocks) =>
        call.thread?.post({ entry: [CREDIT, call.slot, call.ticket, bytes, blocks], transfer: blocks }),
      cancel: () => this.#cancel(),
    });
    this.#answer(head, this.#body);
  }

  /** The request goes on here, with what is left of its body. @returns true when that is all here */
  #pass(unread: Uint8Array | undefined): boolean {
    const { thread, slot, ticket } = this.#call as Call;
    const isWhole = this.#feed === undefined;
    this.#isOver = true;
    this.#isPassed = true;
    if (this.#feed !== undefined) {
      this.#environ['wsgi.input'] = this.#feed.divert(unread);
      thread?.post({ entry: [PASSED, slot, ticket] });
    } else if (this.#bytes !== undefined) {
      this.#environ['wsgi.input'] = createMemoryInput(
        unread === undefined ? Buffer.alloc(0) : Buffer.from(unread.buffer, unread.byteOffset, unread.length),
      );
    }
    this.outcome.resolve(undefined);
    return isWhole;
  }

  /** A small body is text. The memory of a large one is handed over: a copy where somebody has it, by `requestOf(environ).bytes()` and its like. */
  #packBody(): string | Uint8Array | undefined {
    const bytes = this.#bytes;
    if (bytes === undefined || !this.isPinned) return bytes?.toString('latin1');
    const isKept = Object.hasOwn(innerEnviron(this.#environ), 'vela.body');
    return isWhole(bytes) && !isKept ? bytes : new Uint8Array(bytes);
  }

  #over(): void {
    this.#isOver = true;
    if (!this.#isPassed) this.#feed?.stop();
  }

  #cancel(): void {
    if (this.#isOver) return;
    this.#over();
    if (this.#call !== undefined) this.#executor.cancel(this.#call);
  }
}

/** A body may come, or is there. */
function hasBody(environ: Environ, host: RequestHost): boolean {
  return host.bodyBytes !== 0 || Object.hasOwn(innerEnviron(environ), 'wsgi.input');
}

function isLength([name]: HeaderPair): boolean {
  return name.toLowerCase() === 'content-length';
}

function isLoaded(input: WsgiInput): input is RequestInput {
  return input instanceof RequestInput && RequestInput.isOver(input);
}

/** What a middleware has put there may be anything. */
function requireInput(input: WsgiInput): WsgiInput {
  if (typeof input?.[Symbol.asyncIterator] === 'function') return input;
  throw new VelaError(
    'ERR_EXECUTOR_ENVIRON',
    `environ['wsgi.input'] must be an input to be sent to a thread, with [Symbol.asyncIterator](); received ${describeValue(input)}`,
  );
}

function isWhole(bytes: Buffer): boolean {
  return bytes.length === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer;
}
