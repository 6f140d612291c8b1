import type { ConnectionInfo, TakeTunnel } from './contract.js';
import { HttpError } from './http-error.js';
import { RequestInput } from './input.js';
import type { RequestFields, RequestHead } from './request-fields.js';
import type { RequestHost, ServerFacts } from './request-host.js';
import { nextRequestId } from './request-id.js';
import type { ResponseOwner, Transport } from './transport.js';

/** What the incoming side needs of its server. */
export interface IncomingService<R> {
  readonly facts: ServerFacts;
  readonly transport: Transport<R>;
}

/** A request as it came: what stands behind its environ. */
export class Incoming<R> implements RequestHost {
  readonly method: string;
  /** Undecoded. */
  readonly path: string;
  readonly query: string | undefined;
  readonly head: RequestHead;
  /** All header lines, where the gateway has copied them already. */
  readonly fields: RequestFields | undefined;
  /** As stated, `''` when it is not. */
  readonly contentLength: string;
  /** Body bytes will come. */
  readonly hasBody: boolean;
  /** The connection must end with the response. */
  readonly isLast: boolean;
  /** The request target, where it is more than path and query. */
  target: string | undefined = undefined;
  /** Set by the exchange. */
  owner: (ResponseOwner & { takeOver(): void }) | undefined = undefined;
  /** Whether a body can still be had: only while the handler's call is on the stack. */
  isOpen = true;

  readonly #service: IncomingService<R>;
  readonly #response: R;
  #input: RequestInput | undefined = undefined;
  #aborter: AbortController | undefined = undefined;
  #connection: ConnectionInfo | undefined = undefined;
  #requestId = '';
  #endError: Error | undefined = undefined;

  constructor(
    service: IncomingService<R>,
    response: R,
    method: string,
    path: string,
    query: string | undefined,
    head: RequestHead,
    fields: RequestFields | undefined,
    contentLength: string,
    hasBody: boolean,
    isLast: boolean,
  ) {
    this.#service = service;
    this.#response = response;
    this.method = method;
    this.path = path;
    this.query = query;
    this.head = head;
    this.fields = fields;
    this.contentLength = contentLength;
    this.hasBody = hasBody;
    this.isLast = isLast;
  }

  get facts(): ServerFacts {
    return this.#service.facts;
  }

  get protocol(): string {
    return this.#service.transport.protocol(this.#response);
  }

  get connection(): ConnectionInfo {
    if (this.#connection === undefined) {
      if (this.#endError !== undefined) throw this.#endError;
      this.#connection = this.#service.transport.connection(this.#response);
    }
    return this.#connection;
  }

  get input(): RequestInput {
    if (this.#input === undefined) {
      const { transport, facts } = this.#service;
      const response = this.#response;
      const flow = { pause: () => transport.pause(response), resume: () => transport.resume(response) };
      const isExpected = this.hasBody && this.isOpen;
      this.#input = new RequestInput(flow, facts.config.maxBodyBytes, !isExpected);
      if (isExpected && this.owner !== undefined) transport.receive(response, this.#input, this.owner);
    }
    return this.#input;
  }

  get signal(): AbortSignal {
    if (this.#aborter === undefined) {
      this.#aborter = new AbortController();
      if (this.#endError !== undefined) this.#aborter.abort(this.#endError);
    }
    return this.#aborter.signal;
  }

  get requestId(): string {
    if (this.#requestId === '') this.#requestId = nextRequestId();
    return this.#requestId;
  }

  get tunnel(): TakeTunnel | undefined {
    const take = this.#service.transport.tunnel(this.#response);
    if (take === undefined) return undefined;
    return () => {
      this.owner?.takeOver();
      return take();
    };
  }

  /** Whose fault it is that there is no response in time: the client's, if its body is waited for. */
  timeoutError(): HttpError {
    return this.#input !== undefined && RequestInput.isAwaited(this.#input)
      ? new HttpError(408, 'The request body did not arrive in time')
      : new HttpError(504, 'The application did not answer in time');
  }

  /** The handler's call is over, the request is not: from now on its body is held for whoever reads it. */
  detach(): void {
    if (this.hasBody) void this.input;
    this.isOpen = false;
  }

  /** The last bytes of the response follow: what comes of the body passes unread. */
  close(): void {
    this.isOpen = false;
    if (this.#input !== undefined) RequestInput.discard(this.#input);
  }

  /** The work on this request stops. */
  abandon(error: Error): void {
    this.isOpen = false;
    this.#endError = error;
    this.#aborter?.abort(error);
    if (this.#input !== undefined) RequestInput.lose(this.#input, error);
  }

  /** Logs that the response was cut. */
  reportCut(error: Error): void {
    const { requestId, method, path } = this;
    this.facts.logger.error({ requestId, method, uri: path, err: error }, `response cut: ${error.message}`);
  }

  /** Logs an error that no response can tell any more; after an abort it is a matter of course. */
  reportLate(error: Error): void {
    const details = { requestId: this.requestId, method: this.method, uri: this.path, err: error };
    if (this.#endError !== undefined) this.facts.logger.debug(details, 'error after the end of its request');
    else this.facts.logger.error(details, 'error that its response could not tell');
  }
}
