import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { callBelow } from '../core/call-below.js';
import {
  type App,
  type AppFunction,
  type Environ,
  type Middleware,
  type MiddlewareFunction,
  type MiddlewareResult,
  TAKEN,
} from '../core/contract.js';
import { decodePath } from '../core/decode-path.js';
import { LazyEnviron } from '../core/environ.js';
import { notFoundResponse } from '../core/error-response.js';
import { isThenable, toError, VelaError } from '../core/errors.js';
import { Incoming } from '../core/incoming.js';
import type { Service } from '../core/service.js';
import { answerNode } from '../gateway/node-answer.js';
import { type NodeExchange, NodeTransport } from '../gateway/node-transport.js';
import { NodeWebSockets } from '../gateway/node-websocket.js';
import { AppHost, type HostedPart, type HostOptions } from './app-host.js';
import { splitPrefix } from './mounted-target.js';
import { findParsedBody } from './parsed-body.js';

/** Passes a request on, in a server that has more handlers. */
export type NodeNext = (error?: unknown) => void;

/** An application as a request listener of node:http, and as middleware of Express, Connect and Fastify. */
export type NodeApp = ((request: IncomingMessage, response: ServerResponse, next?: NodeNext) => void) &
  HostedPart;

/**
 * Makes a request listener of an application or a middleware: for `http.createServer`, `express().use('/x', ...)`, Connect
 * and Fastify's `@fastify/middie`. All rules of the node gateway hold. What leads to the place where it is mounted is
 * `SCRIPT_NAME`; headers that were set before are kept.
 *
 * A middleware that returns nothing passes the request on to the server's next handler. What is thrown becomes an error
 * response here. WebSockets are not to be had.
 * @throws {TypeError} for what is no application; {@link ImproperlyConfigured} for wrong options
 * @example express().use('/shop', toNode(shop));
 */
export function toNode(app: App | Middleware, options: HostOptions = {}): NodeApp {
  const host = new AppHost('toNode', app, options);
  const transport = new NodeTransport(false, new NodeWebSockets());
  const plain = host.serve(transport, 'http');
  const secure = host.serve(transport, 'https');

  const listener = (request: IncomingMessage, response: ServerResponse, next?: NodeNext): void => {
    if (response.headersSent) throw startedError();
    const service = (request.socket as TLSSocket).encrypted === true ? secure : plain;
    const begin = () => {
      if (host.isStopping) refuse(response);
      else answer(service, host, { request, response, raw: undefined }, next);
    };
    if (host.isStarted) begin();
    else
      host
        .start()
        .then(begin)
        .catch((error: unknown) => fail(host, response, next, error));
  };
  return Object.assign(listener, { start: () => host.start(), stop: () => host.stop() });
}

function answer(
  service: Service<NodeExchange>,
  { config }: AppHost,
  exchange: NodeExchange,
  next: NodeNext | undefined,
): void {
  const { prefix, rest } = splitPrefix(exchange.request);
  const app = below(service.app, exchange.request, prefix, rest, next);
  answerNode({ ...service, app }, config, exchange, prefix + rest);
}

/** The application at its place, for one request. */
function below(
  app: AppFunction,
  request: IncomingMessage,
  prefix: string,
  rest: string,
  next: NodeNext | undefined,
): AppFunction {
  const call = app as MiddlewareFunction;
  return (environ, startResponse) => {
    const input = findParsedBody(request);
    if (input !== undefined) environ['wsgi.input'] = input;
    const result =
      prefix === ''
        ? call(environ, startResponse)
        : callBelow(call, environ, startResponse, decodePath(prefix), rest.split('?', 1)[0] as string);
    const conclude = (value: MiddlewareResult, isLate: boolean) =>
      value === undefined || value === null ? passOn(environ, next, isLate) : value;
    if (!Array.isArray(result) && isThenable(result))
      return result.then((value) => conclude(value as MiddlewareResult, true));
    return conclude(result as MiddlewareResult, false);
  };
}

/** Nobody here has answered. */
function passOn(environ: Environ, next: NodeNext | undefined, isLate: boolean) {
  if (next === undefined) return notFoundResponse(environ);
  const incoming = LazyEnviron.hostOf(environ);
  if (!(incoming instanceof Incoming)) return notFoundResponse(environ);
  const isBodyGone = isLate && incoming.bodyBytes !== 0;
  incoming.owner?.takeOver();
  // The exchange is to be done with the request before others begin.
  process.nextTick(next, isBodyGone ? bodyTakenError() : undefined);
  return TAKEN;
}

function refuse(response: ServerResponse): void {
  response.writeHead(503, { 'Content-Type': 'text/plain', Connection: 'close' });
  response.end('The server is stopping.\n');
}

/** The application did not start. */
function fail(
  { logger }: AppHost,
  response: ServerResponse,
  next: NodeNext | undefined,
  thrown: unknown,
): void {
  if (next !== undefined) {
    next(thrown);
    return;
  }
  const error = toError(thrown);
  logger.error({ err: error }, error.message);
  response.writeHead(500, { 'Content-Type': 'text/plain', Connection: 'close' });
  response.end('The application has not started.\n');
}

function startedError(): VelaError {
  return new VelaError(
    'ERR_NODE_RESPONSE_STARTED',
    'The response was begun before toNode(app) was called: a request is answered once; return after response.end()',
  );
}

function bodyTakenError(): VelaError {
  return new VelaError(
    'ERR_NODE_BODY_TAKEN',
    'A middleware passed a request with a body on after an await, when its body had begun to be received: pass it on at once, or let the application behind toNode() answer it',
  );
}
