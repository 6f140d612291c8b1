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
import { Eventual, follow, type Settler } from './eventual.js';
import { describeParts, mergeDeclaredHeaders, resolveCallable, startParts, stopParts } from './parts.js';
import { WsgiResponse } from './wsgi-response.js';

/** Changes a response that has not begun, or replaces it; nothing leaves it as it is. */
export type ResponseMiddleware = ((
  environ: Environ,
  response: WsgiResponse,
) => WsgiResponse | undefined | null | void | PromiseLike<WsgiResponse | undefined | null | void>) & {
  /** The request headers that it reads, as in {@link Part.headers}: it may run when the handler has gone async. */
  headers?: readonly string[] | undefined;
};

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
  /** The headers that its middleware, response middleware too, read later, when all of them declare theirs. */
  readonly headers: readonly string[] | undefined;
  readonly #middleware: readonly Middleware[];
  readonly #stack: Stack;

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
    this.#stack = {
      calls: middleware.map((one, index) => resolveCallable(one, `middleware ${index}`)),
      responseMiddleware: [...responseMiddleware],
    };
    this.headers = mergeDeclaredHeaders([...middleware, ...responseMiddleware]);
  }

  /** Answers a request: the contract's call. */
  handle(environ: Environ, startResponse: StartResponse): Handled | PromiseLike<Handled> {
    return walk(this.#stack, environ, startResponse, 0);
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
}

/** What a handler runs. */
interface Stack {
  readonly calls: readonly MiddlewareFunction[];
  readonly responseMiddleware: readonly ResponseMiddleware[];
}

/** Calls one middleware after the other until one answers. */
function walk(
  stack: Stack,
  environ: Environ,
  startResponse: StartResponse,
  from: number,
): Handled | PromiseLike<Handled> {
  const { calls } = stack;
  let result: MiddlewareResult | PromiseLike<MiddlewareResult>;
  let next = from;
  try {
    while ((result === undefined || result === null) && next < calls.length) {
      result = (calls[next] as MiddlewareFunction)(environ, startResponse);
      next++;
    }
  } catch (error) {
    return fail(stack, environ, startResponse, error);
  }
  if (result === undefined || result === null)
    return respond(stack, environ, startResponse, notFoundResponse(environ));
  // A list is what most return, and the two questions below take time.
  if (Array.isArray(result)) return result as Handled;
  if (isThenable(result)) return new Pause(stack, environ, startResponse, next).wait(result);
  return result instanceof WsgiResponse ? respond(stack, environ, startResponse, result) : result;
}

/** A walk that waits for the promise of a middleware. */
class Pause implements Settler<MiddlewareResult> {
  readonly #stack: Stack;
  readonly #environ: Environ;
  readonly #startResponse: StartResponse;
  readonly #next: number;
  readonly #outcome = new Eventual<Handled>();

  constructor(stack: Stack, environ: Environ, startResponse: StartResponse, next: number) {
    this.#stack = stack;
    this.#environ = environ;
    this.#startResponse = startResponse;
    this.#next = next;
  }

  wait(promise: PromiseLike<MiddlewareResult>): PromiseLike<Handled> {
    follow(promise, this);
    return this.#outcome;
  }

  resolve(result: MiddlewareResult): void {
    const startResponse = this.#startResponse;
    try {
      if (result === undefined || result === null)
        this.#settle(walk(this.#stack, this.#environ, startResponse, this.#next));
      else if (result instanceof WsgiResponse)
        this.#settle(respond(this.#stack, this.#environ, startResponse, result));
      else this.#outcome.resolve(result);
    } catch (error) {
      this.#outcome.reject(error);
    }
  }

  reject(error: unknown): void {
    try {
      this.#settle(fail(this.#stack, this.#environ, this.#startResponse, error));
    } catch (failure) {
      this.#outcome.reject(failure);
    }
  }

  #settle(result: Handled | PromiseLike<Handled>): void {
    if (isThenable(result)) follow(result, this.#outcome);
    else this.#outcome.resolve(result);
  }
}

function fail(
  stack: Stack,
  environ: Environ,
  startResponse: StartResponse,
  error: unknown,
): Handled | PromiseLike<Handled> {
  return respond(stack, environ, startResponse, errorResponse(environ, error), toError(error));
}

/** Runs the response middleware, then starts the response. */
function respond(
  stack: Stack,
  environ: Environ,
  startResponse: StartResponse,
  response: WsgiResponse,
  excInfo?: Error,
): Handled | PromiseLike<Handled> {
  const { responseMiddleware } = stack;
  let current = response;
  for (let i = 0; i < responseMiddleware.length; i++) {
    const result = run(responseMiddleware[i] as ResponseMiddleware, environ, current);
    if (isThenable(result)) {
      const rest = responseMiddleware.slice(i + 1);
      return respondLater(rest, environ, startResponse, current, result, excInfo);
    }
    current = replace(current, result);
  }
  return current.start(startResponse, excInfo);
}

async function respondLater(
  rest: readonly ResponseMiddleware[],
  environ: Environ,
  startResponse: StartResponse,
  response: WsgiResponse,
  first: PromiseLike<WsgiResponse | undefined | null | void>,
  excInfo: Error | undefined,
): Promise<Handled> {
  let current = response;
  try {
    current = replace(current, await first);
    for (const middleware of rest) {
      current = replace(current, await middleware(environ, current));
    }
  } catch (error) {
    current.close();
    throw error;
  }
  return current.start(startResponse, excInfo);
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
