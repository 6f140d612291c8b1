import { AsyncResource } from 'node:async_hooks';
import { Stream } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { type AnyIterator, findClose, iterateBody } from './body-pump.js';
import type { Body, Chunk, MiddlewareResult } from './contract.js';
import { isThenable } from './errors.js';
import { WsgiResponse } from './wsgi-response.js';

/**
 * Binds what an application returns to the async context of this call, as a gateway asks for a body's chunks outside of it:
 * generators, and what else makes its chunks when asked. Arrays and streams of Node and of the web stay as they are.
 */
export function bindResult(
  result: MiddlewareResult | PromiseLike<MiddlewareResult>,
): MiddlewareResult | PromiseLike<MiddlewareResult> {
  if (Array.isArray(result)) return result;
  if (isThenable(result)) return (result as PromiseLike<MiddlewareResult>).then(bindSettled);
  return bindSettled(result as MiddlewareResult);
}

function bindSettled(result: MiddlewareResult): MiddlewareResult {
  if (result instanceof WsgiResponse) {
    const { content } = result;
    return typeof content === 'object' && isLazy(content) ? bindResponse(result, content) : result;
  }
  return typeof result === 'object' && result !== null && isLazy(result) ? new BoundBody(result) : result;
}

/** A copy, as an application may give the same response again; one of a class of the user's cannot be copied. */
function bindResponse(response: WsgiResponse, content: Body): WsgiResponse {
  const isPlain = Object.getPrototypeOf(response) === WsgiResponse.prototype;
  const bound = isPlain
    ? Object.assign(Object.create(WsgiResponse.prototype) as WsgiResponse, response)
    : response;
  bound.content = new BoundBody(content);
  return bound;
}

/** True for a body whose code runs while it is sent, unless that is bound already. */
function isLazy(body: object): body is Body {
  if (body instanceof Stream || body instanceof ReadableStream || body instanceof BoundBody) return false;
  if (Symbol.asyncIterator in body) return true;
  return Symbol.iterator in body && ('next' in body || 'close' in body);
}

/** A body that runs in the async context that it was made in, and looks like the kind that it wraps. */
class BoundBody {
  readonly #body: Body;
  readonly #resource = new AsyncResource('vela.Body');
  #iterator: AnyIterator | undefined;

  declare [Symbol.iterator]: () => Iterator<Chunk | Promise<Chunk>>;
  declare [Symbol.asyncIterator]: () => AsyncIterator<Chunk>;

  constructor(body: Body) {
    this.#body = body;
    const kind = Symbol.asyncIterator in body ? Symbol.asyncIterator : Symbol.iterator;
    Object.defineProperty(this, kind, { value: () => this.#iterate() });
  }

  close(): unknown {
    return this.#resource.runInAsyncScope(() =>
      findClose(this.#body, this.#iterator, { report: () => {} })?.(),
    );
  }

  #iterate(): AnyIterator {
    const resource = this.#resource;
    const iterator = resource.runInAsyncScope(iterateBody, undefined, this.#body);
    this.#iterator = iterator;
    return { next: () => resource.runInAsyncScope(iterator.next, iterator) };
  }
}
