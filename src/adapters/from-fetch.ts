import type { AppFunction, Environ } from '../core/contract.js';
import {
  describeValue,
  ImproperlyConfigured,
  isThenable,
  refuseUnknown,
  requireOptions,
} from '../core/errors.js';
import { toWsgiResponse } from './fetch-response.js';
import { createRequest } from './lazy-request.js';
import { replaceGlobalResponse } from './light-response.js';

/** What a fetch handler is given beside the request: of Hono `c.env`. */
export interface FetchContext {
  readonly environ: Environ;
}

/** A fetch handler as a function. */
export type FetchFunction = (request: Request, context: FetchContext) => Response | Promise<Response>;

/** A fetch handler, or an object that has one, such as an application of Hono. */
export type FetchHandler = FetchFunction | { fetch: FetchFunction };

/** Options of {@link fromFetch}. */
export interface FromFetchOptions {
  /**
   * Puts a Response in the place of the platform's that keeps its text or bytes as they are: the platform's makes a stream
   * of them, which costs more than the rest of a request. It is the same in all else, and counts for all of the program.
   * @defaultValue true
   */
  replaceResponse?: boolean;
}

/**
 * Makes an application of a fetch handler, or of an object with `fetch`: an application of Hono, Elysia or h3, or what a
 * module for Deno, Bun or Cloudflare exports.
 *
 * `request.url` is the whole URL, also below a prefix. What the handler throws, or rejects with, becomes an error response.
 * The response passes through response middleware.
 * @throws {ImproperlyConfigured} for what is no handler
 * @example new WsgiHandler([accessLog(), fromFetch(hono)])
 */
export function fromFetch(handler: FetchHandler, options: FromFetchOptions = {}): AppFunction {
  const { replaceResponse = true, ...unknown } = requireOptions('fromFetch', options);
  refuseUnknown('fromFetch', unknown, ['replaceResponse']);
  if (typeof replaceResponse !== 'boolean')
    throw new ImproperlyConfigured(
      `Option "replaceResponse" of fromFetch() is true or false; received ${describeValue(replaceResponse)}`,
    );
  const call = resolveHandler(handler);
  if (replaceResponse) replaceGlobalResponse();

  const fetchApp: AppFunction = (environ) => {
    const given: unknown = call(createRequest(environ), { environ });
    if (!isThenable(given)) return toWsgiResponse(environ, given);
    return given.then((response) => toWsgiResponse(environ, response));
  };
  fetchApp.describe = () => ({ name: 'fromFetch' });
  return fetchApp;
}

function resolveHandler(handler: FetchHandler): FetchFunction {
  if (typeof handler === 'function') return handler;
  // Asked for each time: whoever puts another one in its place while the program runs is heard.
  if (typeof handler?.fetch === 'function') return (request, context) => handler.fetch(request, context);
  throw new ImproperlyConfigured(
    `fromFetch() takes a function (request) => response, or an object with one named fetch, such as a Hono application; received ${describeValue(handler)}`,
  );
}
