import Negotiator from 'negotiator';
import { atOnce } from '../core/at-once.js';
import type { Body, Environ, HeaderPair } from '../core/contract.js';
import { cutList } from '../core/cut-list.js';
import { describeValue, refuseUnknown, requireOptions, toError } from '../core/errors.js';
import type { ResponseMiddleware } from '../core/wsgi-handler.js';
import type { WsgiResponse } from '../core/wsgi-response.js';
import { findWhole } from '../response/not-modified.js';
import { isCompressibleType } from './compressible-types.js';
import { encodeStream } from './encode-stream.js';
import { type Encoding, type EncodingLevels, encodeLater, encodeNow } from './encodings.js';
import { joinContent } from './join-content.js';
import { addToList, hasName } from './put-header.js';

/** Options of {@link compress}. */
export interface CompressOptions {
  /** Content that is shorter is left as it is, in bytes. @defaultValue 1024 */
  minBytes?: number;
  /** What is offered, the best first; among those that a client likes equally the first is taken. @defaultValue `['br', 'gzip']` */
  encodings?: readonly Encoding[];
  /** How hard gzip works, 1 to 9. @defaultValue 4 */
  gzipLevel?: number;
  /** How hard br works, 0 to 11. @defaultValue 3 */
  brotliQuality?: number;
  /** Responses that are left as they are: pages that have both a secret and what the client sent (BREACH). @defaultValue none */
  skip?(environ: Environ, response: WsgiResponse): boolean;
}

const KNOWN = ['minBytes', 'encodings', 'gzipLevel', 'brotliQuality', 'skip'];
/** One packet: less than that saves no time. */
const DEFAULT_MIN_BYTES = 1024;
const DEFAULT_LEVELS: EncodingLevels = { gzip: 4, br: 3 };
/** Up to here compression takes 0.3 ms or less, and a thread's turn costs as much CPU time again. */
const MAX_SYNC_BYTES = 65_536;
/** No content. */
const LEFT_STATUSES: ReadonlySet<number> = new Set([204, 205]);
/** Nothing is sent, or a part: they are not compressed, but tell of a 200 that would be. */
const SHORT_STATUSES: ReadonlySet<number> = new Set([206, 304]);
/** Headers that say that the content is encoded, is a part, or has a digest. */
const LEFT_HEADERS = [
  'content-encoding',
  'content-range',
  'content-digest',
  'content-md5',
  'digest',
  'repr-digest',
];
/** How many spellings of Accept-Encoding are remembered. */
const REMEMBERED = 256;

/** What a response has to be compressed with, or undefined. */
type Choose = (accept: string | undefined) => Encoding | undefined;

/**
 * Response middleware that compresses with br or gzip, as the client asks (RFC 9110 §12.5.3). It leaves alone what is short,
 * encoded already, of a type that does not shrink, a part (206), or `Cache-Control: no-transform`. Streams are compressed as
 * they come, and never held back. It does not see responses that are begun by `startResponse`.
 * @throws {TypeError} for a wrong option
 * @example new WsgiHandler([app], { responseMiddleware: [compress()] })
 */
export function compress(options: CompressOptions = {}): ResponseMiddleware {
  const { minBytes, encodings, levels, skip } = resolve(options);
  const choose = createChoice(encodings);

  /** A 304 has the ETag and Vary of its 200 (RFC 9110 §15.4.5); the tag of a 206 is that of the bytes that it has a part of. */
  const isSkipped = (environ: Environ, response: WsgiResponse) =>
    skip !== undefined && atOnce('compress', 'skip', skip(environ, response)) === true;

  function describeShort(environ: Environ, response: WsgiResponse): undefined {
    const { headers, bytes } = findWhole(response) ?? { headers: response.headers, bytes: -1 };
    const type = headers.find((pair) => hasName(pair, 'content-type'))?.[1];
    const isOther = type === undefined ? response.status === 206 : !isCompressibleType(type);
    if (isOther || isLeft(headers.filter((pair) => !hasName(pair, 'content-range')))) return;
    addToList(response.headers, 'Vary', 'Accept-Encoding');
    if (response.status !== 304 || (bytes !== -1 && bytes < minBytes)) return;
    if (choose(environ.HTTP_ACCEPT_ENCODING) === undefined || isSkipped(environ, response)) return;
    weakenTag(response);
  }

  const compressResponse: ResponseMiddleware = (environ, response) => {
    if (SHORT_STATUSES.has(response.status)) return describeShort(environ, response);
    const type = response.getHeader('content-type');
    if (type === undefined || LEFT_STATUSES.has(response.status) || !isCompressibleType(type))
      return undefined;
    if (isLeft(response.headers)) return undefined;
    addToList(response.headers, 'Vary', 'Accept-Encoding');
    const encoding = choose(environ.HTTP_ACCEPT_ENCODING);
    if (encoding === undefined || isSkipped(environ, response)) return undefined;
    const whole = joinContent(response.content);
    const stated = Number(response.getHeader('content-length') ?? -1);
    // A handler may leave out what HEAD does not send, and state how long it is.
    const isLeftOut = environ.REQUEST_METHOD === 'HEAD' && whole?.length === 0 && stated > 0;
    const bytes = whole === undefined || isLeftOut ? stated : Buffer.byteLength(whole);
    if (bytes !== -1 && bytes < minBytes) return undefined;
    // What is not so long as stated is told when it is sent.
    if (whole !== undefined && stated !== -1 && stated !== bytes) return undefined;

    const { content } = response;
    if (environ.REQUEST_METHOD === 'HEAD') {
      response.close();
      return finish(response, encoding, unknownLength());
    }
    if (whole === undefined) {
      const report = (error: unknown) =>
        environ['vela.logger'].error({ err: toError(error) }, 'closing a compressed body failed');
      return finish(response, encoding, encodeStream(content as Body, encoding, levels, stated, report));
    }
    const source = typeof whole === 'string' ? Buffer.from(whole) : whole;
    // What does not shrink stays as it is.
    const accept = (encoded: Buffer) =>
      encoded.length < bytes ? finish(response, encoding, encoded) : undefined;
    if (bytes <= MAX_SYNC_BYTES) return accept(encodeNow(encoding, source, levels));
    return encodeLater(encoding, source, levels).then(accept);
  };
  compressResponse.headers = skip === undefined ? ['accept-encoding'] : undefined;
  compressResponse.runsOn = 'response';
  return compressResponse;
}

