import { createCipheriv, createHash, randomUUID } from 'node:crypto';

/** AES in counter mode: a stream of bytes that look random, and are the same for the same key. */
const CIPHER = 'aes-256-ctr';
const START = Buffer.alloc(16);

/**
 * Random bytes, in pieces.
 * @param seed - the same one gives the same bytes, however large the pieces are; without one they differ each time
 */
export function* randomChunks(
  bytes: number,
  chunkBytes: number,
  seed: string = randomUUID(),
): Generator<Buffer> {
  const cipher = createCipheriv(CIPHER, createHash('sha256').update(seed).digest(), START);
  for (let left = bytes; left > 0; left -= chunkBytes)
    yield cipher.update(Buffer.alloc(Math.min(left, chunkBytes)));
}
