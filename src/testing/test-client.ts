import { setMaxListeners } from 'node:events';
import { createLogger } from '../app/create-logger.js';
import { type LogLevelRule, parseLogLevels } from '../app/log-levels.js';
import { resolveSettings } from '../app/resolve-settings.js';
import type { ServerOptions } from '../app/server-options.js';
import type { App, ConnectionInfo, Middleware } from '../core/contract.js';
import { describeValue, refuseUnknown, requireOptions, VelaError } from '../core/errors.js';
import type { Exchange } from '../core/exchange.js';
import { type Logger, nameLogger } from '../core/logger.js';
import { resolveCallable, resolveDeclaredHeaders } from '../core/parts.js';
import { tellChannels } from '../core/request-channels.js';
import { describeServer } from '../core/server-facts.js';
import { addTopicHub } from '../core/topic-hubs.js';
import { TopicMap } from '../core/topic-map.js';
import { WaitQueue } from '../core/wait-queue.js';
import { WidestLimits } from '../core/websocket-limits.js';
import { WsgiHandler } from '../core/wsgi-handler.js';
import { answerInMemory } from '../gateway/memory-request.js';
import { type MemoryErrors, MemoryResponse, MemoryTransport } from '../gateway/memory-transport.js';
import { CookieJar } from './cookie-jar.js';
import { handshakeHeaders, type TestHandshake } from './test-handshake.js';
import { prepareRequest, type TestRequest } from './test-request.js';
import { TestResponse } from './test-response.js';
import { TestWebSocket } from './test-websocket.js';

/** Options of {@link testClient}: those of a server, without its address, and where its log goes. */
export interface TestClientOptions
  extends Pick<
    ServerOptions,
    'debug' | 'requestTimeoutMs' | 'stallTimeoutMs' | 'maxBodyBytes' | 'threadWorkers'
  > {
  /** Least important log lines that are written to standard error; `silent` for none. @defaultValue `error` */
  logLevel?: LogLevelRule | readonly LogLevelRule[];
  /** Takes all log lines, in place of standard error. */
  logger?: Logger;
}

const KNOWN = [
  'debug',
  'requestTimeoutMs',
  'stallTimeoutMs',
  'maxBodyBytes',
  'threadWorkers',
  'logLevel',
  'logger',
] as const;

const CONNECTION: ConnectionInfo = Object.freeze({
  remoteAddress: '127.0.0.1',
  remotePort: undefined,
  encrypted: false,
  gateway: 'memory',
});

const TEST_ERRORS = {
  read: () =>
    new VelaError(
      'ERR_TEST_READ',
      'The body of this response was read already: read it once, and keep what text(), json(), bytes() or body gave',
    ),
  body: (cause: unknown) => new VelaError('ERR_TEST_BODY', 'The body of a test request threw', { cause }),
  cut: (): Error =>
    new VelaError('ERR_TEST_CUT', 'The server cut the connection before the response was complete'),
};

/** Sends requests to an application in memory, through the same contract as a server's, and keeps cookies. */
export interface TestClient {
  /**
   * Resolves when the response has begun. Rejects with `ERR_TEST_CUT` when the connection is cut before, and with
   * `ERR_LINT` when {@link lint} found a breach of the contract: a server would answer 500, a test wants to see it.
   * A breach that is found later rejects the reading of the body.
   */
  request(target: string, request?: TestRequest): Promise<TestResponse>;
  get(target: string, request?: TestRequest): Promise<TestResponse>;
  head(target: string, request?: TestRequest): Promise<TestResponse>;
  post(target: string, request?: TestRequest): Promise<TestResponse>;
  put(target: string, request?: TestRequest): Promise<TestResponse>;
  patch(target: string, request?: TestRequest): Promise<TestResponse>;
  delete(target: string, request?: TestRequest): Promise<TestResponse>;
  options(target: string, request?: TestRequest): Promise<TestResponse>;
  /**
   * Opens a WebSocket.
   * @throws {VelaError} `ERR_TEST_REFUSED` with the answer, when the handshake is not accepted
   */
  websocket(target: string, request?: TestHandshake): Promise<TestWebSocket>;
  /** Stops the application's parts, and cuts what is under way; further requests reject with `ERR_TEST_CLOSED`. */
  close(): Promise<void>;
}

/**
 * A client for tests: no socket, no port. The application is started before the first request; `close` stops it.
 * A middleware is given alone, or within a WsgiHandler.
 * @throws {TypeError} for something that is no application, and for options that it does not have
 * @example
 * const client = testClient(lint(app));
 * const response = await client.get('/');
 */
