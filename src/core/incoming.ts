import type { ConnectionInfo, TakeTunnel } from './contract.js';
import { ANSWERED, expired, UNDECLARED } from './expired-error.js';
import { decideFate } from './fate.js';
import { HttpError } from './http-error.js';
import { LINE_OVERHEAD_BYTES } from './http-syntax.js';
import type { IncomingService, RequestOwner } from './incoming-service.js';
import { type InputFlow, RequestInput } from './input.js';
import { closedError } from './input-errors.js';
import type { UpgradeToWebSocket } from './raw-websocket.js';
import {
  copyFields,
  type DeclaredFields,
  findField,
  isSingleton,
  keepFields,
  type RequestFields,
  type RequestHead,
} from './request-fields.js';
import type { RequestHost } from './request-host.js';
import { nextRequestId } from './request-id.js';
import { ResponseHooks } from './response-hooks.js';
import type { ServerFacts } from './server-facts.js';
import { tunnelOf, upgradeOf } from './take-over.js';
import type { Fate } from './transport.js';

/** A request as it came: what stands behind its environ. */
export class Incoming<R> implements RequestHost, InputFlow {
  readonly method: string;
  readonly path: string;
  readonly contentLength: string;
  /** How many body bytes will come: -1 when that is not known. */
  readonly bodyBytes: number;
  /** The connection must end with the response. */
  readonly isLast: boolean;
  /** The application wants it to. */
  closes = false;
  /** Set by the exchange. */
  owner: RequestOwner | undefined = undefined;
  /** Who wants to know of the response; there once somebody does. */
  hooks: ResponseHooks | undefined = undefined;

  readonly #service: IncomingService<R>;
  readonly #response: R;
  /** Whether a body can still be had: only while the handler's call is on the stack. */
  #isOpen = true;
  /** Undefined once it cannot be read any more. */
  #head: RequestHead | undefined;
  #fields: RequestFields | undefined;
  /** The handler's call is over: of headers, only the declared ones can be read. */
  #isCalled = false;
  /** Null before it was read. */
  #query: string | undefined | null = null;
  #target: string | undefined = undefined;
  #input: RequestInput | undefined = undefined;
  #aborter: AbortController | undefined = undefined;
  #connection: ConnectionInfo | undefined = undefined;
  #requestId = '';
  #timestamp = 0;
  #endError: Error | undefined = undefined;
  #isAnswered = false;

  /**
   * @param path - undecoded
   * @param fields - all header lines, where the gateway has copied them already
   * @param contentLength - as stated, `''` when it is not
   */
  constructor(
    service: IncomingService<R>,
    response: R,
    method: string,
    path: string,
    head: RequestHead,
    fields: RequestFields | undefined,
    contentLength: string,
    bodyBytes: number,
    isLast: boolean,
  ) {
    this.#service = service;
    this.#response = response;
    this.method = method;
    this.path = path;
    this.#head = head;
    this.#fields = fields;
    this.contentLength = contentLength;
    this.bodyBytes = bodyBytes;
    this.isLast = isLast;
  }

  /** The handler's call is over. */
  called(): void {
    this.#isCalled = true;
  }

  /** Copies what may be read later, while the head can still be read. */
  keep(): void {
    const head = this.#head;
    if (head === undefined) return;
    this.#target = head.target;
    if (head.timestamp !== undefined) this.#timestamp = head.timestamp;
    this.#readQuery();
    this.#fields ??= keepFields(head, this.#declared);
    this.#head = undefined;
  }

  /** The head cannot be read any more. */
  release(): void {
    this.#head = undefined;
  }

  /** @throws {HttpError} 414 when it makes the request line too long */
  get query(): string | undefined {
    const query = this.#readQuery();
    const targetBytes = this.path.length + (query === undefined ? 0 : query.length + 1);
    const lineBytes = this.method.length + targetBytes + LINE_OVERHEAD_BYTES;
    if (lineBytes > this.facts.config.maxRequestLineBytes) throw new HttpError(414);
    return query;
  }

  get target(): string {
    const target = this.#head?.target ?? this.#target;
    if (target !== undefined) return target;
    const query = this.#readQuery();
    return query === undefined ? this.path : `${this.path}?${query}`;
  }

  get timestamp(): number {
    this.#timestamp ||= this.#head?.timestamp ?? Date.now();
    return this.#timestamp;
  }

