import type { Environ } from '../core/contract.js';
import { refuseUnknown, requireOptions } from '../core/errors.js';
import { BadRequest, PayloadTooLarge, Unsupported } from '../core/http-error.js';
import { bodyStateOf, refuseStreamed, refuseTaken } from './body-state.js';
import { refuseCoded } from './content-coding.js';
import type { FormPart } from './form-part.js';
import { parseMediaType } from './media-type.js';
import { type MultipartLimits, type ResolvedLimits, resolveLimits } from './multipart-limits.js';
import { MultipartReader } from './multipart-reader.js';

/** Options of {@link readMultipart}. */
export interface MultipartOptions {
  /** How much the body may hold. */
  limits?: MultipartLimits;
}

/** RFC 2046 §5.1.1. */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;

/**
 * The parts of a multipart/form-data body (RFC 7578), as they come: the client sends no faster than they are read. A
 * part that is not read is passed over when the next is asked for. A body can be read so once.
 *
 * Reading rejects with 413 for what is over a limit, with 400 for a body that is malformed or ends too early, with
 * `ERR_CLIENT_ABORTED` when the client goes away.
 * @throws {HttpError} 400 for a bad boundary, 413 for a stated length over `totalBytes`, 415 for another Content-Type
 * and for a compressed body
 * @example
 * for await (const part of readMultipart(environ)) {
 *   if (part.isFile) await saveFile(part, '/var/lib/app/uploads');
 * }
 */
export function readMultipart(
  environ: Environ,
  options: MultipartOptions = {},
): AsyncIterableIterator<FormPart> {
  const { limits, ...unknown } = requireOptions('multipart', options);
  refuseUnknown('multipart', unknown, ['limits']);
  return openMultipart(environ, resolveLimits(limits));
}

/** Begins to read a multipart body. */
export function openMultipart(environ: Environ, limits: ResolvedLimits): AsyncIterableIterator<FormPart> {
  refuseCoded(environ);
  const { type, parameters } = parseMediaType(environ.CONTENT_TYPE);
  if (type !== 'multipart/form-data') throw new Unsupported('The body must be multipart/form-data');
  const { boundary } = parameters;
  if (boundary === undefined || !BOUNDARY.test(boundary))
    throw new BadRequest('The Content-Type has no valid boundary');
  if (Number(environ.CONTENT_LENGTH) > limits.totalBytes)
    throw new PayloadTooLarge(`The body is larger than the limit of ${limits.totalBytes} bytes`);
  const state = bodyStateOf(environ);
  refuseStreamed(state);
  refuseTaken(environ);
  state.isStreamed = true;
  return new MultipartReader(environ['wsgi.input'], boundary, limits);
}
