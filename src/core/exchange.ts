import { closeBody } from './body-pump.js';
import { byteLength, isLarge, isOneChunk, isShort } from './chunks.js';
import { type Body, type Chunk, type HeaderPair, type RequestEnd, TAKEN, type Write } from './contract.js';
import * as breach from './contract-errors.js';
import { Delivery, type DeliveryOwner } from './delivery.js';
import { LazyEnviron } from './environ.js';
import { errorResponse } from './error-response.js';
import { isThenable, toError } from './errors.js';
import { follow, type Settler } from './eventual.js';
import { afterBody, decideFate } from './fate.js';
import type { Incoming } from './incoming.js';
import type { RequestOwner } from './incoming-service.js';
import { DONE, OPEN, SENDING, STARTED } from './phase.js';
import { hasNoBody, type ResponseHead, reportedLength } from './response-head.js';
import { beginHead, ResponseHooks } from './response-hooks.js';
import type { Service } from './service.js';
import type { BodyStream, Fate } from './transport.js';
import type { Waiting, WaitQueue } from './wait-queue.js';
import { WsgiResponse } from './wsgi-response.js';

/** One request and its response, on any gateway: the rules of `startResponse`, and every ending. */
export class Exchange<R> implements RequestOwner, DeliveryOwner, Settler<unknown>, Waiting {
  waitPrevious: Waiting | undefined = undefined;
  waitNext: Waiting | undefined = undefined;
  waitQueue: WaitQueue | undefined = undefined;
  waitDue = 0;

  readonly #service: Service<R>;
  readonly #response: R;
  readonly #incoming: Incoming<R>;
  readonly #environ: LazyEnviron;
  /** Somebody else answers for errors, and sends what is handed on, of whatever size. */
  readonly #isRelayed: boolean;
  #phase = OPEN;
  #head: ResponseHead | undefined = undefined;
  /** A call of the gateway's is on the stack, so writes are corked already. */
  #isCorked = true;
  #delivery: Delivery | undefined = undefined;
  /** Ended from outside: what the application does is too late. */
  #isInterrupted = false;

  constructor(service: Service<R>, response: R, incoming: Incoming<R>) {
    this.#service = service;
    this.#response = response;
    this.#incoming = incoming;
    this.#environ = new LazyEnviron(incoming);
    this.#isRelayed = service.transport.isRelay === true;
    incoming.owner = this;
  }

