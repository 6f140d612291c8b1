import { closeBody } from './body-pump.js';
import { byteLength } from './chunks.js';
import { type AppFunction, type Body, type Chunk, type HeaderPair, TAKEN, type Write } from './contract.js';
import { Delivery, type DeliveryOwner, lengthError } from './delivery.js';
import { LazyEnviron } from './environ.js';
import { errorResponse } from './error-response.js';
import { isThenable, toError, VelaError } from './errors.js';
import { HttpError } from './http-error.js';
import type { Incoming, IncomingService } from './incoming.js';
import { checkHeaders, checkStatus, type ResponseHead } from './response-head.js';
import type { BodyStream, ResponseOwner } from './transport.js';
import type { Waiting, WaitQueue } from './wait-queue.js';
import { WsgiResponse } from './wsgi-response.js';

/** `startResponse` was not called. */
const OPEN = 0;
/** `startResponse` was called; nothing is sent. */
const STARTED = 1;
/** The head is sent. */
const SENDING = 2;
/** Answered, aborted or taken over. */
const DONE = 3;

/** A larger body leaves through a stream, so that its end is known and the rest of it need not be copied. */
const LARGE_BYTES = 65_536;
/** A string this short is not large, however many bytes its characters take. */
const SHORT_LENGTH = LARGE_BYTES / 3;
const NO_HEADERS: HeaderPair[] = [];

/** What all requests of one server share. */
export interface Service<R> extends IncomingService<R> {
  readonly app: AppFunction;
  /** The headers that are kept when a request goes async; undefined keeps all. */
  readonly headers: readonly string[] | undefined;
  /** Requests whose response has not begun. */
  readonly waits: WaitQueue;
  /** Responses under way. */
  readonly stalls: WaitQueue;
  /** The server is stopping: connections end with their current response. */
  isDraining: boolean;
}

/** One request and its response, on any gateway: the rules of `startResponse`, and every ending. */
export class Exchange<R> implements ResponseHead, ResponseOwner, DeliveryOwner, Waiting {
  waitPrevious: Waiting | undefined = undefined;
  waitNext: Waiting | undefined = undefined;
  waitQueue: WaitQueue | undefined = undefined;
  waitDue = 0;
  status = '';
  code = 0;
  headers: readonly HeaderPair[] = NO_HEADERS;
  statedLength = -1;
  hasGatewayHeaders = false;
  hasLatin1 = false;

  readonly #service: Service<R>;
  readonly #response: R;
  readonly #incoming: Incoming<R>;
  readonly #environ: LazyEnviron;
  #phase = OPEN;
  /** The handler's call is on the stack, so writes are corked already. */
  #isCalling = true;
  #delivery: Delivery | undefined = undefined;

  constructor(service: Service<R>, response: R, incoming: Incoming<R>) {
    this.#service = service;
    this.#response = response;
    this.#incoming = incoming;
    this.#environ = new LazyEnviron(incoming);
    incoming.owner = this;
  }

