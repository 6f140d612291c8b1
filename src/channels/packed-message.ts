import { describeValue } from '../core/errors.js';
import { copyBytes } from '../core/raw-websocket.js';
import { WebSocketMessage } from '../websocket/websocket-message.js';
import { channelsError } from './channels-error.js';

/** What the data of a message is: text; a value, as JSON text; bytes. */
export const TEXT = 0;
export const JSON_TEXT = 1;
export const BYTES = 2;

/** A message as it travels: packed once, whoever gets it. */
export interface PackedMessage {
  readonly kind: typeof TEXT | typeof JSON_TEXT | typeof BYTES;
  readonly data: string | Uint8Array;
}

/** @throws {TypeError} for what JSON cannot say @throws {VelaError} `ERR_CHANNELS_MESSAGE_SIZE` */
export function packMessage(data: unknown, maxBytes: number): PackedMessage {
  const packed = pack(data);
  if (exceeds(packed, maxBytes))
    throw channelsError(
      'ERR_CHANNELS_MESSAGE_SIZE',
      `The message has ${Buffer.byteLength(packed.data)} bytes, and the option "maxMessageBytes" lets ${maxBytes} through: publish where it is, rather than what it is`,
    );
  return packed;
}

function pack(data: unknown): PackedMessage {
  if (typeof data === 'string') return { kind: TEXT, data };
  if (data instanceof WebSocketMessage)
    return data.isBinary ? { kind: BYTES, data: data.bytes() } : { kind: TEXT, data: data.text() };
  // Copies: they leave later, and are the publisher's to change.
  if (data instanceof ArrayBuffer) return { kind: BYTES, data: copyBytes(data) };
  if (ArrayBuffer.isView(data)) {
    const { buffer, byteOffset, byteLength } = data;
    return { kind: BYTES, data: copyBytes(new Uint8Array(buffer, byteOffset, byteLength)) };
  }
  const text = JSON.stringify(data) as string | undefined;
  if (text === undefined)
    throw new TypeError(
      `publish() takes text, bytes, or a value that JSON can say; received ${describeValue(data)}`,
    );
  return { kind: JSON_TEXT, data: text };
}

/** Whether a message is larger than allowed. */
export function exceeds({ data }: PackedMessage, maxBytes: number): boolean {
  if (typeof data !== 'string') return data.byteLength > maxBytes;
  // Each UTF-16 unit takes one to three bytes.
  return data.length > maxBytes || (data.length * 3 > maxBytes && Buffer.byteLength(data) > maxBytes);
}

/** What listeners get: the text, the value, the bytes. */
export function unpackMessage({ kind, data }: PackedMessage): unknown {
  return kind === JSON_TEXT ? JSON.parse(data as string) : data;
}

/** As text: bytes in base64. */
export function toText({ data }: PackedMessage): string {
  return typeof data === 'string' ? data : Buffer.from(data).toString('base64');
}
