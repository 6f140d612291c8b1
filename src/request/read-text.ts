import type { Environ } from '../core/contract.js';
import { refuseUnknown, requireOptions } from '../core/errors.js';
import { own } from '../core/own.js';
import { checkLimit } from './check-limit.js';
import { refuseCoded } from './content-coding.js';
import { decodeText } from './decode-text.js';
import { findCharset, parseMediaType } from './media-type.js';
import { type BytesOptions, DEFAULT_LIMIT_BYTES, loadBody } from './read-bytes.js';

/**
 * The whole body as text, in the charset of its Content-Type, else UTF-8.
 * @throws {HttpError} 400 for bytes that the charset does not have, 413 above `limitBytes`, 415 for an unknown charset
 * and for a compressed body
 */
export function readText(environ: Environ, options?: BytesOptions): Promise<string> {
  return own(read(environ, options));
}

async function read(environ: Environ, options: BytesOptions = {}): Promise<string> {
  const { limitBytes, ...unknown } = requireOptions('text', options);
  refuseUnknown('text', unknown, ['limitBytes']);
  const limit = checkLimit('limitBytes', limitBytes, DEFAULT_LIMIT_BYTES);
  refuseCoded(environ);
  const charset = findCharset(parseMediaType(environ.CONTENT_TYPE));
  return decodeText(await loadBody(environ, limit), charset);
}
