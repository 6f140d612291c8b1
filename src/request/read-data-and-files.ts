import { Buffer } from 'node:buffer';
import { tmpdir } from 'node:os';
import type { Environ } from '../core/contract.js';
import { describeValue, refuseUnknown, requireOptions, VelaError } from '../core/errors.js';
import { own } from '../core/own.js';
import { bodyStateOf, once } from './body-state.js';
import { checkLimit } from './check-limit.js';
import type { DataAndFiles } from './data-and-files.js';
import type { FormPart } from './form-part.js';
import { parseMediaType } from './media-type.js';
import { MultiDict } from './multi-dict.js';
import { type MultipartLimits, type ResolvedLimits, resolveLimits } from './multipart-limits.js';
import { DEFAULT_LIMIT_BYTES, loadBody } from './read-bytes.js';
import { readForm } from './read-form.js';
import { isJsonType, readJson } from './read-json.js';
import { openMultipart } from './read-multipart.js';
import { saveFile } from './save-file.js';
import { UploadedFile } from './uploaded-file.js';

/** Options of {@link readDataAndFiles}. */
export interface DataAndFilesOptions {
  /** Largest body that is no multipart form, in bytes; a larger one is 413. @defaultValue 1 MiB */
  limitBytes?: number;
  /** How much a multipart form may hold. */
  limits?: MultipartLimits;
  /** Files up to this many bytes stay in memory; others go to a temporary file. @defaultValue 64 KiB */
  memoryBytes?: number;
  /** Where temporary files go. @defaultValue the system's folder for them */
  directory?: string;
}

const KNOWN = ['limitBytes', 'limits', 'memoryBytes', 'directory'] as const;
const DEFAULT_MEMORY_BYTES = 65_536;
/** What a body means with these is not defined (RFC 9110 §9.3): none is read, as in pulsar. */
const BODILESS: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'DELETE'];

/**
 * What a request carries, whatever its Content-Type: JSON, a form, or bytes; and the files of a form. Temporary files
 * are removed when the request ends: keep one with its `saveTo`. All who ask get the same.
 * @throws {HttpError} what `json()`, `form()` and `multipart()` throw
 */
export function readDataAndFiles(environ: Environ, options?: DataAndFilesOptions): Promise<DataAndFiles> {
  return own(read(environ, options));
}

async function read(environ: Environ, options: DataAndFilesOptions = {}): Promise<DataAndFiles> {
  const {
    limitBytes,
    limits,
    memoryBytes,
    directory = tmpdir(),
    ...unknown
  } = requireOptions('dataAndFiles', options);
  refuseUnknown('dataAndFiles', unknown, KNOWN);
  if (typeof directory !== 'string' || directory === '')
    throw new TypeError(`Option "directory" must be a path; received ${describeValue(directory)}`);
  const limit = checkLimit('limitBytes', limitBytes, DEFAULT_LIMIT_BYTES);
  const memory = checkLimit('memoryBytes', memoryBytes, DEFAULT_MEMORY_BYTES);
  const resolved = resolveLimits(limits);
  if (BODILESS.includes(environ.REQUEST_METHOD)) return { data: undefined, files: [] };
  const { type } = parseMediaType(environ.CONTENT_TYPE);
  if (isJsonType(type)) return { data: await readJson(environ, { limitBytes: limit }), files: [] };
  if (type === 'application/x-www-form-urlencoded')
    return { data: await readForm(environ, { limitBytes: limit }), files: [] };
  if (type === 'multipart/form-data') return await readOnce(environ, resolved, memory, directory);
  return { data: await loadBody(environ, limit), files: [] };
}

async function readOnce(
  environ: Environ,
  limits: ResolvedLimits,
  memoryBytes: number,
  directory: string,
): Promise<DataAndFiles> {
  const state = bodyStateOf(environ);
  const form = state.parsed.get('multipart');
  if (form !== undefined) return { data: await form, files: [] };
  return await once(state, 'dataAndFiles', async () => {
    const fields: [string, string][] = [];
    const files: UploadedFile[] = [];
    const keep = removeAtEnd(environ);
    for await (const part of openMultipart(environ, limits)) {
      if (!part.isFile) fields.push([part.name, await part.text()]);
      else files.push(keep(await storeFile(part, memoryBytes, directory)));
    }
    return { data: new MultiDict(fields), files };
  });
}

/** Removes the files that it is given when the request ends. */
function removeAtEnd(environ: Environ): (file: UploadedFile) => UploadedFile {
  const { 'vela.response': response, 'vela.logger': logger } = environ;
  const files: UploadedFile[] = [];
  let isEnded = false;
  const remove = (file: UploadedFile) => {
    file.discard().catch((error: unknown) => {
      logger.error({ path: file.path, err: error }, 'a temporary file could not be removed');
    });
  };
  response.onEnd(() => {
    isEnded = true;
    files.forEach(remove);
  });
  return (file) => {
    if (isEnded) {
      remove(file);
      throw new VelaError('ERR_INPUT_CLOSED', 'The request ended before its files were read');
    }
    files.push(file);
    return file;
  };
}

/** Reads a file into memory, and on to disk once it is too large for that. */
async function storeFile(part: FormPart, memoryBytes: number, directory: string): Promise<UploadedFile> {
  const rest = part[Symbol.asyncIterator]();
  const held: Buffer[] = [];
  let heldBytes = 0;
  while (heldBytes <= memoryBytes) {
    const { done, value } = await rest.next();
    if (done === true) return new UploadedFile(part, Buffer.concat(held));
    held.push(value);
    heldBytes += value.length;
  }
  return new UploadedFile(part, await saveFile(chain(held, rest), directory));
}

async function* chain(
  held: Buffer[],
  rest: AsyncGenerator<Buffer, void, undefined>,
): AsyncGenerator<Buffer, void, undefined> {
  for (let chunk = held.shift(); chunk !== undefined; chunk = held.shift()) yield chunk;
  yield* rest;
}
