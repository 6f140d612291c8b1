import type { HeaderPair } from '../core/contract.js';
import { describeValue } from '../core/errors.js';
import { checkHead } from '../core/response-head.js';

/** What {@link fileResponse} and {@link MediaRouter} have in common. */
export interface FileSendOptions {
  /**
   * Sends `name.br` or `name.gz` in place of `name`, where one lies beside it and the client takes it. They must be
   * made anew whenever the file is. @defaultValue false
   */
  precompressed?: boolean;
  /** Further headers, for example a Content-Security-Policy. */
  headers?: readonly HeaderPair[];
  /** How much is read at a time, in bytes, 4 KiB to 4 MiB: what a slow download holds in memory. @defaultValue 128 KiB */
  blockBytes?: number;
  /** A Range header with more ranges is left out of account. @defaultValue 10 */
  maxRanges?: number;
}

/** The same, filled in. */
export type FileSendTerms = Required<FileSendOptions>;

const DEFAULT_BLOCK_BYTES = 131_072;
const MIN_BLOCK_BYTES = 4096;
const MAX_BLOCK_BYTES = 4_194_304;
const DEFAULT_MAX_RANGES = 10;
const MAX_RANGES = 1000;
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'accept-ranges',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'date',
  'etag',
  'last-modified',
  'x-content-type-options',
]);

/** Checks them and fills them in. @throws {TypeError} @throws {VelaError} for headers that are none */
export function resolveSendOptions(options: FileSendOptions): FileSendTerms {
  const {
    precompressed = false,
    headers = [],
    blockBytes = DEFAULT_BLOCK_BYTES,
    maxRanges = DEFAULT_MAX_RANGES,
  } = options;
  requireBoolean('precompressed', precompressed);
  requireWhole('blockBytes', blockBytes, MIN_BLOCK_BYTES, MAX_BLOCK_BYTES);
  requireWhole('maxRanges', maxRanges, 1, MAX_RANGES);
  checkHead('200 OK', headers);
  for (const [name] of headers) {
    if (!OWN_HEADERS.has(name.toLowerCase())) continue;
    throw new TypeError(`Option "headers" cannot have ${name}: what sends the file writes it`);
  }
  return { precompressed, headers, blockBytes, maxRanges };
}

export function requireBoolean(name: string, value: unknown): void {
  if (typeof value === 'boolean') return;
  throw new TypeError(`Option "${name}" must be true or false; received ${describeValue(value)}`);
}

export function requireWhole(name: string, value: unknown, least: number, most: number): void {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new TypeError(
    `Option "${name}" must be a whole number from ${least} to ${most}; received ${describeValue(value)}`,
  );
}

/** The value of a header, or `''` for none. */
export function requireHeaderValue(option: string, name: string, value: unknown): string {
  if (typeof value !== 'string')
    throw new TypeError(`Option "${option}" must be text; received ${describeValue(value)}`);
  checkHead('200 OK', [[name, value]]);
  return value;
}
