import type { Environ } from '../core/contract.js';
import { refuseUnknown, requireOptions } from '../core/errors.js';
import { Unsupported } from '../core/http-error.js';
import { own } from '../core/own.js';
import { bodyStateOf, once } from './body-state.js';
import { checkLimit } from './check-limit.js';
import { refuseCoded } from './content-coding.js';
import type { DataAndFiles } from './data-and-files.js';
import { findCharset, parseMediaType } from './media-type.js';
import { MultiDict } from './multi-dict.js';
import { type MultipartLimits, type ResolvedLimits, resolveLimits } from './multipart-limits.js';
import { parseForm } from './parse-form.js';
import { DEFAULT_LIMIT_BYTES, loadBody } from './read-bytes.js';
import { openMultipart } from './read-multipart.js';

/** Options of {@link readForm}: what is over a limit is 413. */
export interface FormOptions {
  /** Largest body, in bytes. @defaultValue 1 MiB */
  limitBytes?: number;
  /** Most fields. @defaultValue 1,000 */
  fields?: number;
  /** Bytes of a field's name, decoded. @defaultValue 1 KiB */
  fieldNameBytes?: number;
  /** Bytes of a field's value, decoded. @defaultValue 1 MiB */
  fieldBytes?: number;
}

const KNOWN = ['limitBytes', 'fields', 'fieldNameBytes', 'fieldBytes'] as const;

/**
 * The fields of a form, be it `application/x-www-form-urlencoded` or `multipart/form-data` without files. A multipart
 * body cannot be read again from `wsgi.input`; its fields are kept for all who ask for them here.
 * @throws {HttpError} 400 for a body that is malformed or no UTF-8, 413 above a limit, 415 for a file, another
 * Content-Type and a compressed body
 */
export function readForm(environ: Environ, options?: FormOptions): Promise<MultiDict> {
  return own(read(environ, options));
}

async function read(environ: Environ, options: FormOptions = {}): Promise<MultiDict> {
  const { limitBytes, fields, fieldNameBytes, fieldBytes, ...unknown } = requireOptions('form', options);
  refuseUnknown('form', unknown, KNOWN);
  const totalBytes = checkLimit('limitBytes', limitBytes, DEFAULT_LIMIT_BYTES);
  const given: MultipartLimits = { totalBytes };
  if (fields !== undefined) given.fields = fields;
  if (fieldNameBytes !== undefined) given.fieldNameBytes = fieldNameBytes;
  if (fieldBytes !== undefined) given.fieldBytes = fieldBytes;
  const limits = resolveLimits(given);
  refuseCoded(environ);
  const media = parseMediaType(environ.CONTENT_TYPE);
  if (media.type === 'multipart/form-data') return await readFields(environ, limits);
  if (media.type !== 'application/x-www-form-urlencoded')
    throw new Unsupported(
      'The body must be a form: application/x-www-form-urlencoded or multipart/form-data',
    );
  const charset = findCharset(media) ?? 'utf-8';
  if (charset !== 'utf-8' && charset !== 'utf8') throw new Unsupported('A form must be in UTF-8');
  const bytes = await loadBody(environ, totalBytes);
  const key = `form ${limits.fields} ${limits.fieldNameBytes} ${limits.fieldBytes}`;
  return await once(bodyStateOf(environ), key, async () => new MultiDict(parseForm(bytes, limits)));
}

/** The fields of a multipart body, which is read for them once. */
async function readFields(environ: Environ, limits: ResolvedLimits): Promise<MultiDict> {
  const state = bodyStateOf(environ);
  const other = state.parsed.get('dataAndFiles') as Promise<DataAndFiles> | undefined;
  if (other !== undefined) {
    const { data, files } = await other;
    if (files.length > 0) throw fileError();
    if (data instanceof MultiDict) return data;
  }
  return await once(state, 'multipart', async () => {
    const fields: [string, string][] = [];
    for await (const part of openMultipart(environ, limits)) {
      if (part.isFile) throw fileError();
      fields.push([part.name, await part.text()]);
    }
    return new MultiDict(fields);
  });
}

function fileError(): Unsupported {
  return new Unsupported('A form without files is expected here');
}
