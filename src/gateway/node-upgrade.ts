import { IncomingMessage } from 'node:http';
import { isHandshake, isHandshakeKey } from '../core/raw-websocket.js';

const isUpgrade = Symbol('isUpgrade');

/**
 * A request of node:http that counts as an Upgrade only when it is a WebSocket handshake that can be accepted. Any other goes
 * the way of an ordinary request, body and all, as it does where nobody listens for upgrades: clients offer h2c with POST too
 * (RFC 9110 §7.8).
 */
export class WebSocketAwareRequest extends IncomingMessage {
  /** What the parser says. The constructor of node:http assigns it, so it cannot be a private field. */
  declare [isUpgrade]: boolean;

  /** Asked for once the headers are there. */
  get upgrade(): boolean {
    return this[isUpgrade] && (this.method === 'CONNECT' || isNodeHandshake(this));
  }
  set upgrade(value: boolean | null) {
    this[isUpgrade] = value === true;
  }
}

/** True for a handshake that can be accepted. */
export function isNodeHandshake({ method = '', headers, httpVersion }: IncomingMessage): boolean {
  const header = (name: string) => headers[name] as string | undefined;
  return httpVersion !== '1.0' && isHandshake(method, header) && isHandshakeKey(header('sec-websocket-key'));
}
