import type { ServerOptions } from '../app/server-options.js';
import { resolveSettings } from '../app/settings.js';
import { createLogger } from '../app/text-logger.js';
import type { App, Chunk, Middleware } from '../core/contract.js';
import { VelaError } from '../core/errors.js';
import { Exchange } from '../core/exchange.js';
import { Incoming } from '../core/incoming.js';
import type { Logger } from '../core/logger.js';
import { resolveCallable, resolveDeclaredHeaders } from '../core/parts.js';
import type { RequestHead } from '../core/request-fields.js';
import type { ServerFacts } from '../core/request-host.js';
import type { Service } from '../core/service.js';
import { VERSION } from '../core/version.js';
import { WaitQueue } from '../core/wait-queue.js';
import { WsgiHandler } from '../core/wsgi-handler.js';
import { CookieJar } from './cookie-jar.js';
import { MemoryResponse, MemoryTransport, type RequestBody } from './memory-transport.js';
import { TestResponse } from './test-response.js';

/** One request of a {@link TestClient}. */
export interface TestRequest {
  /** @defaultValue GET, or POST with a body */
  method?: string;
  /** Header lines: an object, or pairs where a name is repeated. */
  headers?: Record<string, string> | readonly (readonly [string, string])[];
  /** Text and bytes are sent with a Content-Length, anything iterable chunked. */
  body?: string | Uint8Array | RequestBody;
  /** Sent as JSON; instead of `body`. */
  json?: unknown;
  /** Aborting it is the client going away. */
  signal?: AbortSignal;
}

/** Options of {@link testClient}: those of a server, without its address, and a logger to look into. */
export interface TestClientOptions
  extends Pick<ServerOptions, 'debug' | 'requestTimeoutMs' | 'stallTimeoutMs' | 'maxBodyBytes'> {
  /** @defaultValue one that is silent */
  logger?: Logger;
}

/** Sends requests to an application in memory, through the same contract as a server's, and keeps cookies. */
export interface TestClient {
  /**
   * Resolves when the response has begun. Rejects with `ERR_TEST_CUT` when the connection is cut before, and with
   * `ERR_LINT` when {@link lint} found a breach of the contract: a server would answer 500, a test wants to see it.
   */
  request(target: string, request?: TestRequest): Promise<TestResponse>;
  get(target: string, request?: TestRequest): Promise<TestResponse>;
  head(target: string, request?: TestRequest): Promise<TestResponse>;
  post(target: string, request?: TestRequest): Promise<TestResponse>;
  put(target: string, request?: TestRequest): Promise<TestResponse>;
  patch(target: string, request?: TestRequest): Promise<TestResponse>;
  delete(target: string, request?: TestRequest): Promise<TestResponse>;
  options(target: string, request?: TestRequest): Promise<TestResponse>;
  /** Stops the application's parts, and cuts what is under way. */
  close(): Promise<void>;
}

/**
 * A client for tests: no socket, no port. The application is started before the first request; `close` stops it.
 * A middleware is given alone, or within a WsgiHandler.
 * @example
 * const client = testClient(lint(app));
 * const response = await client.get('/');
 */