  /** Calls the application. When it returns, the request is answered, or watched over. Never throws. */
  run(): void {
    this.#call();
    if (this.#phase === DONE) this.#incoming.release();
    else this.#goOn();
    this.#isCorked = false;
  }

  /** Calls the application in a later turn of the loop, so that nothing is answered within the gateway's call. */
  runLater(): void {
    this.#goOn();
    this.#isCorked = false;
    setImmediate(() => this.#call());
  }

  get isStarted(): boolean {
    return this.#phase !== OPEN;
  }

  get isDone(): boolean {
    return this.#phase === DONE;
  }

  get isBodyless(): boolean {
    return this.#incoming.method === 'HEAD' || (this.#head !== undefined && hasNoBody(this.#head.code));
  }

  get statedLength(): number {
    return this.#head?.statedLength ?? -1;
  }

  sendWhole(body: Chunk): void {
    const { statedLength } = this;
    if (this.isBodyless) this.sendBodyless(byteLength(body));
    else if ((statedLength === -1 && isShort(body)) || !isLarge(body, statedLength) || this.#isRelayed)
      this.#send(body, -1);
    else {
      this.#head = { ...(this.#head as ResponseHead), statedLength: byteLength(body) };
      this.#deliver().sendLarge(body);
    }
  }

  sendBodyless(bodyBytes: number): void {
    this.#send(undefined, reportedLength(this.#head as ResponseHead, bodyBytes));
  }

  openStream(): BodyStream {
    const { transport, isDraining } = this.#service;
    const head = this.#head as ResponseHead;
    this.#phase = SENDING;
    return transport.open(this.#response, head, this.#incoming.beginStream(isDraining, head.code), this);
  }

  cork(writes: () => void): void {
    if (this.#isCorked) writes();
    else this.#service.transport.cork(this.#response, writes);
  }

  progressed(): void {
    this.waitQueue?.join(this);
  }

  arriving(isArriving: boolean): void {
    this.progressed();
    this.#isCorked = isArriving;
    LazyEnviron.enter(isArriving ? this.#environ : undefined);
  }

  /** Sends the head before the first chunk, where the gateway can. */
  sendHead(): void {
    if (this.#phase === STARTED) this.#deliver().sendHead();
  }

  drained(): void {
    if (this.#phase === DONE) return;
    this.progressed();
    this.#delivery?.drained();
  }

  /** The last write comes next: after it the response cannot be touched. */
  ending(): void {
    this.#incoming.close();
  }

  /** The client went away: the work stops. */
  aborted(): void {
    if (this.#phase === DONE) return;
    const error = breach.abortedError();
    this.ended('aborted', error);
    this.#abandon(error);
  }

  /** The application takes the connection itself. @param head - of the response that says so, sent by others */
  takeOver(head?: ResponseHead): void {
    if (this.#phase !== OPEN) throw breach.takenError(true);
    this.#head = head;
    this.ended('taken');
  }

  expire(): void {
    if (this.#phase === SENDING) this.#cut(breach.stalledError(this.#service.stalls.timeoutMs));
    else this.interrupt(this.#incoming.timeoutError());
  }

  /** Ends the request from outside the application: its work stops. */
  interrupt(error: unknown): void {
    if (this.#phase === DONE || this.#isInterrupted) return;
    this.reject(error);
    this.#isInterrupted = true;
    this.#abandon(toError(error));
  }

  /** Ends the connection now. @param error - why, where the application wants it; else the server stops, and waits no longer */
  cutOff(error?: Error): void {
    if (this.#phase !== DONE) this.#cut(error ?? breach.stoppedError(), error !== undefined);
  }

  /** Any error of the application becomes a response, a cut connection or, when it is too late, a log line. */
  reject(thrown: unknown): void {
    if (this.#phase === DONE || this.#isInterrupted) this.report(thrown);
    else if (this.#phase === SENDING || this.#isRelayed || !this.#respond(thrown)) this.#cut(toError(thrown));
  }

  report(thrown: unknown): void {
    this.#incoming.reportLate(toError(thrown));
  }

  #call(): void {
    if (this.#phase === DONE) return;
    LazyEnviron.enter(this.#environ);
    try {
      const { app } = this.#service;
      this.#accept(app(this.#environ, (status, headers, excInfo) => this.#start(status, headers, excInfo)));
    } catch (error) {
      this.reject(error);
    }
    LazyEnviron.enter(undefined);
    this.#incoming.called();
  }

  #start(status: string, headers: HeaderPair[], excInfo: Error | undefined): Write {
    if (this.#phase !== OPEN) this.#restart(excInfo);
    this.#head = beginHead(this.#incoming.hooks, status, headers);
    this.#phase = STARTED;
    if (this.waitQueue !== undefined) this.#service.stalls.join(this);
    return (chunk) => this.#deliver().write(chunk);
  }

  /** A second `startResponse`: with an error, before anything is sent, it may replace the first. */
  #restart(excInfo: Error | undefined): void {
    if (this.#phase === DONE || this.#isInterrupted) throw breach.lateError();
    if (excInfo === undefined) throw breach.startedError();
    if (this.#phase === SENDING) {
      this.#cut(toError(excInfo));
      throw excInfo;
    }
    this.#delivery?.forget();
  }

  #accept(result: unknown): void {
    if (this.#phase === STARTED && this.#delivery === undefined && isOneChunk(result))
      this.sendWhole(result[0]);
    else if (isThenable(result)) follow(result, this);
    else if (result === TAKEN) {
      if (this.#phase !== DONE) throw breach.takenError(false);
    } else if (this.#phase === DONE) {
      const body = (result instanceof WsgiResponse ? result.content : result) as Body;
      closeBody(ResponseHooks.bind(this.#incoming.hooks, body), undefined, this);
    } else if (result instanceof WsgiResponse)
      this.#accept(result.start((status, headers) => this.#start(status, headers, undefined)));
    else this.#deliver().pump(ResponseHooks.bind(this.#incoming.hooks, result as Body));
  }

  resolve(value: unknown): void {
    try {
      this.#accept(value);
    } catch (error) {
      this.reject(error);
    }
  }

  /** Replaces whatever was begun, and not sent, by an error response. One that cannot be sent is an error itself. */
  #respond(thrown: unknown, isRetry = false): boolean {
    try {
      this.#delivery?.drop();
      this.#phase = OPEN;
      const response = errorResponse(this.#environ, thrown);
      const body = response.start((status, headers) => this.#start(status, headers, undefined));
      this.sendWhole((body as [Chunk])[0]);
      return true;
    } catch (error) {
      return isRetry || this.isDone ? false : this.#respond(error, true);
    }
  }

  #send(body: Chunk | undefined, reportedLength: number): void {
    const head = this.#head as ResponseHead;
    if (!this.#incoming.isLast || head.code === 408) {
      const fate = decideFate(this.#incoming, this.#service.isDraining, head.code);
      this.ending();
      this.#transmit(head, body, reportedLength, fate);
      return;
    }
    this.#phase = SENDING;
    this.#service.stalls.join(this);
    afterBody(this.#incoming, () => {
      if (this.#phase !== DONE) this.#transmit(head, body, reportedLength, 'close');
    });
  }

  #transmit(head: ResponseHead, body: Chunk | undefined, reportedLength: number, fate: Fate): void {
    this.cork(() => this.#service.transport.send(this.#response, head, body, reportedLength, fate));
    this.ended('sent', undefined, body);
  }

  #deliver(): Delivery {
    this.#delivery ??= new Delivery(this);
    return this.#delivery;
  }

  #goOn(): void {
    const { transport, waits, stalls } = this.#service;
    this.#incoming.keep();
    transport.watch(this.#response, this);
    this.#incoming.detach();
    (this.#phase === OPEN ? waits : stalls).join(this);
  }

  ended(outcome: RequestEnd['outcome'] = 'sent', error?: Error, body?: Chunk): void {
    const isTold = this.#phase === SENDING || outcome === 'sent' || outcome === 'taken';
    this.#phase = DONE;
    this.waitQueue?.leave(this);
    const { hooks } = this.#incoming;
    if (hooks === undefined) return;
    const bodyBytes = body === undefined ? (this.#delivery?.sentBytes ?? 0) : byteLength(body);
    ResponseHooks.end(hooks, { status: isTold ? (this.#head?.code ?? 0) : 0, bodyBytes, outcome, error });
  }

  #cut(error: Error, isWanted = false): void {
    if (!isWanted && !this.#isRelayed) this.#incoming.reportCut(error);
    this.ended('cut', error);
    this.#service.transport.cut(this.#response, error);
    this.#abandon(error);
  }

  #abandon(error: Error): void {
    this.#incoming.abandon(error);
    this.#delivery?.close();
  }
}