/** The head of an encoded response: another representation, so a strong ETag no longer fits (RFC 9110 §8.8.3.3). */
function finish(response: WsgiResponse, encoding: Encoding, content: WsgiResponse['content']): undefined {
  response.content = content;
  response
    .deleteHeader('content-length')
    .deleteHeader('accept-ranges')
    .setHeader('Content-Encoding', encoding);
  weakenTag(response);
  return undefined;
}

function weakenTag(response: WsgiResponse): void {
  const etag = response.getHeader('etag');
  if (etag?.startsWith('"') === true) response.setHeader('ETag', `W/${etag}`);
}

function isLeft(headers: readonly HeaderPair[]): boolean {
  return headers.some(([name, value]) => {
    const lower = name.toLowerCase();
    return LEFT_HEADERS.includes(lower) || (lower === 'cache-control' && /\bno-transform\b/i.test(value));
  });
}

/** In place of the content in a response to HEAD: GET's length would have to be compressed for (RFC 9110 §8.6). */
async function* unknownLength(): AsyncGenerator<string> {
  yield ' ';
}

function createChoice(encodings: readonly Encoding[]): Choose {
  const known = new Map<string, Encoding | undefined>();
  return (accept) => {
    if (accept === undefined) return undefined;
    if (known.has(accept)) return known.get(accept);
    const found = findEncoding(accept, encodings);
    // Whoever sends junk must not end the remembering for all others.
    if (known.size >= REMEMBERED) known.clear();
    if (accept.length < REMEMBERED) known.set(accept, found);
    return found;
  };
}

/** negotiator 1, whose types know version 0.6. */
interface Chooser {
  encodings(available: string[], options: { preferred: string[] }): string[];
}

function findEncoding(accept: string, encodings: readonly Encoding[]): Encoding | undefined {
  const chooser: Chooser = new Negotiator({ headers: { 'accept-encoding': cutList(accept) } });
  const [best] = chooser.encodings([...encodings, 'identity'], { preferred: [...encodings] });
  return encodings.find((one) => one === best);
}

function resolve(options: CompressOptions) {
  const {
    minBytes = DEFAULT_MIN_BYTES,
    encodings = ['br', 'gzip'],
    gzipLevel = DEFAULT_LEVELS.gzip,
    brotliQuality = DEFAULT_LEVELS.br,
    skip,
    ...unknown
  } = requireOptions('compress', options);
  refuseUnknown('compress', unknown, KNOWN);
  for (const [option, value, least, most] of [
    ['minBytes', minBytes, 0, Number.MAX_SAFE_INTEGER],
    ['gzipLevel', gzipLevel, 1, 9],
    ['brotliQuality', brotliQuality, 0, 11],
  ] as const) {
    if (Number.isSafeInteger(value) && value >= least && value <= most) continue;
    throw new TypeError(
      `Option "${option}" must be a whole number from ${least} to ${most}; received ${describeValue(value)}`,
    );
  }
  const isList = Array.isArray(encodings) && encodings.length > 0;
  if (!isList || encodings.some((one) => one !== 'br' && one !== 'gzip')) {
    throw new TypeError(
      `Option "encodings" must be an array of 'br' and 'gzip'; received ${describeValue(encodings)}`,
    );
  }
  if (skip !== undefined && typeof skip !== 'function')
    throw new TypeError(`Option "skip" must be a function; received ${describeValue(skip)}`);
  return {
    minBytes,
    encodings: [...encodings] as const,
    levels: { gzip: gzipLevel, br: brotliQuality },
    skip,
  };
}