export function testClient(app: App | Middleware, options: TestClientOptions = {}): TestClient {
  const { logger: given = createLogger('silent', 'text'), ...serverOptions } = options;
  const breaches: Error[] = [];
  const logger = watchBreaches(given, breaches);
  const config = resolveSettings(serverOptions);
  const handler = new WsgiHandler([app as Middleware]);
  const facts: ServerFacts = {
    host: 'testserver',
    port: '80',
    scheme: 'http',
    software: `vela/${VERSION}`,
    multiprocess: false,
    config,
    logger,
    errors: { write: () => {}, writelines: () => {}, flush: () => {} },
  };
  const service: Service<MemoryResponse> = {
    app: resolveCallable(app as App, 'The application'),
    headers: resolveDeclaredHeaders(app.headers),
    facts,
    transport: new MemoryTransport(),
    waits: new WaitQueue(config.requestTimeoutMs),
    stalls: new WaitQueue(config.stallTimeoutMs),
    isDraining: false,
  };
  const jar = new CookieJar();
  let started: Promise<void> | undefined;

  async function request(target: string, init: TestRequest = {}): Promise<TestResponse> {
    started ??= handler.start({ config, logger });
    await started;
    const path = target.split('?', 1)[0] as string;
    const response = send(service, target, path, withDefaults(init, jar.header(path)));
    await response.head.catch((error: unknown) => {
      throw breaches.shift() ?? error;
    });
    const breach = breaches.shift();
    if (breach !== undefined) throw breach;
    for (const [name, value] of response.headers) {
      if (name.toLowerCase() === 'set-cookie') jar.store(value, path);
    }
    return new TestResponse(response);
  }

  const withMethod =
    (method: string) =>
    (target: string, init: TestRequest = {}) =>
      request(target, { method, ...init });
  return {
    request,
    get: withMethod('GET'),
    head: withMethod('HEAD'),
    post: withMethod('POST'),
    put: withMethod('PUT'),
    patch: withMethod('PATCH'),
    delete: withMethod('DELETE'),
    options: withMethod('OPTIONS'),
    async close() {
      for (const queue of [service.waits, service.stalls]) {
        for (const exchange of queue) (exchange as Exchange<MemoryResponse>).cutOff();
        queue.stop();
      }
      if (started !== undefined) await handler.stop();
    },
  };
}

/** The same logger; what it is told of breaches of the contract is noted. */
function watchBreaches(logger: Logger, breaches: Error[]): Logger {
  return {
    debug: (details, message) => logger.debug(details, message),
    info: (details, message) => logger.info(details, message),
    warn: (details, message) => logger.warn(details, message),
    error(details, message) {
      const { err } = details as { err?: unknown };
      if (err instanceof VelaError && err.code === 'ERR_LINT') breaches.push(err);
      logger.error(details, message);
    },
  };
}

interface Prepared {
  method: string;
  /** Names in lower case. */
  headers: [string, string][];
  body: RequestBody;
  /** -1 when it is not known. */
  bodyBytes: number;
  signal: AbortSignal | undefined;
}

function withDefaults(
  { method, headers = {}, body, json, signal }: TestRequest,
  cookie: string | undefined,
): Prepared {
  const content = json === undefined ? body : JSON.stringify(json);
  const pairs = Array.isArray(headers)
    ? (headers as [string, string][])
    : Object.entries(headers as Record<string, string>);
  const given: [string, string][] = pairs.map(([name, value]) => [name.toLowerCase(), value]);
  const add = (name: string, value: string) => {
    if (!given.some((pair) => pair[0] === name)) given.push([name, value]);
  };
  add('host', 'testserver');
  if (cookie !== undefined) add('cookie', cookie);
  if (json !== undefined) add('content-type', 'application/json');
  const isWhole = typeof content === 'string' || content instanceof Uint8Array;
  if (isWhole) add('content-length', String(Buffer.byteLength(content)));
  else if (content !== undefined) add('transfer-encoding', 'chunked');
  return {
    method: method ?? (content === undefined ? 'GET' : 'POST'),
    headers: given,
    body: content === undefined ? [] : isWhole ? [content as Chunk] : content,
    bodyBytes: content === undefined ? 0 : isWhole ? Buffer.byteLength(content) : -1,
    signal,
  };
}

function send(
  service: Service<MemoryResponse>,
  target: string,
  path: string,
  request: Prepared,
): MemoryResponse {
  const response = new MemoryResponse(request.body);
  const query = path === target ? undefined : target.slice(path.length + 1);
  const head: RequestHead = {
    getQuery: () => query,
    getHeader: (name) => request.headers.find((pair) => pair[0] === name)?.[1] ?? '',
    forEach(callback) {
      for (const [name, value] of request.headers) callback(name, value);
    },
  };
  const length = head.getHeader('content-length');
  const incoming = new Incoming(
    service,
    response,
    request.method,
    path,
    head,
    undefined,
    length,
    request.bodyBytes,
    false,
  );
  const exchange = new Exchange(service, response, incoming);
  const abort = () => {
    response.lose(request.signal?.reason as Error);
    exchange.aborted();
  };
  request.signal?.addEventListener('abort', abort, { once: true });
  exchange.run();
  if (request.signal?.aborted === true) abort();
  return response;
}
