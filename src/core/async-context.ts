import type { AsyncResource } from 'node:async_hooks';
import { Stream } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { type AnyIterator, findClose, iterateBody } from './body-pump.js';
import type { Body, Chunk } from './contract.js';

/**
 * A body that runs in an async context, as a gateway asks for its chunks outside of it: generators, and what else makes its
 * chunks when asked. Arrays and streams of Node and of the web stay as they are.
 */
export function bindBody(body: Body, resource: AsyncResource): Body {
  return typeof body === 'object' && body !== null && isLazy(body) ? new BoundBody(body, resource) : body;
}

/** True for a body whose code runs while it is sent. */
function isLazy(body: object): boolean {
  if (body instanceof Stream || body instanceof ReadableStream) return false;
  if (Symbol.asyncIterator in body) return true;
  return Symbol.iterator in body && ('next' in body || 'close' in body);
}

/** A body that runs in an async context, and looks like the kind that it wraps. */
class BoundBody {
  readonly #body: Body;
  readonly #resource: AsyncResource;
  #iterator: AnyIterator | undefined;

  declare [Symbol.iterator]: () => Iterator<Chunk | Promise<Chunk>>;
  declare [Symbol.asyncIterator]: () => AsyncIterator<Chunk>;

  constructor(body: Body, resource: AsyncResource) {
    this.#body = body;
    this.#resource = resource;
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
