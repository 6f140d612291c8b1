import { promisify } from 'node:util';
import {
  type BrotliCompress,
  type BrotliOptions,
  brotliCompress,
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createGzip,
  type Gzip,
  gzip,
  gzipSync,
} from 'node:zlib';

/** Content codings that `compress` makes (RFC 9110 §8.4.1). */
export type Encoding = 'br' | 'gzip';

/** How hard each works: gzip 1 to 9, br 0 to 11. */
export type EncodingLevels = Readonly<Record<Encoding, number>>;

/**
 * 2^18 bytes back: a stream of the default 2^22 takes megabytes of memory, and text gains 1 % by it.
 */
const BROTLI_WINDOW_BITS = 18;

const gzipLater = promisify<Uint8Array, { level: number }, Buffer>(gzip);
const brotliLater = promisify<Uint8Array, BrotliOptions, Buffer>(brotliCompress);

/** Compresses what is there, in the caller's turn. */
export function encodeNow(encoding: Encoding, content: Uint8Array, levels: EncodingLevels): Buffer {
  return encoding === 'br'
    ? brotliCompressSync(content, brotliOptions(levels.br, content.byteLength))
    : gzipSync(content, { level: levels.gzip });
}

/** Compresses what is there, in a thread of libuv's. */
export function encodeLater(
  encoding: Encoding,
  content: Uint8Array,
  levels: EncodingLevels,
): Promise<Buffer> {
  return encoding === 'br'
    ? brotliLater(content, brotliOptions(levels.br, content.byteLength))
    : gzipLater(content, { level: levels.gzip });
}

/** A stream that compresses, and how to have it give what it holds. */
export function createEncoder(
  encoding: Encoding,
  levels: EncodingLevels,
): { encoder: Gzip | BrotliCompress; flushKind: number } {
  return encoding === 'br'
    ? {
        encoder: createBrotliCompress(brotliOptions(levels.br, 0)),
        flushKind: constants.BROTLI_OPERATION_FLUSH,
      }
    : { encoder: createGzip({ level: levels.gzip }), flushKind: constants.Z_SYNC_FLUSH };
}

/** @param sizeHint - in bytes, 0 when it is not known */
function brotliOptions(quality: number, sizeHint: number): BrotliOptions {
  return {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: quality,
      [constants.BROTLI_PARAM_LGWIN]: BROTLI_WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: sizeHint,
    },
  };
}