  /** Calls the application. When it returns, the request is answered, or watched over. Never throws. */
  run(): void {
    this.#call();
    if (this.#phase === DONE) LazyEnviron.release(this.#environ);
    else this.#goOn();
    this.#isCalling = false;
  }

  /** Calls the application in a later turn of the loop: what it answers is never sent from within the gateway's call. */
  runLater(): void {
    this.#goOn();
    this.#isCalling = false;
    setImmediate(() => {
      if (this.#phase === DONE) return;
      this.#call();
    });
  }

  get isStarted(): boolean {
    return this.#phase !== OPEN;
  }

  get isDone(): boolean {
    return this.#phase === DONE;
  }

  get isBodyless(): boolean {
    const { code } = this;
    return code === 204 || code === 205 || code === 304 || this.#incoming.method === 'HEAD';
  }

  sendWhole(body: Chunk | undefined): void {
    if (body === undefined) {
      this.#send(undefined, this.#reportedLength());
      return;
    }
    if (typeof body === 'string' && body.length < SHORT_LENGTH && this.statedLength === -1) {
      this.#send(body, -1);
      return;
    }
    const length = byteLength(body);
    if (this.statedLength !== -1 && this.statedLength !== length) throw lengthError(this.statedLength, length);
    if (length <= LARGE_BYTES) {
      this.#send(body, -1);
      return;
    }
    this.statedLength = length;
    const delivery = this.#deliver();
    delivery.take(body);
    delivery.flush();
    delivery.finish();
  }

  openStream(length: number): BodyStream {
    this.#phase = SENDING;
    return this.#service.transport.open(this.#response, this, length, this.#isLast(), this);
  }

  cork(writes: () => void): void {
    if (this.#isCalling) writes();
    else this.#service.transport.cork(this.#response, writes);
  }

  /** Something moved, so the wait begins anew. */
  progressed(): void {
    this.waitQueue?.join(this);
  }

  drained(): void {
    this.progressed();
    this.#delivery?.drained();
  }

  /** The last write comes next: after it the response cannot be touched. */
  ending(): void {
    this.#incoming.close();
  }

  ended(): void {
    this.#finish();
  }

  /** The client went away: the work stops. */
  aborted(): void {
    if (this.#phase === DONE) return;
    this.#finish();
    this.#abandon(new VelaError('ERR_CLIENT_ABORTED', 'The client closed the connection'));
  }

  /** The application takes the connection itself. */
  takeOver(): void {
    if (this.#phase !== OPEN) {
      throw new VelaError('ERR_CONTRACT_TAKEN', 'A connection can be taken over once, in place of startResponse');
    }
    this.#finish();
  }

  /** The wait was too long. */
  expire(): void {
    if (this.#phase !== OPEN) {
      const { timeoutMs } = this.#service.stalls;
      this.#cut(new VelaError('ERR_RESPONSE_STALLED', `The response made no progress for ${timeoutMs} ms`));
      return;
    }
    const error = this.#incoming.isAwaitingBody
      ? new HttpError(408, 'The request body did not arrive in time')
      : new HttpError(504, 'The application did not answer in time');
    this.fail(error);
    this.#abandon(error);
  }

  /** The server stops, and waits no longer. */
  cutOff(): void {
    if (this.#phase === DONE) return;
    this.#cut(new VelaError('ERR_SERVER_STOPPED', 'The server stopped before the response was complete'));
  }

  /** Any error of the application becomes a response, a cut connection or, when it is too late, a log line. */
  fail(thrown: unknown): void {
    if (this.#phase === DONE) {
      this.report(thrown);
    } else if (this.#phase === SENDING) {
      this.#cut(toError(thrown));
    } else {
      try {
        this.#respond(errorResponse(this.#environ, thrown));
      } catch (error) {
        this.report(error);
        this.#cut(toError(thrown));
      }
    }
  }

  report(thrown: unknown): void {
    const { logger } = this.#service.facts;
    const details = { requestId: this.#incoming.requestId, err: toError(thrown) };
    if (this.#incoming.isAbandoned) logger.debug(details, 'error after the end of its request');
    else logger.error(details, 'error that its response could not tell');
  }

  #call(): void {
    try {
      this.#accept(
        this.#service.app(this.#environ, (status, headers, excInfo) => this.#start(status, headers, excInfo)),
      );
    } catch (error) {
      this.fail(error);
    }
  }

  #start(status: string, headers: HeaderPair[], excInfo: Error | undefined): Write {
    if (this.#phase !== OPEN) this.#restart(excInfo);
    this.code = checkStatus(status);
    checkHeaders(headers, this);
    this.status = status;
    if (this.#phase === OPEN) {
      this.#phase = STARTED;
      if (this.waitQueue !== undefined) this.#service.stalls.join(this);
    }
    return (chunk) => this.#deliver().write(chunk);
  }

  /** A second `startResponse`: with an error, before anything is sent, it may replace the first. */
  #restart(excInfo: Error | undefined): void {
    if (this.#phase === DONE) {
      throw new VelaError('ERR_CONTRACT_LATE', 'startResponse was called after the request had ended');
    }
    if (excInfo === undefined) {
      throw new VelaError(
        'ERR_CONTRACT_STARTED',
        'startResponse was called twice: to replace a response that is not sent, pass the error as its third argument',
      );
    }
    if (this.#phase === SENDING) {
      this.#cut(toError(excInfo));
      throw excInfo;
    }
    this.#delivery?.drop();
  }

  /** Takes what the application returned. */
  #accept(result: unknown): void {
    if (isThenable(result)) {
      result.then(
        (value) => this.#resume(value),
        (error: unknown) => this.fail(error),
      );
    } else if (result === TAKEN) {
      if (this.#phase === DONE) return;
      throw new VelaError('ERR_CONTRACT_TAKEN', 'TAKEN was returned, and the connection was not taken over');
    } else if (this.#phase === DONE) {
      closeBody((result instanceof WsgiResponse ? result.content : result) as Body, undefined, this);
    } else if (result instanceof WsgiResponse) {
      this.#accept(result.start((status, headers) => this.#start(status, headers, undefined)));
    } else if (this.#phase === STARTED && this.#delivery === undefined && isOneChunk(result)) {
      this.#sendOne(result[0]);
    } else {
      this.#deliver().pump(result as Body);
    }
  }

  #resume(value: unknown): void {
    try {
      this.#accept(value);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Replaces whatever was begun, and not sent, by an error response. */
  #respond(response: WsgiResponse): void {
    this.#delivery?.drop();
    this.#phase = OPEN;
    const body = response.start((status, headers) => this.#start(status, headers, undefined));
    this.#sendOne((body as [Chunk])[0]);
  }

  #sendOne(body: Chunk): void {
    if (!this.isBodyless) {
      this.sendWhole(body);
      return;
    }
    if (this.statedLength === -1) this.statedLength = byteLength(body);
    this.sendWhole(undefined);
  }

  #send(body: Chunk | undefined, reportedLength: number): void {
    const { transport } = this.#service;
    const response = this.#response;
    this.ending();
    if (this.#isCalling) transport.send(response, this, body, reportedLength, this.#isLast());
    else transport.cork(response, () => transport.send(response, this, body, reportedLength, this.#isLast()));
    this.#finish();
  }

  /** The Content-Length of a response without a body (RFC 9110 §8.6): only HEAD and 205 have one. */
  #reportedLength(): number {
    if (this.code === 205) return 0;
    return this.code === 204 || this.code === 304 ? -1 : this.statedLength;
  }

  #isLast(): boolean {
    return this.#incoming.isLast || this.#service.isDraining || this.code === 408;
  }

  #deliver(): Delivery {
    this.#delivery ??= new Delivery(this);
    return this.#delivery;
  }

  /** The handler's call is over, the request is not. */
  #goOn(): void {
    const { transport, waits, stalls, headers } = this.#service;
    LazyEnviron.keep(this.#environ, headers);
    transport.watch(this.#response, this);
    this.#incoming.detach();
    (this.#phase === OPEN ? waits : stalls).join(this);
  }

  #finish(): void {
    this.#phase = DONE;
    this.waitQueue?.leave(this);
  }

  #cut(error: Error): void {
    const details = { requestId: this.#incoming.requestId, uri: this.#environ.RAW_URI, err: error };
    this.#service.facts.logger.error(details, `response cut: ${error.message}`);
    this.#finish();
    this.#service.transport.cut(this.#response);
    this.#abandon(error);
  }

  /** Stops the application's work on a request that has ended. */
  #abandon(error: Error): void {
    this.#incoming.abandon(error);
    this.#delivery?.close();
  }
}

function isOneChunk(result: unknown): result is [Chunk] {
  return Array.isArray(result) && result.length === 1 && (typeof result[0] === 'string' || result[0] instanceof Uint8Array);
}
