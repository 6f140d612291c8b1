import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import { WebSocketConnection } from '../websocket/websocket-connection.js';
import type { TopicSocket } from './subscriptions.js';

/** Options of {@link Channels.publish}. */
export interface PublishOptions {
  /** A WebSocket that does not get it, as the one whose message it is. @defaultValue none */
  except?: WebSocketConnection<unknown>;
}

/** @throws {TypeError} */
export function resolveExcept(options: PublishOptions): TopicSocket | undefined {
  const { except, ...unknown } = requireOptions('publish', options);
  refuseUnknown('publish', unknown, ['except']);
  if (except === undefined) return undefined;
  if (!(except instanceof WebSocketConnection))
    throw new TypeError(`Option "except" of publish must be a WebSocket; received ${describeValue(except)}`);
  return WebSocketConnection.sessionOf(except);
}
