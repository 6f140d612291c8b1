import { describeValue } from '../core/errors.js';

/** A reason takes no more bytes in a close frame (RFC 6455 §5.5.1). */
const LONGEST_REASON_BYTES = 123;

/**
 * Thrown by a handler, it closes the WebSocket with a code of its own; nothing is logged as an error.
 * @example throw new WebSocketClose(4401, 'signed out')
 */
export class WebSocketClose extends Error {
  override readonly name = 'WebSocketClose';
  readonly code: number;
  readonly reason: string;

  /** @throws {TypeError} for what cannot be sent, see {@link WebSocketConnection.close} */
  constructor(code: number, reason = '', options?: ErrorOptions) {
    requireClose('WebSocketClose', code, reason);
    super(reason === '' ? `closed with ${code}` : reason, options);
    this.code = code;
    this.reason = reason;
  }
}

/** What an endpoint may send (RFC 6455 §7.4, and what IANA's registry has since): not 1004 to 1006 and 1015. @throws {TypeError} */
export function requireClose(owner: string, code: unknown, reason: unknown): void {
  const isCode =
    Number.isInteger(code) &&
    (((code as number) >= 1000 && (code as number) <= 1014 && ![1004, 1005, 1006].includes(code as number)) ||
      ((code as number) >= 3000 && (code as number) <= 4999));
  if (!isCode)
    throw new TypeError(
      `${owner} takes a close code: 1000 to 1003 and 1007 to 1014 with their standard meanings, or 3000 to 4999 with your own; received ${describeValue(code)}`,
    );
  if (typeof reason !== 'string' || Buffer.byteLength(reason) > LONGEST_REASON_BYTES)
    throw new TypeError(
      `${owner} takes as reason a text of at most ${LONGEST_REASON_BYTES} bytes; received ${describeValue(reason)}`,
    );
}
