import type { App, ConnectionInfo } from '../core/contract.js';
import { describeValue, ImproperlyConfigured, VelaError } from '../core/errors.js';
import { hasNoBody } from '../core/response-head.js';
import type { Service } from '../core/service.js';
import { TopicMap } from '../core/topic-map.js';
import { answerInMemory, type MemoryRequest } from '../gateway/memory-request.js';
import { type MemoryErrors, MemoryResponse, MemoryTransport } from '../gateway/memory-transport.js';
import { AppHost, type HostedPart, type HostOptions } from './app-host.js';
import { statusError } from './fetch-errors.js';

/** Options of {@link toFetch}. */
export interface ToFetchOptions extends HostOptions {
  /**
   * Says who the client is, for REMOTE_ADDR, of what the server gives its handlers: no Request tells it.
   * @defaultValue `''`
   * @example (request, info) => info.remoteAddr.hostname // Deno
   */
  clientAddress?: (request: Request, ...context: never[]) => string;
}

/** Of a Response. */
const LARGEST_STATUS = 599;

/** An application as a fetch handler. */
export type FetchApp = ((request: Request, ...context: unknown[]) => Promise<Response>) & HostedPart;

/**
 * Makes a fetch handler of an application: for Deno and Bun, for `Hono.mount`, for service workers and tests. Bodies are
 * streamed both ways, as they are read; `request.signal`, and whoever cancels the response's body, stop the work.
 *
 * The promise rejects when the application cuts the connection before it has answered; later, the body errors.
 * @throws {TypeError} for what is no application; {@link ImproperlyConfigured} for wrong options
 * @example export default { fetch: toFetch(app) };
 */
export function toFetch(app: App, options: ToFetchOptions = {}): FetchApp {
  const { clientAddress, ...hosted } = options;
  if (clientAddress !== undefined && typeof clientAddress !== 'function')
    throw new ImproperlyConfigured(
      `Option "clientAddress" of toFetch() is a function (request, ...context) => address; received ${describeValue(clientAddress)}`,
    );
  const host = new AppHost('toFetch', app, hosted);
  const transport = new MemoryTransport(new TopicMap());
  const services = { 'http:': host.serve(transport, 'http'), 'https:': host.serve(transport, 'https') };

  const handler = async (request: Request, ...context: unknown[]): Promise<Response> => {
    if (!host.isStarted) await host.start();
    if (host.isStopping) return new Response('The server is stopping.\n', { status: 503 });
    const url = new URL(request.url);
    const service = services[url.protocol === 'https:' ? 'https:' : 'http:'];
    const remoteAddress = clientAddress?.(request, ...(context as never[])) ?? '';
    return answer(service, request, url, remoteAddress);
  };
  return Object.assign(handler, { start: () => host.start(), stop: () => host.stop() });
}

async function answer(
  service: Service<MemoryResponse>,
  request: Request,
  url: URL,
  remoteAddress: string,
): Promise<Response> {
  const encrypted = url.protocol === 'https:';
  const connection: ConnectionInfo = { remoteAddress, remotePort: undefined, encrypted, gateway: 'fetch' };
  const response = new MemoryResponse(request.body ?? [], { errors: ERRORS, connection });
  const leave = answerInMemory(service, response, readRequest(request, url));
  await response.head;
  const body = request.method === 'HEAD' || hasNoBody(response.code) ? null : openBody(response, leave);
  const headers = response.headers as [string, string][];
  const { code, status } = response;
  if (code <= LARGEST_STATUS)
    return new Response(body, { status: code, statusText: status.slice(4), headers });
  const error = statusError(status);
  service.facts.logger.warn({ err: error }, error.message);
  return new Response(body, { status: 500, headers });
}

function readRequest(request: Request, { pathname, search, host }: URL): MemoryRequest {
  const headers = [...request.headers] as [string, string][];
  if (!request.headers.has('host')) headers.push(['host', host]);
  const stated = request.headers.get('content-length');
  const isStated = stated !== null && /^\d{1,15}$/.test(stated);
  return {
    method: request.method,
    path: pathname,
    query: search === '' ? undefined : search.slice(1),
    headers,
    bodyBytes: request.body === null ? 0 : isStated ? Number(stated) : -1,
    signal: request.signal,
  };
}

/** The body of a response: bytes, where they are there already, or a stream that is read as it is wanted. */
function openBody(response: MemoryResponse, leave: (reason: Error) => void): Uint8Array | ReadableStream {
  const whole = response.takeWhole();
  if (whole !== undefined) return whole;
  const chunks = response.read();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      cancel() {
        leave(new VelaError('ERR_CLIENT_ABORTED', 'Nobody wants the rest of the response'));
      },
    },
    { highWaterMark: 0 },
  );
}

const ERRORS: MemoryErrors = {
  read: () => new TypeError('Body is unusable: Body has already been read'),
  body: (cause) =>
    new VelaError('ERR_CLIENT_ABORTED', 'The body of the request ended with an error', { cause }),
  cut: (error) => error,
};
