import type {
  Environ,
  Middleware,
  MiddlewareFunction,
  MiddlewareResult,
  Part,
  PartDescription,
  StartContext,
  StartResponse,
} from './contract.js';
import { errorResponse, notFoundResponse } from './error-response.js';
import { describeValue, isThenable, refuseUnknown, requireOptions, toError } from './errors.js';
import { describeParts, mergeDeclaredHeaders, resolveCallable, startParts, stopParts } from './parts.js';
import { WsgiResponse } from './wsgi-response.js';

/** Changes a response that has not begun, or replaces it; nothing leaves it as it is. */
export type ResponseMiddleware = (
  environ: Environ,
  response: WsgiResponse,
) => WsgiResponse | undefined | null | void | PromiseLike<WsgiResponse | undefined | null | void>;

/** Options of a {@link WsgiHandler}. */
export interface WsgiHandlerOptions {
  /** Runs in order on every WsgiResponse, error responses included, before it starts. */
  responseMiddleware?: readonly ResponseMiddleware[];
}

/** What `handle` gives: never nothing. */
type Handled = Exclude<MiddlewareResult, undefined | null | void>;

/**
 * Middleware in order: the first that returns something ends the walk. When none does, the answer is 404; what one
 * throws becomes an error response. A handler is itself an application, so handlers nest.
 *
 * A walk in which no middleware returns a promise is synchronous to the socket.
 * @example new WsgiHandler([waitForBody(), router])
 */
export class WsgiHandler implements Part {
  /** The headers that its middleware read later, when all of them declare theirs. */
  readonly headers: readonly string[] | undefined;
  readonly #middleware: readonly Middleware[];
  readonly #calls: readonly MiddlewareFunction[];
  readonly #responseMiddleware: readonly ResponseMiddleware[];

  /** @throws {TypeError} for something that is neither a function nor has `handle` */
  constructor(middleware: readonly Middleware[], options: WsgiHandlerOptions = {}) {
    const { responseMiddleware = [], ...unknown } = requireOptions('WsgiHandler', options);
    refuseUnknown('WsgiHandler', unknown, ['responseMiddleware']);
    if (!Array.isArray(middleware)) {
      throw new TypeError('WsgiHandler takes an array of middleware: new WsgiHandler([waitForBody(), app])');
    }
    if (!Array.isArray(responseMiddleware)) {
      throw new TypeError(
        `responseMiddleware must be an array; received ${describeValue(responseMiddleware)}`,
      );
    }
    for (const [index, one] of responseMiddleware.entries()) {
      if (typeof one === 'function') continue;
      throw new TypeError(
        `responseMiddleware must be functions (environ, response) => response; received ${describeValue(one)} at ${index}`,
      );
    }
    this.#middleware = [...middleware];
    this.#calls = middleware.map((one, index) => resolveCallable(one, `middleware ${index}`));
    this.#responseMiddleware = [...responseMiddleware];
    this.headers = mergeDeclaredHeaders(middleware);
  }

  /** Answers a request: the contract's call. */
  handle(environ: Environ, startResponse: StartResponse): Handled | PromiseLike<Handled> {
    return this.#walk(environ, startResponse, 0);
  }

  /** Starts its middleware in order. */
  async start(context: StartContext): Promise<void> {
    await startParts(this.#middleware, context);
  }

  /** Stops its middleware in reverse order. */
  async stop(): Promise<void> {
    await stopParts(this.#middleware);
  }

  describe(): PartDescription {
    return { name: 'WsgiHandler', parts: describeParts(this.#middleware) };
  }

  #walk(environ: Environ, startResponse: StartResponse, from: number): Handled | PromiseLike<Handled> {
    const calls = this.#calls;
    let result: MiddlewareResult | PromiseLike<MiddlewareResult>;
    let next = from;
    try {
      while ((result === undefined || result === null) && next < calls.length) {
        result = (calls[next] as MiddlewareFunction)(environ, startResponse);
        next++;
      }
    } catch (error) {
      return this.#fail(environ, startResponse, error);
    }
    if (result === undefined || result === null)
      return this.#respond(environ, startResponse, notFoundResponse(environ));
    if (isThenable(result)) return this.#wait(result, environ, startResponse, next);
    return result instanceof WsgiResponse ? this.#respond(environ, startResponse, result) : result;
  }

  #wait(
    promise: PromiseLike<MiddlewareResult>,
    environ: Environ,
    startResponse: StartResponse,
    next: number,
  ): PromiseLike<Handled> {
    return promise.then(
      (result) => {
        if (result === undefined || result === null) return this.#walk(environ, startResponse, next);
        return result instanceof WsgiResponse ? this.#respond(environ, startResponse, result) : result;
      },
      (error: unknown) => this.#fail(environ, startResponse, error),
    );
  }

  #fail(environ: Environ, startResponse: StartResponse, error: unknown): Handled | PromiseLike<Handled> {
    return this.#respond(environ, startResponse, errorResponse(environ, error), toError(error));
  }

  /** Runs the response middleware, then starts the response. */
  #respond(
    environ: Environ,
    startResponse: StartResponse,
    response: WsgiResponse,
    excInfo?: Error,
  ): Handled | PromiseLike<Handled> {
    let current = response;
    for (let i = 0; i < this.#responseMiddleware.length; i++) {
      const result = run(this.#responseMiddleware[i] as ResponseMiddleware, environ, current);
      if (isThenable(result))
        return this.#respondLater(environ, startResponse, current, result, i + 1, excInfo);
      current = replace(current, result);
    }
    return current.start(startResponse, excInfo);
  }

  async #respondLater(
    environ: Environ,
    startResponse: StartResponse,
    response: WsgiResponse,
    first: PromiseLike<WsgiResponse | undefined | null | void>,
    next: number,
    excInfo: Error | undefined,
  ): Promise<Handled> {
    let current = response;
    try {
      current = replace(current, await first);
      for (const middleware of this.#responseMiddleware.slice(next)) {
        current = replace(current, await middleware(environ, current));
      }
    } catch (error) {
      current.close();
      throw error;
    }
    return current.start(startResponse, excInfo);
  }
}

/** Calls a response middleware; the response that it fails on is closed. */
function run(
  middleware: ResponseMiddleware,
  environ: Environ,
  response: WsgiResponse,
): ReturnType<ResponseMiddleware> {
  try {
    return middleware(environ, response);
  } catch (error) {
    response.close();
    throw error;
  }
}

function replace(current: WsgiResponse, result: WsgiResponse | undefined | null | void): WsgiResponse {
  if (result === undefined || result === null || result === current) return current;
  if (result.content !== current.content) current.close();
  return result;
}
