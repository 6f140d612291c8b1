import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Environ } from '../core/contract.js';
import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import { Http404 } from '../core/http-error.js';
import { own } from '../core/own.js';
import type { WsgiResponse } from '../core/wsgi-response.js';
import { describeFile } from './described-file.js';
import { type FileSendOptions, requireHeaderValue, resolveSendOptions } from './file-options.js';
import { readFileRequest } from './file-request.js';
import { findFileType } from './file-type.js';
import { openFile } from './open-file.js';
import { acceptedCodings, chooseCoded } from './precompressed.js';
import { RootFolder } from './root-folder.js';
import { sendOpen } from './send-file.js';

/** Options of {@link fileResponse}. */
export interface FileResponseOptions extends FileSendOptions {
  /**
   * The folder that the file must lie in, by its path and once links are followed; the path is taken from there. What
   * lies elsewhere is 404 and never opened. Give it whenever any part of the path comes from the client.
   */
  root?: string;
  /** @defaultValue by the file's suffix */
  contentType?: string;
  /** The Cache-Control header; `''` for none. @defaultValue `no-cache`: kept, and asked for anew each time */
  cacheControl?: string;
  /** To be saved in place of shown: under this name, or true for the file's own. @defaultValue false */
  download?: boolean | string;
}

const KNOWN = [
  'root',
  'contentType',
  'cacheControl',
  'download',
  'precompressed',
  'headers',
  'blockBytes',
  'maxRanges',
] as const;

/**
 * A response with a file: ranges, conditions, HEAD. It holds the file open, so return it, or close() it. Request headers
 * are read when it is called, so call it before an await, or declare them.
 * @throws {HttpError} 404 for what is no file, 403, 412, 416, 503
 * @throws {TypeError} for wrong options
 * @example return fileResponse(environ, '/srv/report.pdf', { download: 'Bericht März.pdf' })
 */
export function fileResponse(
  environ: Environ,
  path: string | URL,
  options?: FileResponseOptions,
): Promise<WsgiResponse> {
  return own(respond(environ, path, options));
}

async function respond(
  environ: Environ,
  path: string | URL,
  options: FileResponseOptions = {},
): Promise<WsgiResponse> {
  const { root, contentType, cacheControl = 'no-cache', download = false } = checkOptions(options);
  const terms = resolveSendOptions(options);
  const request = readFileRequest(environ);
  const codings = terms.precompressed ? acceptedCodings(environ.HTTP_ACCEPT_ENCODING) : [];
  const folder = root === undefined ? undefined : new RootFolder(root);
  const place = findPlace(path, folder);
  const found = await openFile(place, folder);
  if (found === undefined || found === 'folder') throw new Http404();
  const { open, coding, varies } = terms.precompressed
    ? await chooseCoded(found, codings, folder)
    : { open: found, coding: '', varies: false };
  const file = describeFile(open.stats, {
    type: contentType ?? findFileType(place),
    coding,
    varies,
    cacheControl,
    download: download === true ? basename(place) : download,
    headers: terms.headers,
  });
  return sendOpen(request, file, open, terms);
}

function checkOptions(options: FileResponseOptions): FileResponseOptions {
  const { root, contentType, cacheControl, download } = requireOptions('fileResponse', options);
  const unknown = Object.fromEntries(
    Object.entries(options).filter(([key]) => !(KNOWN as readonly string[]).includes(key)),
  );
  refuseUnknown('fileResponse', unknown, KNOWN);
  if (root !== undefined && (typeof root !== 'string' || root === ''))
    throw new TypeError(`Option "root" must be the path of a folder; received ${describeValue(root)}`);
  if (contentType !== undefined) requireHeaderValue('contentType', 'Content-Type', contentType);
  if (cacheControl !== undefined) requireHeaderValue('cacheControl', 'Cache-Control', cacheControl);
  if (download !== undefined && typeof download !== 'boolean' && typeof download !== 'string')
    throw new TypeError(
      `Option "download" must be true, false or a name; received ${describeValue(download)}`,
    );
  return options;
}

/** @throws {Http404} for what is outside the folder, or can be no path */
function findPlace(path: unknown, folder: RootFolder | undefined): string {
  const place = resolve(folder?.path ?? '', toPath(path, folder !== undefined));
  if (place.includes('\0') || folder?.spans(place) === false) throw new Http404();
  return place;
}

/** With a root the path is the client's, and an empty one stands for the folder. */
function toPath(path: unknown, hasRoot: boolean): string {
  if (path instanceof URL) return fileURLToPath(path);
  if (typeof path === 'string' && (hasRoot || path !== '')) return path;
  throw new TypeError(`fileResponse takes the path of a file; received ${describeValue(path)}`);
}
