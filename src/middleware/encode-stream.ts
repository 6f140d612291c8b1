import type { Readable } from 'node:stream';
import { closeBody, iterateBody } from '../core/body-pump.js';
import type { Body, Chunk } from '../core/contract.js';
import { chunkError, lengthError } from '../core/contract-errors.js';
import { isThenable, toError } from '../core/errors.js';
import { createEncoder, type Encoding, type EncodingLevels } from './encodings.js';

type Encoder = ReturnType<typeof createEncoder>['encoder'];

/**
 * A body, compressed on its way. What the source gave is sent as soon as the source makes us wait, so that events are not
 * held back. The source is closed once: at its end, on an error, and when the client goes away; its error cuts the response.
 * @param statedLength - the source's Content-Length, -1 for none: it is held against the source
 * @param report - told of an error of the source's `close`
 */
export function encodeStream(
  source: Body,
  encoding: Encoding,
  levels: EncodingLevels,
  statedLength: number,
  report: (error: unknown) => void,
): Readable {
  const iterator = iterateBody(source);
  const { encoder, flushKind } = createEncoder(encoding, levels);
  let isClosed = false;
  const close = () => {
    if (isClosed) return;
    isClosed = true;
    closeBody(source, iterator, { report });
  };
  encoder.once('close', close);
  // It reaches whoever reads; nobody may do so any more.
  encoder.on('error', () => {});

  /** Waits for the source; if that takes more than a turn of the loop, what is held goes out. */
  async function wait<T>(promise: PromiseLike<T>): Promise<T> {
    const turn = setImmediate(() => {
      if (!encoder.destroyed) encoder.flush(flushKind);
    });
    try {
      return await promise;
    } finally {
      clearImmediate(turn);
    }
  }

  async function feed(): Promise<void> {
    let bytes = 0;
    while (!encoder.destroyed) {
      const next = iterator.next();
      const step = isThenable(next) ? await wait(next) : next;
      if (step.done === true) {
        if (statedLength !== -1 && bytes !== statedLength) throw lengthError(statedLength, bytes);
        encoder.end();
        return;
      }
      const chunk = isThenable(step.value)
        ? await wait(step.value as PromiseLike<Chunk>)
        : (step.value as Chunk);
      if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) throw chunkError(chunk);
      bytes += Buffer.byteLength(chunk);
      if (chunk.length > 0) await write(encoder, chunk);
    }
  }

  feed().then(close, (error: unknown) => {
    close();
    encoder.destroy(toError(error));
  });
  return encoder;
}

/** Settles when the chunk is compressed, so that its memory may be used again; also when the encoder is destroyed. */
function write(encoder: Encoder, chunk: Chunk): Promise<void> {
  return new Promise((resolve) => {
    if (encoder.destroyed) resolve();
    else encoder.write(chunk, () => resolve());
  });
}
