import { describeValue, requireOptions } from '../core/errors.js';
import type { WsgiResponse } from '../core/wsgi-response.js';
import type { WsgiRequest } from '../request/wsgi-request.js';
import type { Router } from '../router/router.js';
import { websocket } from '../websocket/websocket.js';
import type { WebSocketOptions } from '../websocket/websocket-options.js';
import { JsonRpcHandler } from './json-rpc-handler.js';
import type { JsonRpcSession, JsonRpcSessionOptions } from './json-rpc-session.js';

/** Options of {@link jsonRpcWebSocket}: those of a WebSocket and of a session. */
export interface JsonRpcWebSocketOptions
  extends Omit<WebSocketOptions, 'concurrency' | 'maxWaitingBytes'>,
    Pick<JsonRpcSessionOptions, 'maxConcurrentCalls' | 'maxWaitingCalls' | 'maxWaitingBytes'> {
  /** Decides over a handshake: an HttpError that it throws, and a response that it returns, refuse it. */
  handshake?(
    request: WsgiRequest,
  ): WsgiResponse | undefined | void | Promise<WsgiResponse | undefined | void>;
}

/**
 * Methods called over WebSockets at a path: each message is a call or a batch, and its answer a message. Calls of a connection run
 * beside each other, so answers come in the order in which they are there. `call.request` is the handshake's.
 * @param path - in the syntax of the Router
 * @throws {TypeError} for what is no JsonRpcHandler, and wrong options
 * @example new WsgiHandler([jsonRpcWebSocket('/rpc/live', rpc), mount('/rpc', rpc)])
 */
export function jsonRpcWebSocket(
  path: string,
  handler: JsonRpcHandler<unknown>,
  options: JsonRpcWebSocketOptions = {},
): Router {
  if (!(handler instanceof JsonRpcHandler))
    throw new TypeError(
      `jsonRpcWebSocket() takes a path and a JsonRpcHandler; received ${describeValue(handler)}`,
    );
  const { maxConcurrentCalls, maxWaitingCalls, maxWaitingBytes, handshake, ...more } = requireOptions(
    'jsonRpcWebSocket',
    options,
  );
  // Its calls have a bound of their own.
  if ('concurrency' in more)
    throw new TypeError('jsonRpcWebSocket has no option "concurrency": give "maxConcurrentCalls"');
  const limits = {
    ...(maxConcurrentCalls === undefined ? {} : { maxConcurrentCalls }),
    ...(maxWaitingCalls === undefined ? {} : { maxWaitingCalls }),
    ...(maxWaitingBytes === undefined ? {} : { maxWaitingBytes }),
  };
  // What is wrong with them is told now, not to the first client.
  handler.connect(limits).close();
  return websocket<string, JsonRpcSession | WsgiResponse>(
    path,
    {
      async handshake(request) {
        const refusal = await handshake?.(request);
        return refusal ?? handler.connect({ ...limits, environ: request.environ });
      },
      message(socket, message) {
        const answer = (socket.state as JsonRpcSession).receive(
          message.isBinary ? message.bytes() : message.text(),
        );
        if (typeof answer === 'string') socket.send(answer);
        // It never rejects. It is not awaited, as the session bounds how many calls run.
        else void answer?.then((text) => text !== undefined && socket.send(text));
      },
      close: (socket) => (socket.state as JsonRpcSession).close(),
    },
    more,
  );
}
