/** Ranges of content that is made while it is sent. For files, fileResponse() does all of this. */
import parseRange from 'range-parser';
import { type HeaderPair, HttpError, type RouteRequest, Router, WsgiResponse } from 'vela';
import { evaluatePreconditions, readPreconditions } from 'vela/middleware';
import { atMost } from '../path-numbers.js';
import { pause } from '../pause.js';
import { readNumber, readWhole } from '../query-args.js';
import type { RouteGroup } from '../route-group.js';

const MAX_BYTES = 102_400;
const CHUNK_BYTES = 10_240;
const MAX_SECONDS = 10;
const LETTERS = 26;
const FIRST_LETTER = 97;

/** Of which part; both ends belong to it. */
interface Part {
  readonly start: number;
  readonly end: number;
}

function answer(request: RouteRequest<{ n: number }>): WsgiResponse {
  const { n: size } = request.params;
  const etag = `"range${size}"`;
  const headers: HeaderPair[] = [
    ['ETag', etag],
    ['Accept-Ranges', 'bytes'],
  ];
  if (size < 1 || size > MAX_BYTES)
    throw new HttpError(404, `number of bytes must be in the range (0, ${MAX_BYTES}]`, { headers });
  const duration = readNumber(request, 'duration', { fallback: 0, least: 0, most: MAX_SECONDS });
  const chunkBytes = readWhole(request, 'chunk_size', { fallback: CHUNK_BYTES, least: 1, most: MAX_BYTES });
  const status = evaluatePreconditions(readPreconditions(request.environ), { etag });
  if (status === 412) throw new HttpError(412, undefined, { headers });
  if (status === 304) return new WsgiResponse({ status, headers });

  const part = findPart(request, size, etag);
  if (part === 'none') {
    throw new HttpError(416, undefined, { headers: [...headers, ['Content-Range', `bytes */${size}`]] });
  }
  const { start, end } = part ?? { start: 0, end: size - 1 };
  headers.push(['Content-Type', 'application/octet-stream'], ['Content-Length', String(end - start + 1)]);
  if (part !== undefined) headers.push(['Content-Range', `bytes ${start}-${end}/${size}`]);
  const content = letters(request, { start, end }, chunkBytes, duration / size);
  return new WsgiResponse({ status: part === undefined ? 200 : 206, headers, content });
}

/** One range; several, and what is none, are left out of account (RFC 9110 §14.2). */
function findPart({ environ }: RouteRequest, size: number, etag: string): Part | 'none' | undefined {
  const { HTTP_RANGE: header, HTTP_IF_RANGE: ifRange = etag } = environ;
  if (header === undefined || ifRange !== etag) return undefined;
  const ranges = parseRange(size, header, { combine: true });
  if (ranges === -1) return 'none';
  return ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1 ? undefined : ranges[0];
}

/** The alphabet again and again, so that each byte tells where it stands. */
async function* letters(
  request: RouteRequest,
  { start, end }: Part,
  chunkBytes: number,
  secondsPerByte: number,
) {
  for (let at = start; at <= end; at += chunkBytes) {
    const length = Math.min(chunkBytes, end + 1 - at);
    yield Buffer.from(Array.from({ length }, (_, i) => FIRST_LETTER + ((at + i) % LETTERS)));
    await pause(request, secondsPerByte * length);
  }
}

export const ranges: RouteGroup = {
  title: 'Ranges',
  prefix: '/',
  router: new Router().get('/range/:n', { params: { n: atMost(MAX_BYTES + 1) } }, answer),
  routes: [
    {
      method: 'GET',
      path: '/range/:n',
      text: 'n letters, or a range of them',
      example: '/range/1024',
      headers: { Range: 'bytes=10-35' },
    },
  ],
};
