import { describeValue, isPlainObject, requireKnown } from '../core/errors.js';
import type { WsgiResponse } from '../core/wsgi-response.js';
import type { WsgiRequest } from '../request/wsgi-request.js';
import type { WebSocketConnection } from './websocket-connection.js';
import type { WebSocketMessage } from './websocket-message.js';

/** What a handler may return: a promise is awaited, other values are not looked at. */
type Done = unknown;

/**
 * What happens on a WebSocket. All are optional, and all may be async: messages wait for `open` and for each other, see the
 * option `concurrency`. What one throws is logged, and closes the connection with 1011; a {@link WebSocketClose} closes it
 * with its own code.
 */
export interface WebSocketHandlers<State = undefined, Request extends WsgiRequest = WsgiRequest> {
  /**
   * Decides over a handshake. What it returns is the connection's `state`; a WsgiResponse is sent in place of an acceptance,
   * and an HttpError that it throws becomes one.
   */
  handshake?(request: Request): State | WsgiResponse | Promise<State | WsgiResponse>;
  open?(socket: WebSocketConnection<State, Request>): Done;
  message?(socket: WebSocketConnection<State, Request>, message: WebSocketMessage): Done;
  /** A ping came; it has been answered. */
  ping?(socket: WebSocketConnection<State, Request>, data: Buffer): Done;
  pong?(socket: WebSocketConnection<State, Request>, data: Buffer): Done;
  /** What waited for the client has left. */
  drain?(socket: WebSocketConnection<State, Request>): Done;
  /**
   * It is closed, and the messages that came before have been handled.
   * @param code - 1005 for a close frame without one, 1006 without a close frame
   */
  close?(socket: WebSocketConnection<State, Request>, code: number, reason: string): Done;
}

/** A handler that loops: `async (socket) => { for await (const message of socket) ... }`. When it returns, the WebSocket is closed. */
export type WebSocketLoop<Request extends WsgiRequest = WsgiRequest> = (
  socket: WebSocketConnection<undefined, Request>,
) => Promise<void>;

const EVENTS = ['handshake', 'open', 'message', 'ping', 'pong', 'drain', 'close'] as const;

/** @throws {TypeError} */
export function requireHandlers(handlers: object): void {
  if (!isPlainObject(handlers) && typeof (handlers as { message?: unknown } | null)?.message !== 'function')
    throw new TypeError(
      `websocket() takes handlers, { open, message, close }, or a function that loops, async (socket) => {...}; received ${describeValue(handlers)}`,
    );
  if (isPlainObject(handlers)) requireKnown('websocket', handlers, EVENTS);
  for (const event of EVENTS) {
    const handler = (handlers as Record<string, unknown>)[event];
    if (handler !== undefined && typeof handler !== 'function')
      throw new TypeError(
        `The handler "${event}" of websocket() must be a function; received ${describeValue(handler)}`,
      );
  }
}
