import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import type { TestRequest } from './test-request.js';

/** A handshake of a {@link TestClient}. */
export interface TestHandshake extends Pick<TestRequest, 'headers'> {
  /** The sub-protocols that are offered. */
  protocols?: readonly string[];
}

const OWNER = 'A WebSocket of testClient';

/** The headers of a handshake (RFC 6455 §4.1), and those that are given. @throws {TypeError} */
export function handshakeHeaders(handshake: TestHandshake): readonly (readonly [string, string])[] {
  const { headers = {}, protocols = [], ...unknown } = requireOptions(OWNER, handshake);
  refuseUnknown(OWNER, unknown, ['headers', 'protocols']);
  if (!Array.isArray(protocols))
    throw new TypeError(`${OWNER} takes "protocols" as a list; received ${describeValue(protocols)}`);
  return [
    ['Upgrade', 'websocket'],
    ['Connection', 'Upgrade'],
    ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
    ['Sec-WebSocket-Version', '13'],
    ...(protocols.length === 0 ? [] : [['Sec-WebSocket-Protocol', protocols.join(', ')] as const]),
    ...(Array.isArray(headers) ? (headers as [string, string][]) : Object.entries(headers)),
  ];
}
