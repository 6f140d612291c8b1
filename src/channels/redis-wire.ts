import { BYTES, JSON_TEXT, type PackedMessage, TEXT } from './packed-message.js';

/*
 * A message in Redis: a byte 1, eight bytes of whoever published it, its kind, its data. What begins otherwise is text, of a
 * publisher that is not Vela: `redis-cli publish vela:channels:news hello`.
 */

const MARK = 1;
const ORIGIN_BYTES = 8;
const HEAD_BYTES = 2 + ORIGIN_BYTES;

/** @param origin - 16 hexadecimal digits */
export function encodeMessage(origin: string, { kind, data }: PackedMessage): Buffer {
  const isText = typeof data === 'string';
  const length = isText ? Buffer.byteLength(data) : data.byteLength;
  const buffer = Buffer.allocUnsafe(HEAD_BYTES + length);
  buffer[0] = MARK;
  buffer.write(origin, 1, 'hex');
  buffer[1 + ORIGIN_BYTES] = kind;
  if (isText) buffer.write(data, HEAD_BYTES);
  else buffer.set(data, HEAD_BYTES);
  return buffer;
}

/** @returns undefined for what cannot be read */
export function decodeMessage(
  buffer: Buffer,
): { readonly origin: string; readonly message: PackedMessage } | undefined {
  if (buffer[0] !== MARK) return { origin: '', message: { kind: TEXT, data: buffer.toString() } };
  if (buffer.length < HEAD_BYTES) return undefined;
  const origin = buffer.toString('hex', 1, 1 + ORIGIN_BYTES);
  const kind = buffer[1 + ORIGIN_BYTES];
  const data = buffer.subarray(HEAD_BYTES);
  if (kind === BYTES) return { origin, message: { kind, data: new Uint8Array(data) } };
  if (kind !== TEXT && kind !== JSON_TEXT) return undefined;
  const text = data.toString();
  return kind === JSON_TEXT && !isJson(text) ? undefined : { origin, message: { kind, data: text } };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A pattern as Redis reads it: only `*` means something. */
export function escapePattern(pattern: string): string {
  return pattern.replace(/[\\?[\]]/g, '\\$&');
}
