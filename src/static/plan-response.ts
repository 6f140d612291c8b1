import { randomBytes } from 'node:crypto';
import type { HeaderPair } from '../core/contract.js';
import { HttpError } from '../core/http-error.js';
import { parseHttpDate } from '../response/http-date.js';
import { evaluatePreconditions } from '../response/preconditions.js';
import type { DescribedFile } from './described-file.js';
import type { FileRequest } from './file-request.js';
import { type ByteRange, findRanges } from './find-ranges.js';

/** A piece of a body: bytes as they are, or a part of the file. */
export type Piece = Buffer | ByteRange;

/** How a file is sent. */
export interface ResponsePlan {
  readonly status: 200 | 206 | 304;
  readonly headers: readonly HeaderPair[];
  /** What makes up the body; undefined for all of the file. */
  readonly pieces: readonly Piece[] | undefined;
  /** Of the body, in bytes. */
  readonly length: number;
}

/**
 * Decides what a request gets of a file.
 * @throws {HttpError} 412, 416
 */
export function planResponse(request: FileRequest, file: DescribedFile, maxRanges: number): ResponsePlan {
  const { conditions, range } = request;
  if (conditions !== undefined) {
    const status = evaluatePreconditions(conditions, file);
    if (status === 412) throw new HttpError(412);
    if (status === 304) return { status, headers: file.shortHeaders, pieces: [], length: 0 };
  }
  if (range !== undefined && isRangeWanted(request, file)) {
    const ranges = findRanges(range, file.size, maxRanges);
    if (ranges === 'none') {
      throw new HttpError(416, undefined, { headers: [['Content-Range', `bytes */${file.size}`]] });
    }
    if (ranges !== 'whole') return planRanges(file, ranges);
  }
  return { status: 200, headers: file.headers, pieces: undefined, length: file.size };
}

/** If-Range holds for a strong tag, or for the exact time of a file that has not just changed (RFC 9110 §13.1.5). */
function isRangeWanted({ ifRange }: FileRequest, { etag, lastModified }: DescribedFile): boolean {
  if (ifRange === undefined) return true;
  if (ifRange.includes('"')) return ifRange === etag && !etag.startsWith('W/');
  if (lastModified === undefined || etag.startsWith('W/')) return false;
  const stated = parseHttpDate(ifRange);
  return stated !== undefined && stated === parseHttpDate(lastModified);
}

function planRanges(file: DescribedFile, ranges: readonly ByteRange[]): ResponsePlan {
  const [first] = ranges;
  if (first === undefined) throw new HttpError(416);
  if (ranges.length > 1) return planMultipart(file, ranges);
  const headers: HeaderPair[] = [...file.headers, ['Content-Range', formatContentRange(first, file.size)]];
  return { status: 206, headers, pieces: [first], length: first.end - first.start + 1 };
}

/** multipart/byteranges (RFC 9110 §14.6). */
function planMultipart(file: DescribedFile, ranges: readonly ByteRange[]): ResponsePlan {
  const boundary = randomBytes(18).toString('hex');
  const pieces: Piece[] = [];
  let length = 0;
  for (const range of ranges) {
    const head = Buffer.from(
      `\r\n--${boundary}\r\nContent-Type: ${file.type}\r\nContent-Range: ${formatContentRange(range, file.size)}\r\n\r\n`,
      'latin1',
    );
    pieces.push(head, range);
    length += head.length + range.end - range.start + 1;
  }
  const end = Buffer.from(`\r\n--${boundary}--\r\n`);
  pieces.push(end);
  const headers = file.headers.map(
    ([name, value]): HeaderPair =>
      name === 'Content-Type' ? [name, `multipart/byteranges; boundary=${boundary}`] : [name, value],
  );
  return { status: 206, headers, pieces, length: length + end.length };
}

function formatContentRange({ start, end }: ByteRange, size: number): string {
  return `bytes ${start}-${end}/${size}`;
}
