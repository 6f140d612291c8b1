import type { BeginningResponse, HeaderPair, RequestEnd, ResponseControl } from './contract.js';
import { beginsTooLateError } from './contract-errors.js';
import { toError } from './errors.js';
import { checkHead, type ResponseHead } from './response-head.js';

type StartListener = (response: BeginningResponse) => void;
type EndListener = (end: RequestEnd) => void;

/** The request whose response is listened to. */
interface HookedRequest {
  readonly owner: { readonly isStarted: boolean; interrupt(error: unknown): void } | undefined;
  reportLate(error: Error): void;
}

/** Who wants to know of a response. The server's side is static, so that a listener does not see it. */
export class ResponseHooks implements ResponseControl {
  readonly #request: HookedRequest;
  readonly #beganMs = performance.now();
  #startListeners: StartListener[] = [];
  #endListeners: EndListener[] = [];
  #end: RequestEnd | undefined = undefined;

  constructor(request: HookedRequest) {
    this.#request = request;
  }

  onStart(listener: StartListener): void {
    if (this.#request.owner?.isStarted === true) throw beginsTooLateError();
    this.#startListeners.push(listener);
  }

  onEnd(listener: EndListener): void {
    if (this.#end === undefined) this.#endListeners.push(listener);
    else this.#tell(listener, this.#end);
  }

  fail(error: Error): void {
    this.#request.owner?.interrupt(error);
  }

  /** A response begins: its listeners may change it, the last one first, as the layers of an onion would. */
  static start(hooks: ResponseHooks, status: string, headers: HeaderPair[]): BeginningResponse {
    if (!Array.isArray(headers)) return { status, headers };
    const response: BeginningResponse = { status, headers: [...headers] };
    const listeners = hooks.#startListeners;
    for (let i = listeners.length - 1; i >= 0; i--) {
      try {
        listeners[i]?.(response);
      } catch (error) {
        // The error response that tells of it begins without this one.
        hooks.#startListeners = listeners.filter((_, index) => index !== i);
        throw error;
      }
    }
    return response;
  }

  /** Nobody is told any more that a response begins. */
  static forget(hooks: ResponseHooks): void {
    hooks.#startListeners = [];
  }

  /** The request is over. */
  static end(hooks: ResponseHooks, end: Omit<RequestEnd, 'durationMs'>): void {
    if (hooks.#end !== undefined) return;
    hooks.#end = { ...end, durationMs: performance.now() - hooks.#beganMs };
    for (const listener of hooks.#endListeners) hooks.#tell(listener, hooks.#end);
  }

  #tell(listener: EndListener, end: RequestEnd): void {
    try {
      listener(end);
    } catch (error) {
      this.#request.reportLate(toError(error));
    }
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
