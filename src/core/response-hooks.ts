import { AsyncResource } from 'node:async_hooks';
// The global of that name is looked up by a function, at every use.
import { performance } from 'node:perf_hooks';
import { bindBody } from './async-context.js';
import type { BeginningResponse, Body, HeaderPair, RequestEnd, ResponseControl } from './contract.js';
import { beginsTooLateError, listenerError } from './contract-errors.js';
import { isThenable, toError } from './errors.js';
import { checkHead, type ResponseHead } from './response-head.js';

/** RFC 9110 §15.2.2. */
const SWITCHING = '101 Switching Protocols';

type StartListener = Parameters<ResponseControl['onStart']>[0];
type EndListener = Parameters<ResponseControl['onEnd']>[0];

/** The request whose response is listened to. */
interface HookedRequest {
  readonly owner:
    | {
        readonly isStarted: boolean;
        interrupt(error: unknown): void;
        cutOff(error: Error): void;
        sendHead(): void;
      }
    | undefined;
  /** The connection ends with the response. */
  closes: boolean;
  reportLate(error: Error): void;
}

/** Listeners in a chain: most responses have a few, for which an array would make room for seventeen. */
interface Link<L> {
  readonly listener: L;
  next: Link<L> | undefined;
}

/** Who wants to know of a response. The server's side is static, so that a listener does not see it. */
export class ResponseHooks implements ResponseControl {
  readonly #request: HookedRequest;
  /** When the first listener of the end came; 0 before that. */
  #beganMs = 0;
  /** The last one first. */
  #startListeners: Link<StartListener> | undefined = undefined;
  /** The first one first. */
  #endListeners: Link<EndListener> | undefined = undefined;
  #lastEndListener: Link<EndListener> | undefined = undefined;
  #end: RequestEnd | undefined = undefined;
  /** In whose async context the body runs; undefined where nobody cares. */
  #resource: AsyncResource | undefined = undefined;

  constructor(request: HookedRequest) {
    this.#request = request;
  }

  onStart(listener: StartListener): void {
    if (this.#request.owner?.isStarted === true) throw beginsTooLateError();
    this.#startListeners = { listener, next: this.#startListeners };
  }

  onEnd(listener: EndListener): void {
    if (this.#end !== undefined) {
      this.#tell(listener, this.#end);
      return;
    }
    if (this.#beganMs === 0) this.#beganMs = performance.now();
    const link: Link<EndListener> = { listener, next: undefined };
    if (this.#lastEndListener === undefined) this.#endListeners = link;
    else this.#lastEndListener.next = link;
    this.#lastEndListener = link;
  }

  fail(error: Error): void {
    this.#request.owner?.interrupt(error);
  }

  /** Ends the connection, whatever has become of the response. */
  static cut(control: ResponseControl, error: Error): void {
    if (control instanceof ResponseHooks) control.#request.owner?.cutOff(error);
    else control.fail(error);
  }

  /** Sends the head of a response that has begun, where the gateway can do so before the first chunk. */
  static sendHead(control: ResponseControl): void {
    if (control instanceof ResponseHooks) control.#request.owner?.sendHead();
  }

  /** The connection is to end with the response. */
  static closeAfter(control: ResponseControl): void {
    if (control instanceof ResponseHooks) control.#request.closes = true;
  }

  /** The body of this response, whatever its application makes of it, will run in the async context of this call. */
  static keepContext(control: ResponseControl): void {
    if (control instanceof ResponseHooks) control.#resource = new AsyncResource('vela.Response');
  }

  /** A body as it is walked, or closed. */
  static bind(hooks: ResponseHooks | undefined, body: Body): Body {
    if (hooks === undefined) return body;
    const resource = hooks.#resource;
    return resource === undefined ? body : bindBody(body, resource);
  }

  /** A response begins: its listeners may change it, the last one first, as the layers of an onion would. */
  static start(hooks: ResponseHooks, status: string, headers: HeaderPair[]): BeginningResponse {
    if (!Array.isArray(headers)) return { status, headers };
    const response: BeginningResponse = { status, headers: headers.slice() };
    for (let link = hooks.#startListeners; link !== undefined; link = link.next) {
      try {
        const result: unknown = link.listener(response);
        if (isThenable(result)) {
          hooks.#own(result);
          throw listenerError();
        }
      } catch (error) {
        // The error response that tells of it begins without this one.
        hooks.#removeStart(link);
        throw error;
      }
    }
    return response;
  }

  /** Nobody is told any more that a response begins. */
  static forget(hooks: ResponseHooks): void {
    hooks.#startListeners = undefined;
  }

  /** The request is over. */
  static end(
    hooks: ResponseHooks,
    { status, bodyBytes, outcome, error }: Omit<RequestEnd, 'durationMs'>,
  ): void {
    if (hooks.#end !== undefined) return;
    const durationMs = hooks.#beganMs === 0 ? 0 : performance.now() - hooks.#beganMs;
    const end: RequestEnd = { status, bodyBytes, durationMs, outcome, error };
    hooks.#end = end;
    for (let link = hooks.#endListeners; link !== undefined; link = link.next)
      hooks.#tell(link.listener, end);
  }

  #removeStart(link: Link<StartListener>): void {
    let previous: Link<StartListener> | undefined;
    for (let one = this.#startListeners; one !== undefined && one !== link; one = one.next) previous = one;
    if (previous === undefined) this.#startListeners = link.next;
    else previous.next = link.next;
  }

  #tell(listener: EndListener, end: RequestEnd): void {
    try {
      const result: unknown = listener(end);
      if (isThenable(result)) this.#own(result);
    } catch (error) {
      this.#request.reportLate(toError(error));
    }
  }

  /** What a listener still does is not waited for; that it fails is logged. */
  #own(result: PromiseLike<unknown>): void {
    Promise.resolve(result).then(undefined, (error: unknown) => this.#request.reportLate(toError(error)));
  }
}

/** The head of a response, once its listeners have seen it. @throws what {@link checkHead} and the listeners throw */
export function beginHead(
  hooks: ResponseHooks | undefined,
  status: string,
  headers: HeaderPair[],
): ResponseHead {
  if (hooks === undefined) return checkHead(status, headers);
  const response = ResponseHooks.start(hooks, status, headers);
  try {
    return checkHead(response.status, response.headers);
  } catch (error) {
    // Either the application is at fault, or the listeners are, and the error response begins without them.
    checkHead(status, headers);
    ResponseHooks.forget(hooks);
    throw error;
  }
}

/** The head of the response by which a request becomes a WebSocket. @throws what {@link beginHead} throws */
export function beginSwitch(
  hooks: ResponseHooks | undefined,
  given: readonly (readonly [name: string, value: string])[],
): ResponseHead {
  const response = { status: SWITCHING, headers: given.map(([name, value]): HeaderPair => [name, value]) };
  const { headers } =
    hooks === undefined ? response : ResponseHooks.start(hooks, SWITCHING, response.headers);
  // 1xx is no status for an application; the headers are checked as those of any other.
  return { ...checkHead('200 OK', headers), status: SWITCHING, code: 101 };
}
