import type { Buffer } from 'node:buffer';
import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Environ, MiddlewareFunction, WsgiInput } from '../core/contract.js';
import { describeValue, refuseUnknown, requireOptions, VelaError } from '../core/errors.js';
import { BadRequest, HttpError, PayloadTooLarge, Unsupported } from '../core/http-error.js';
import { RequestInput } from '../core/input.js';

/** Options of {@link decodeBody}. */
export interface DecodeBodyOptions {
  /** Largest decoded body, in bytes; a larger one is 413. @defaultValue 1 MiB */
  limitBytes?: number;
  /**
   * How many times as large as the encoded body the decoded one may be, once it is over 64 KiB; more is 413. Text
   * compresses to a tenth; gzip reaches 1,000 only on what repeats itself. @defaultValue 100
   */
  maxRatio?: number;
}

const DEFAULT_LIMIT_BYTES = 1_048_576;
const DEFAULT_RATIO = 100;
/** So much may come out whatever the ratio: small bodies of one letter are no attack. */
const FREE_BYTES = 65_536;
const DECODERS: Readonly<Record<string, () => Transform & { readonly bytesWritten: number }>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};
const ACCEPTED = 'gzip, deflate, br';

/**
 * Decodes request bodies that come with a Content-Encoding of gzip, deflate (zlib's format, RFC 9110 §8.4.1.2) or br, as
 * they are read. The handlers after it see a body without Content-Encoding and of unknown length. Another coding, and
 * more than one, is 415; a body that is broken, or ends too early, rejects the read with 400.
 * @example new WsgiHandler([decodeBody({ limitBytes: 65_536 }), app])
 */
export function decodeBody(options: DecodeBodyOptions = {}): MiddlewareFunction {
  const {
    limitBytes = DEFAULT_LIMIT_BYTES,
    maxRatio = DEFAULT_RATIO,
    ...unknown
  } = requireOptions('decodeBody', options);
  refuseUnknown('decodeBody', unknown, ['limitBytes', 'maxRatio']);
  if (!Number.isSafeInteger(limitBytes) || limitBytes < 0) {
    throw new TypeError(
      `Option "limitBytes" must be a whole number of bytes; received ${describeValue(limitBytes)}`,
    );
  }
  if (typeof maxRatio !== 'number' || !(maxRatio >= 1)) {
    throw new TypeError(`Option "maxRatio" must be a number from 1; received ${describeValue(maxRatio)}`);
  }

  const decodeBodyMiddleware: MiddlewareFunction = (environ) => {
    const coding = environ.HTTP_CONTENT_ENCODING?.trim().toLowerCase() ?? '';
    if (coding === '' || coding === 'identity') return;
    const create = Object.hasOwn(DECODERS, coding) ? DECODERS[coding] : undefined;
    if (create === undefined) {
      throw new Unsupported(`The Content-Encoding must be one of ${ACCEPTED}`, {
        headers: [['Accept-Encoding', ACCEPTED]],
      });
    }
    environ['wsgi.input'] = decodeInput(environ, create(), limitBytes, maxRatio);
    environ.HTTP_CONTENT_ENCODING = undefined;
    environ.CONTENT_LENGTH = '';
  };
  decodeBodyMiddleware.headers = ['content-encoding'];
  decodeBodyMiddleware.runsOn = 'request';
  return decodeBodyMiddleware;
}

/** A wsgi.input of what comes out of a decoder; it is fed as fast as it is read. */
function decodeInput(
  environ: Environ,
  decoder: Transform & { readonly bytesWritten: number },
  limitBytes: number,
  maxRatio: number,
): WsgiInput {
  const gate = new Gate();
  const input = new RequestInput(gate, limitBytes, -1);
  const source = new EncodedBody(environ['wsgi.input']);
  const feed = async (chunks: AsyncIterable<Buffer>) => {
    let bytes = 0;
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > limitBytes)
        throw new PayloadTooLarge(`The decoded body is larger than the limit of ${limitBytes} bytes`);
      if (bytes > FREE_BYTES && bytes > maxRatio * decoder.bytesWritten)
        throw new PayloadTooLarge(
          `The decoded body is more than ${maxRatio} times as large as the encoded one`,
        );
      RequestInput.push(input, chunk, true);
      await gate.opened;
    }
    await source.finish(decoder.bytesWritten);
  };
  pipeline(source, decoder, feed).then(
    () => RequestInput.end(input),
    (error: unknown) => RequestInput.fail(input, describeError(error)),
  );
  environ['vela.response'].onEnd(() => {
    gate.resume();
    decoder.destroy(new VelaError('ERR_INPUT_CLOSED', 'The request was answered before its body was read'));
  });
  return input;
}

/** The body as it comes. Decoders of br and deflate end with their data, and say nothing of what stands behind it. */
class EncodedBody {
  readonly #chunks: AsyncIterable<Buffer>;
  #givenBytes = 0;
  #isDecoded = false;
  #over: (() => void) | undefined;
  readonly #isOver = new Promise<void>((resolve) => {
    this.#over = resolve;
  });

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    try {
      for await (const chunk of this.#chunks) {
        if (this.#isDecoded) throw trailingError();
        this.#givenBytes += chunk.length;
        yield chunk;
      }
    } finally {
      this.#over?.();
    }
  }

  /** Waits for the body's end once all is decoded. @throws {BadRequest} for bytes that belong to nothing */
  async finish(usedBytes: number): Promise<void> {
    if (this.#givenBytes !== usedBytes) throw trailingError();
    this.#isDecoded = true;
    await this.#isOver;
  }
}

function trailingError(): BadRequest {
  return new BadRequest('The body goes on behind the end of its Content-Encoding');
}

/** Stops the feeding of an input while nobody reads it. */
class Gate {
  /** Undefined while it is open. */
  opened: Promise<void> | undefined = undefined;
  #open: (() => void) | undefined = undefined;

  pause(): void {
    this.opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  resume(): void {
    this.#open?.();
    this.#open = undefined;
    this.opened = undefined;
  }
}

/** Aborts and refusals are told as they are; what is left are the decoders' own errors. */
function describeError(error: unknown): Error {
  if (error instanceof HttpError || error instanceof VelaError) return error;
  return new BadRequest('The body does not fit its Content-Encoding, or ends too early', { cause: error });
}
