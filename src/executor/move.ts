import { describeValue } from '../core/errors.js';

const moved = new WeakSet<object>();

/**
 * Marks bytes, of a response or of what a function gives, as not needed any more by who gives them: a large chunk then
 * moves to the other thread uncopied, and is empty here. They must be the whole of their ArrayBuffer.
 * @throws {TypeError} for what cannot be moved
 * @example return [move(await readFile(path))];
 */
export function move<Bytes extends Uint8Array>(bytes: Bytes): Bytes {
  if (!(bytes instanceof Uint8Array) || !(bytes.buffer instanceof ArrayBuffer))
    throw new TypeError(`move() takes bytes of an ArrayBuffer; received ${describeValue(bytes)}`);
  if (bytes.length === bytes.buffer.byteLength) moved.add(bytes.buffer);
  return bytes;
}

/** True for bytes whose memory may leave. */
export function isMoved(bytes: Uint8Array): boolean {
  return bytes.length === bytes.buffer.byteLength && moved.has(bytes.buffer);
}

/** Bytes as they can be sent, and whether their memory goes along. */
export function packBytes(
  bytes: Uint8Array,
  transferFrom: number,
): { bytes: Uint8Array; isTransferred: boolean } {
  if (isMoved(bytes)) return { bytes, isTransferred: true };
  const isOwn = bytes.length === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer;
  if (bytes.length < transferFrom && isOwn) return { bytes, isTransferred: false };
  // A copy of its own: with a view all of the memory behind it would be cloned, and shared memory may change.
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return { bytes: copy, isTransferred: bytes.length >= transferFrom };
}
