import type { Stats } from 'node:fs';
import type { HeaderPair } from '../core/contract.js';
import { formatAttachment } from '../response/content-disposition.js';
import { formatHttpDate } from '../response/http-date.js';
import { notModifiedHeaders } from '../response/not-modified.js';

/** A file as HTTP has it: what every response of it needs, worked out once. */
export interface DescribedFile {
  readonly size: number;
  readonly type: string;
  readonly etag: string;
  readonly lastModified: string | undefined;
  /** Of the 200, less Content-Length. */
  readonly headers: readonly HeaderPair[];
  /** Of the 304. */
  readonly shortHeaders: readonly HeaderPair[];
}

/** What is told of a file beside its own facts. */
export interface FileTerms {
  readonly type: string;
  /** Content-Encoding: `br`, `gzip`, or `''`. */
  readonly coding: string;
  /** There are other codings of it, so the response hangs on Accept-Encoding. */
  readonly varies: boolean;
  /** `''` for no header. */
  readonly cacheControl: string;
  /** To be saved: under a name, or true for that of its URL. */
  readonly download: boolean | string;
  readonly headers: readonly HeaderPair[];
}

/**
 * A file that was changed so lately may change again without a change of its size and time: file systems keep times of
 * 2 s (FAT) to some ms. In ms.
 */
const SETTLED_MS = 2000;

export function describeFile(stats: Stats, terms: FileTerms): DescribedFile {
  const nowMs = Date.now();
  const etag = makeFileTag(stats, terms.coding, nowMs);
  // No later than now (RFC 9110 §8.8.2.1).
  const lastModified = formatHttpDate(Math.min(stats.mtimeMs, nowMs));
  const headers: HeaderPair[] = [
    ['Content-Type', terms.type],
    ['ETag', etag],
    ['Accept-Ranges', 'bytes'],
    ['X-Content-Type-Options', 'nosniff'],
  ];
  if (lastModified !== undefined) headers.push(['Last-Modified', lastModified]);
  if (terms.cacheControl !== '') headers.push(['Cache-Control', terms.cacheControl]);
  if (terms.coding !== '') headers.push(['Content-Encoding', terms.coding]);
  if (terms.varies) headers.push(['Vary', 'Accept-Encoding']);
  if (terms.download !== false) {
    const name = typeof terms.download === 'string' ? terms.download : undefined;
    headers.push(['Content-Disposition', formatAttachment(name)]);
  }
  headers.push(...terms.headers);
  return {
    size: stats.size,
    type: terms.type,
    etag,
    lastModified,
    headers,
    shortHeaders: notModifiedHeaders(headers),
  };
}

/** True for a file that has been as it is for a while. */
export function isSettled(stats: Stats, nowMs: number): boolean {
  return nowMs - stats.mtimeMs >= SETTLED_MS;
}

/** Of size and time: weak while the file is so new that both may stay as they are when it changes. */
function makeFileTag(stats: Stats, coding: string, nowMs: number): string {
  const size = stats.size.toString(36);
  const time = Math.round(stats.mtimeMs * 1000).toString(36);
  const suffix = coding === '' ? '' : `-${coding}`;
  return `${isSettled(stats, nowMs) ? '' : 'W/'}"${size}-${time}${suffix}"`;
}
