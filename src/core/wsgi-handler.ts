import {
  type Environ,
  type Middleware,
  type MiddlewareFunction,
  type MiddlewareResult,
  type Part,
  type PartDescription,
  type StartContext,
  type StartResponse,
  TAKEN,
} from './contract.js';
import { middlewareError } from './contract-errors.js';
import { errorResponse, notFoundResponse } from './error-response.js';
import { describeValue, isThenable, refuseUnknown, requireOptions, toError } from './errors.js';
import { Eventual, follow, type Settler } from './eventual.js';
import { describeParts, mergeDeclaredHeaders, resolveCallable, startParts, stopParts } from './parts.js';
import { WsgiResponse } from './wsgi-response.js';

/** What a response middleware may return. */
type Replacement = WsgiResponse | undefined | null | void;

/**
 * Changes a response that has not begun, or replaces it; nothing leaves it as it is. It may declare the request headers
 * that it reads, as a {@link Part} does.
 */
export type ResponseMiddleware = ((
  environ: Environ,
  response: WsgiResponse,
) => Replacement | PromiseLike<Replacement>) &
  Pick<Part, 'headers'> & { runsOn?: 'response' | undefined };

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
  /** The headers that its middleware and response middleware read later, when all of them declare theirs. */
  readonly headers: readonly string[] | undefined;
  readonly #middleware: readonly Middleware[];
  readonly #stack: Stack;

  /** @throws {TypeError} for something that is neither a function nor has `handle` */
  constructor(middleware: readonly Middleware[], options: WsgiHandlerOptions = {}) {
    if (!Array.isArray(middleware)) {
      throw new TypeError(
        `WsgiHandler takes an array of middleware: new WsgiHandler([waitForBody(), app]); received ${describeValue(middleware)}`,
      );
    }
    const { responseMiddleware = [], ...unknown } = requireOptions('WsgiHandler', options);
    refuseUnknown('WsgiHandler', unknown, ['responseMiddleware']);
    if (!Array.isArray(responseMiddleware)) {
      throw new TypeError(
        `responseMiddleware must be an array; received ${describeValue(responseMiddleware)}`,
      );
    }
    for (const [index, one] of responseMiddleware.entries()) {
      if (typeof one !== 'function') {
        throw new TypeError(
          `responseMiddleware must be functions (environ, response) => response; received ${describeValue(one)} at ${index}`,
        );
      }
      const { name, runsOn } = one as { name: string; runsOn?: unknown };
      if (runsOn !== 'request') continue;
      throw new TypeError(
        `responseMiddleware ${index}${name === '' ? '' : ` (${name})`} is middleware, which runs before there is a response: put it into the first array: new WsgiHandler([middleware, app])`,
      );
    }
    this.#middleware = [...middleware];
    this.#stack = {
      middleware: this.#middleware,
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
  readonly middleware: readonly Middleware[];
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
  if (result instanceof WsgiResponse) return respond(stack, environ, startResponse, result);
  if (isNoResult(result)) return fail(stack, environ, startResponse, explain(stack, next, result));
  return result;
}

/** True for what can be no answer, whatever it holds. */
function isNoResult(result: unknown): boolean {
  return (typeof result !== 'object' && result !== TAKEN) || result instanceof Error;
}

/** @param next - the place behind the middleware at fault */
function explain({ middleware }: Stack, next: number, result: unknown): Error {
  const one = middleware[next - 1] as Middleware;
  const name = typeof one === 'function' ? one.name : (one.constructor?.name ?? '');
  return middlewareError(result, next - 1, name);
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
      else if (isNoResult(result)) this.reject(explain(this.#stack, this.#next, result));
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
      const from = responseMiddleware.slice(i);
      return respondLater(from, environ, startResponse, current, result as PromiseLike<Replacement>, excInfo);
    }
    current = result;
  }
  return current.start(startResponse, excInfo);
}

async function respondLater(
  [waiting, ...rest]: readonly ResponseMiddleware[],
  environ: Environ,
  startResponse: StartResponse,
  response: WsgiResponse,
  first: PromiseLike<Replacement>,
  excInfo: Error | undefined,
): Promise<Handled> {
  let current = response;
  try {
    current = replace(current, await first, waiting);
    for (const middleware of rest) {
      current = replace(current, await middleware(environ, current), middleware);
    }
  } catch (error) {
    current.close();
    throw error;
  }
  return current.start(startResponse, excInfo);
}

/** Calls a response middleware and gives what becomes of the response; one that it fails on is closed. */
function run(
  middleware: ResponseMiddleware,
  environ: Environ,
  response: WsgiResponse,
): WsgiResponse | PromiseLike<Replacement> {
  try {
    const result = middleware(environ, response);
    return isThenable(result)
      ? (result as PromiseLike<Replacement>)
      : replace(response, result as Replacement, middleware);
  } catch (error) {
    response.close();
    throw error;
  }
}

function replace(
  current: WsgiResponse,
  result: Replacement,
  by: ResponseMiddleware | undefined,
): WsgiResponse {
  if (result === undefined || result === null || result === current) return current;
  if (!(result instanceof WsgiResponse)) {
    const name = by?.name ? ` (${by.name})` : '';
    throw new TypeError(
      `Response middleware${name} returns nothing or a WsgiResponse; received ${describeValue(result)}`,
    );
  }
  if (result.content !== current.content) current.close();
  return result;
}
