import { createHash } from 'node:crypto';
import { LARGE_BYTES } from './chunks.js';
import type { Chunk } from './contract.js';
import { isThenable, toError } from './errors.js';
import { check } from './lint-checks.js';
import { own } from './own.js';

/** Whose memory the server still sends from. */
interface Lender {
  /** One check for each chunk that has not left. */
  readonly lentChunks: Set<() => void>;
  breach: Error | undefined;
}

/** Watches a chunk until the promise that `write` gave for it resolves. Without a promise it has left. */
export function lendChunk(lender: Lender, chunk: Chunk, sent: void | Promise<void>): void | Promise<void> {
  const checkChunk = isThenable(sent) ? watchChunk(chunk) : undefined;
  if (checkChunk === undefined) return sent;
  lender.lentChunks.add(checkChunk);
  return own(
    Promise.resolve(sent).then(() => {
      lender.lentChunks.delete(checkChunk);
      try {
        checkChunk();
      } catch (error) {
        lender.breach ??= toError(error);
        throw error;
      }
    }),
  );
}

/** @throws {VelaError} `ERR_LINT` when a chunk was changed that has not left */
export function checkLent({ lentChunks }: Lender): void {
  for (const checkChunk of lentChunks) checkChunk();
}

/** A function that checks whether a chunk is as it was; undefined for one that the server copies. */
export function watchChunk(chunk: Chunk): (() => void) | undefined {
  if (typeof chunk === 'string' || chunk.length < LARGE_BYTES) return undefined;
  const { length } = chunk;
  const before = digest(chunk);
  return () => check('body-memory', digest(chunk) === before, `a chunk of ${length} bytes that was changed`);
}

function digest(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('base64');
}
