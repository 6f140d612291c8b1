import type { Buffer } from 'node:buffer';
import type { Environ } from '../core/contract.js';
import { refuseUnknown, requireOptions } from '../core/errors.js';
import { PayloadTooLarge } from '../core/http-error.js';
import { own } from '../core/own.js';
import { bodyStateOf, refuseStreamed, refuseTaken } from './body-state.js';
import { checkLimit } from './check-limit.js';
import { createMemoryInput } from './memory-input.js';

/** Options of {@link readBytes}. */
export interface BytesOptions {
  /** Largest body, in bytes; a larger one is 413. @defaultValue 1 MiB */
  limitBytes?: number;
}

/** Bodies that are read into memory are no larger, unless it is said. */
export const DEFAULT_LIMIT_BYTES = 1_048_576;

/**
 * The whole body, as it came: do not change it, others get the same bytes. `wsgi.input` can be read again after it.
 * @throws {PayloadTooLarge} 413 when it is larger than `limitBytes`
 */
export function readBytes(environ: Environ, options?: BytesOptions): Promise<Buffer> {
  return own(read(environ, options));
}

async function read(environ: Environ, options: BytesOptions = {}): Promise<Buffer> {
  const { limitBytes, ...unknown } = requireOptions('bytes', options);
  refuseUnknown('bytes', unknown, ['limitBytes']);
  return await loadBody(environ, checkLimit('limitBytes', limitBytes, DEFAULT_LIMIT_BYTES));
}

/** The whole body, read once for all who ask, each with a limit of its own. */
export async function loadBody(environ: Environ, limitBytes: number): Promise<Buffer> {
  const state = bodyStateOf(environ);
  refuseStreamed(state);
  if (state.bytes === undefined) {
    refuseTaken(environ);
    // Asked here and not of the input, so that whoever asks next may have a larger limit.
    if (Number(environ.CONTENT_LENGTH) > limitBytes) throw tooLarge(limitBytes);
    const bytes = takeBody(environ, limitBytes);
    state.bytes = bytes;
    bytes.catch(() => {
      state.bytes = undefined;
    });
  }
  const bytes = await state.bytes;
  if (bytes.length > limitBytes) throw tooLarge(limitBytes);
  return bytes;
}

async function takeBody(environ: Environ, limitBytes: number): Promise<Buffer> {
  const state = bodyStateOf(environ);
  const input = environ['wsgi.input'];
  const loading = input.load(limitBytes);
  if (loading !== undefined) await loading;
  const bytes = input.readSync();
  state.input = createMemoryInput(bytes);
  environ['wsgi.input'] = state.input;
  return bytes;
}

function tooLarge(limitBytes: number): PayloadTooLarge {
  return new PayloadTooLarge(`The request body is larger than the limit of ${limitBytes} bytes`);
}
