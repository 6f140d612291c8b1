// The global of that name is looked up by a function, at every use.
import { Buffer } from 'node:buffer';
import type { Chunk } from './contract.js';
import { lengthError } from './contract-errors.js';

/** A larger body leaves through a stream, so that its end is known and the rest of it need not be copied. */
export const LARGE_BYTES = 65_536;
/** A string this short is not large, however many bytes its characters take. */
const SHORT_LENGTH = LARGE_BYTES / 3;

/** True for text that is not large, told without measuring it. */
export function isShort(chunk: Chunk): boolean {
  return typeof chunk === 'string' && chunk.length < SHORT_LENGTH;
}

/** True for a body that leaves through a stream. @throws {VelaError} `ERR_CONTRACT_LENGTH` when it has another length than stated */
export function isLarge(body: Chunk, statedLength: number): boolean {
  const length = byteLength(body);
  if (statedLength !== -1 && statedLength !== length) throw lengthError(statedLength, length);
  return length > LARGE_BYTES;
}

/** How many bytes a chunk takes on the wire. */
export function byteLength(chunk: Chunk): number {
  return typeof chunk === 'string' ? Buffer.byteLength(chunk) : chunk.byteLength;
}

/** One chunk of many: text when all are text. */
export function joinChunks(chunks: readonly Chunk[]): Chunk {
  if (chunks.length === 1) return chunks[0] as Chunk;
  if (chunks.every((chunk) => typeof chunk === 'string')) return chunks.join('');
  return Buffer.concat(chunks.map(toBytes));
}

/** A chunk as bytes, uncopied where it is bytes already. */
export function toBytes(chunk: Chunk): Uint8Array {
  return typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
}

/** True for an array of one chunk that need not be closed: the body of most responses. */
export function isOneChunk(body: unknown): body is [Chunk] {
  if (!Array.isArray(body) || body.length !== 1 || 'close' in body) return false;
  return typeof body[0] === 'string' || body[0] instanceof Uint8Array;
}