  header(name: string): string | undefined {
    if (this.#fields === undefined) {
      const head = this.#head;
      if (head === undefined) throw expired(`The request header '${name}'`, ANSWERED);
      if (isSingleton(name)) {
        return head.getHeader(name) || undefined;
      }
      this.#fields = copyFields(head);
    }
    if (this.#declared?.names.includes(name) === false) {
      throw expired(`The request header '${name}'`, `${UNDECLARED}: app.headers = [..., '${name}']`);
    }
    return findField(this.#fields, name);
  }

  fields(): RequestFields {
    if (this.#fields === undefined) this.header('');
    return this.#fields as RequestFields;
  }

  headerNames(): string[] {
    const isReadable = (name: string) => this.#declared?.names.includes(name) !== false;
    return this.fields().filter((name, index) => index % 2 === 0 && isReadable(name));
  }

  /** The only headers that can be read by now; undefined while there is no such limit. */
  get #declared(): DeclaredFields | undefined {
    return this.#isCalled ? this.#service.headers : undefined;
  }

  get facts(): ServerFacts {
    return this.#service.facts;
  }

  get protocol(): string {
    return this.#service.transport.protocol(this.#response);
  }

  get connection(): ConnectionInfo {
    if (this.#connection === undefined) {
      if (this.#isAnswered) throw expired('The connection', ANSWERED);
      this.#connection = this.#service.transport.connection(this.#response);
    }
    return this.#connection;
  }

  get input(): RequestInput {
    if (this.#input === undefined) {
      const { transport, facts } = this.#service;
      const { bodyBytes } = this;
      this.#input = new RequestInput(this, facts.config.maxBodyBytes, bodyBytes);
      if (!this.#isOpen) RequestInput.lose(this.#input, closedError());
      else if (bodyBytes !== 0 && this.owner !== undefined)
        transport.receive(this.#response, this.#input, this.owner);
    }
    return this.#input;
  }

  pause(): void {
    this.#service.transport.pause(this.#response);
  }

  resume(): void {
    this.#service.transport.resume(this.#response);
  }

  get block(): (() => void) | undefined {
    const { transport } = this.#service;
    return transport.block?.bind(transport, this.#response);
  }

  get signal(): AbortSignal {
    this.#service.transport.poll?.(this.#response);
    if (this.#aborter === undefined) {
      this.#aborter = new AbortController();
      if (this.#endError !== undefined) this.#aborter.abort(this.#endError);
    }
    return this.#aborter.signal;
  }

  get response(): ResponseHooks {
    this.hooks ??= new ResponseHooks(this);
    return this.hooks;
  }

  get requestId(): string {
    this.#requestId ||= nextRequestId();
    return this.#requestId;
  }

  get tunnel(): TakeTunnel | undefined {
    return tunnelOf(this.#service.transport.tunnel(this.#response), this.owner);
  }

  get upgrade(): UpgradeToWebSocket | undefined {
    return upgradeOf(this.#service.transport.upgrade(this.#response), this, this.owner);
  }

  keepAll(): void {
    this.keep();
    void this.connection;
  }

  /** The client has not sent all of its body. */
  get isBodyPending(): boolean {
    return this.#input === undefined ? this.bodyBytes !== 0 : !RequestInput.isOver(this.#input);
  }

  /** Whose fault it is that there is no response in time: the client's, if its body is waited for. */
  timeoutError(): HttpError {
    return this.#input !== undefined && RequestInput.isAwaited(this.#input)
      ? new HttpError(408, 'The request body did not arrive in time')
      : new HttpError(504, 'The application did not answer in time');
  }

  /** The handler's call is over, the request is not: from now on its body is held for whoever reads it. */
  detach(): void {
    if (this.bodyBytes !== 0) void this.input;
    this.#isOpen = false;
  }

  /** The response begins, and goes on: what its end may want to know is looked up now. */
  beginStream(isDraining: boolean, code: number): Fate {
    if (!this.#isAnswered) void this.connection;
    return decideFate(this, isDraining, code);
  }

  /** The last bytes of the response follow: what comes of the body passes unread. */
  close(): void {
    this.#isAnswered = true;
    this.#isOpen = false;
    if (this.#input !== undefined) RequestInput.discard(this.#input);
  }

  /** The work on this request stops. */
  abandon(error: Error): void {
    this.#isAnswered = true;
    this.#isOpen = false;
    this.#endError = error;
    this.#aborter?.abort(error);
    if (this.#input !== undefined) RequestInput.lose(this.#input, error);
  }

  /** Logs that the response was cut. */
  reportCut(error: Error): void {
    const { requestId, method, path: uri } = this;
    this.facts.logger.error({ requestId, method, uri, err: error }, `response cut: ${error.message}`);
  }

  /** Logs an error that no response can tell any more; after an abort it is a matter of course. */
  reportLate(error: Error): void {
    const { requestId, method, path: uri } = this;
    const details = { requestId, method, uri, err: error };
    if (this.#endError !== undefined) this.facts.logger.debug(details, 'error after the end of its request');
    else this.facts.logger.error(details, 'error that its response could not tell');
  }

  /** It is read only when asked: that costs 45 ns. */
  #readQuery(): string | undefined {
    if (this.#query === null) {
      if (this.#head === undefined) throw expired('The query', ANSWERED);
      this.#query = this.#head.getQuery();
    }
    return this.#query;
  }
}
