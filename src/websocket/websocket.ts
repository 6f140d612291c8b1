import { TAKEN } from '../core/contract.js';
import { isThenable } from '../core/errors.js';
import { WsgiResponse } from '../core/wsgi-response.js';
import type { WsgiRequest } from '../request/wsgi-request.js';
import type { ConvertedParams, RouteRequest } from '../router/route-request.js';
import { Router } from '../router/router.js';
import {
  asksForWebSocket,
  checkOrigin,
  chooseProtocol,
  offersCompression,
  refuseRequest,
} from './check-handshake.js';
import { Endpoint, type EndpointHandlers } from './endpoint.js';
import { SESSION_EVENTS } from './session.js';
import { WebSocketConnection } from './websocket-connection.js';
import { requireHandlers, type WebSocketHandlers, type WebSocketLoop } from './websocket-handlers.js';
import { resolveWebSocketOptions, type WebSocketOptions } from './websocket-options.js';

/** The request of a handshake, with the parameters of its path. */
export type HandshakeRequest<Path extends string> = RouteRequest<ConvertedParams<Path, object>>;

/**
 * WebSockets at a path. It is a router of one route, so it stands in a WsgiHandler, or is mounted in a Router, behind
 * whatever authenticates. Requests that are no handshake get 400, other methods 405, unless it `passesOn`.
 * @param path - in the syntax of the Router; its parameters are in `socket.request.params`
 * @param handlers - what happens, or a function that loops over the messages
 * @throws {TypeError} for wrong handlers and options
 * @see {@link https://www.rfc-editor.org/rfc/rfc6455 | RFC 6455}, docs/websockets.md
 * @example
 * websocket('/echo', { message: (socket, message) => socket.send(message) })
 * @example
 * websocket('/sum', async (socket) => {
 *   let sum = 0;
 *   for await (const message of socket) socket.send(String((sum += Number(message.text()))));
 * })
 */
export function websocket<const Path extends string, State = undefined>(
  path: Path,
  handlers: WebSocketHandlers<State, HandshakeRequest<Path>> | WebSocketLoop<HandshakeRequest<Path>>,
  options: WebSocketOptions = {},
): Router {
  const isLoop = typeof handlers === 'function';
  if (!isLoop) requireHandlers(handlers);
  const given = (isLoop ? { open: handlers } : handlers) as EndpointHandlers;
  const resolved = resolveWebSocketOptions(options);
  const { passesOn } = resolved;
  const endpoint = new Endpoint(given, resolved, isLoop);
  return new Router({ otherMethods: passesOn ? 'pass' : 'refuse' }).get(
    path,
    { openapi: false, middleware: [endpoint], passesOn },
    (request) => (passesOn && !asksForWebSocket(request.environ) ? undefined : accept(endpoint, request)),
  );
}

function accept(
  endpoint: Endpoint,
  request: WsgiRequest,
): typeof TAKEN | WsgiResponse | Promise<typeof TAKEN | WsgiResponse> {
  const { options, handlers } = endpoint;
  const { environ } = request;
  const upgrade = environ['vela.upgrade'] ?? refuseRequest(environ);
  checkOrigin(request, options.origins);
  const protocol = chooseProtocol(request, options.protocols);
  const compression = options.compression && offersCompression(request);
  if (endpoint.isFull) return endpoint.refuseFull(request);
  const conclude = (state: unknown) => {
    if (state instanceof WsgiResponse) return state;
    // Others may have come while its handshake was decided on.
    if (endpoint.isFull) return endpoint.refuseFull(request);
    const socket = new WebSocketConnection(endpoint, request, protocol, state);
    upgrade(SESSION_EVENTS, WebSocketConnection.sessionOf(socket), {
      protocol,
      headers: [],
      compression,
      maxPayloadBytes: options.maxPayloadBytes,
      maxBackpressureBytes: options.maxBackpressureBytes,
    });
    return TAKEN;
  };
  const state: unknown = handlers.handshake?.(request);
  return isThenable(state) ? Promise.resolve(state).then(conclude) : conclude(state);
}