export function testClient(app: App | Middleware, options: TestClientOptions = {}): TestClient {
  const call = resolveCallable(app as App, 'What testClient is given');
  const { logger: given, logLevel = 'error', ...serverOptions } = checkOptions(options);
  const config = resolveSettings({ ...serverOptions, logLevel });
  const logger = given ?? createLogger(parseLogLevels(logLevel), 'text').named('vela.wsgi');
  const handler = new WsgiHandler([app as Middleware]);
  const stopper = new AbortController();
  // Any number of requests may listen.
  setMaxListeners(0, stopper.signal);
  const facts = describeServer({
    host: 'testserver',
    config,
    logger,
    errors: { write: () => {}, writelines: () => {}, flush: () => {} },
    stopping: stopper.signal,
  });
  const shared = {
    app: tellChannels(call),
    headers: resolveDeclaredHeaders(app.headers),
    waits: new WaitQueue(config.requestTimeoutMs),
    stalls: new WaitQueue(config.stallTimeoutMs),
    isDraining: false,
  };
  const jar = new CookieJar();
  const topics = new TopicMap();
  const transport = new MemoryTransport(topics);
  const removeHub = addTopicHub(topics);
  let started: Promise<void> | undefined;
  let closing: Promise<void> | undefined;

  async function request(target: string, init: TestRequest = {}): Promise<TestResponse> {
    return new TestResponse(await exchange(target, init, false));
  }

  async function websocket(target: string, init: TestHandshake = {}): Promise<TestWebSocket> {
    const response = await exchange(target, { headers: handshakeHeaders(init) }, true);
    if (response.webSocket !== undefined) return new TestWebSocket(response.webSocket, response.headers);
    const refusal = new TestResponse(response);
    throw new VelaError(
      'ERR_TEST_REFUSED',
      `The handshake was answered with ${refusal.statusLine}: ${(await refusal.text()).trim().slice(0, 200)}`,
    );
  }

  async function exchange(target: string, init: TestRequest, isHandshake: boolean): Promise<MemoryResponse> {
    const prepared = prepareRequest(target, init, (path) => jar.header(path));
    if (closing !== undefined) throw closedError();
    started ??= handler.start({ config, logger, stopping: facts.stopping, webSockets: new WidestLimits() });
    await started;
    if (closing !== undefined) throw closedError();
    // A logger for each request, so that a breach rejects the request that it belongs to.
    const breaches: Error[] = [];
    const errors: MemoryErrors = { ...TEST_ERRORS, cut: () => breaches.shift() ?? TEST_ERRORS.cut() };
    const response = new MemoryResponse(prepared.body, { errors, connection: CONNECTION });
    response.isHandshake = isHandshake;
    const service = { ...shared, facts: { ...facts, logger: watchBreaches(logger, breaches) }, transport };
    answerInMemory(service, response, prepared);
    await response.head.catch((error: unknown) => {
      throw breaches.shift() ?? error;
    });
    const breach = breaches.shift();
    if (breach !== undefined) throw breach;
    for (const [name, value] of response.headers) {
      if (name.toLowerCase() === 'set-cookie') jar.store(value, prepared.path);
    }
    return response;
  }

  const withMethod =
    (method: string) =>
    (target: string, init: TestRequest = {}) =>
      request(target, { method, ...requireOptions('A request of testClient', init) });
  return {
    request,
    get: withMethod('GET'),
    head: withMethod('HEAD'),
    post: withMethod('POST'),
    put: withMethod('PUT'),
    patch: withMethod('PATCH'),
    delete: withMethod('DELETE'),
    options: withMethod('OPTIONS'),
    websocket,
    close() {
      closing ??= stop();
      return closing;
    },
  };

  async function stop(): Promise<void> {
    stopper.abort();
    for (const queue of [shared.waits, shared.stalls]) {
      // A copy, as what one cuts may end another.
      for (const exchange of [...queue]) (exchange as Exchange<MemoryResponse>).cutOff();
      queue.stop();
    }
    if (started !== undefined) await handler.stop();
    removeHub();
  }
}

/** Options as given. @throws {TypeError} */
function checkOptions(options: TestClientOptions): TestClientOptions {
  const known = requireOptions('testClient', options);
  const unknown = Object.keys(known).filter((key) => !(KNOWN as readonly string[]).includes(key));
  refuseUnknown('testClient', Object.fromEntries(unknown.map((key) => [key, true])), KNOWN);
  const { logger } = known;
  const methods = ['debug', 'info', 'warn', 'error'] as const;
  if (logger !== undefined && !methods.every((method) => typeof logger?.[method] === 'function')) {
    throw new TypeError(
      `testClient takes as "logger" an object with ${methods.join(', ')}; received ${describeValue(logger)}`,
    );
  }
  return known;
}

function closedError(): VelaError {
  return new VelaError(
    'ERR_TEST_CLOSED',
    'The testClient was closed: send requests before close(), or make another client',
  );
}

/** The same logger; what it is told of breaches of the contract is noted. */
function watchBreaches(logger: Logger, breaches: Error[]): Logger {
  // One that the application caught, and logged, is thrown and logged again.
  const seen = new WeakSet<Error>();
  return {
    debug: (details, message) => logger.debug(details, message),
    info: (details, message) => logger.info(details, message),
    warn: (details, message) => logger.warn(details, message),
    error(details, message) {
      const { err } = details as { err?: unknown };
      if (err instanceof VelaError && err.code === 'ERR_LINT' && !seen.has(err)) {
        seen.add(err);
        breaches.push(err);
      }
      logger.error(details, message);
    },
    named: (namespace) => watchBreaches(nameLogger(logger, namespace), breaches),
  };
}
