import type { HeaderPair } from './contract.js';
import { describeValue, VelaError } from './errors.js';
import { TOKEN } from './http-syntax.js';

/** Headers that belong to the connection, so to the gateway (RFC 9110 §7.6.1, PEP 3333 "Other HTTP Features"). */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'trailers',
  'transfer-encoding',
  'upgrade',
]);

/** RFC 9110 §5.5, field-content: visible ASCII, space, tab, and obs-text. */
const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
/** Beyond 599 stands no status of HTTP (RFC 9110 §15), but programs that come from other servers have some. */
const STATUS = /^[2-9]\d\d [\x20-\x7e]*[\x21-\x7e][\x20-\x7e]*$/;

/** How many texts of each kind are remembered as checked: enough for an application's constants, never unbounded. */
const REMEMBERED = 1024;

const ORDINARY = 0;
const CONTENT_LENGTH = 1;
const DATE = 2;

/** No headers; every head that has none in common with others shares it. */
const NONE: readonly string[] = [];
/** What the last responses have begun with, and the last head that is that and nothing else. */
let lastStart = NONE;
let lastHead: ResponseHead | undefined;
/** The last ordinary name of each place: most responses of an application name alike, and `===` is faster than a Map. */
const LAST = 16;
/** Equal to nothing that an application can give. */
const UNUSED = Symbol('unused');
const lastNames = new Array<string | symbol>(LAST).fill(UNUSED);
const nameKinds = new Map<string, number>();
const statusCodes = new Map<string, number>();

/** The checked beginning of a response. */
export interface ResponseHead {
  /** As given: `200 OK`. */
  readonly status: string;
  readonly code: number;
  /**
   * Its first headers, name, value, name, value: copies, so that what was checked is what is sent. It is the same array as in
   * the head before it where both begin alike, as most of an application do, so what was made of it can be used again.
   * Ordinary headers only.
   */
  readonly start: readonly string[];
  /** The headers behind these. */
  readonly rest: readonly string[];
  /** What the application stated as Content-Length, or -1. */
  readonly statedLength: number;
  /** Some pair is Content-Length or Date, which a gateway may want to write itself. */
  readonly hasGatewayHeaders: boolean;
  /** Some value has bytes above 0x7e, so it must be written as ISO-8859-1. */
  readonly hasLatin1: boolean;
}

/**
 * Checks what `startResponse` was given.
 * @throws {VelaError} `ERR_CONTRACT_STATUS`, `ERR_CONTRACT_HEADERS`, `ERR_CONTRACT_HEADER_NAME`,
 * `ERR_CONTRACT_HEADER_VALUE`, `ERR_CONTRACT_HOP_BY_HOP`
 */
export function checkHead(status: string, headers: readonly HeaderPair[]): ResponseHead {
  const code = status === '200 OK' ? 200 : (statusCodes.get(status) ?? findCode(status));
  if (!Array.isArray(headers)) throw headersError(headers);
  const same = countSame(headers, lastStart);
  const isWhole = same === lastStart.length;
  if (isWhole && same === 2 * headers.length && lastHead?.status === status) return lastHead;
  let statedLength = -1;
  let hasGatewayHeaders = false;
  let hasLatin1 = false;
  const rest: string[] = [];
  for (let i = same / 2; i < headers.length; i++) {
    const pair = headers[i] as HeaderPair;
    if (!Array.isArray(pair) || pair.length !== 2) throw headersError(pair);
    const name = pair[0];
    const value = pair[1];
    rest.push(name, value);
    if (i < LAST && name === lastNames[i] && isAscii(value)) continue;
    const isPlain = isPlainValue(name, value);
    const kind = nameKinds.get(name) ?? findNameKind(name);
    if (!isPlain) hasLatin1 = true;
    if (kind !== ORDINARY) {
      hasGatewayHeaders = true;
      if (kind === CONTENT_LENGTH) statedLength = parseLength(value, statedLength);
    } else if (i < LAST) {
      lastNames[i] = name;
    }
  }
  const start = isWhole ? lastStart : lastStart.slice(0, same);
  const head = { status, code, start, rest, statedLength, hasGatewayHeaders, hasLatin1 };
  return headers.length === 0 || hasGatewayHeaders || hasLatin1 ? head : remember(head);
}

/** How many texts of a start some pairs begin with. What is no pair is like nothing. */
function countSame(headers: readonly HeaderPair[], start: readonly string[]): number {
  let same = 0;
  for (let i = 0; i < headers.length && same < start.length; i++) {
    const pair = headers[i] as HeaderPair;
    if (!Array.isArray(pair) || pair.length !== 2) break;
    if (pair[0] !== start[same] || pair[1] !== start[same + 1]) break;
    same += 2;
  }
  return same;
}

/** The next head is held against this one: against all of it when it had nothing in common with the last. */
function remember(head: ResponseHead): ResponseHead {
  const known = head.start.length === 0 ? { ...head, start: head.rest, rest: NONE } : head;
  lastStart = known.start;
  if (known.rest.length === 0) lastHead = known;
  else if (lastHead?.start !== lastStart) lastHead = undefined;
  return known;
}

/** All headers of a head: name, value, name, value. */
export function listHeaders({ start, rest }: ResponseHead): string[] {
  return [...start, ...rest];
}

/** True for the statuses whose responses have no content (RFC 9110 §15.3.5, §15.3.6, §15.4.5). */
export function hasNoBody(code: number): boolean {
  return code === 204 || code === 205 || code === 304;
}

/**
 * The Content-Length of a response whose body is not sent (RFC 9110 §8.6), -1 for none: 205 has zero, 204 and 304 none,
 * and HEAD that of GET.
 * @param bodyBytes - how much GET would send; -1 when that is not known
 */
export function reportedLength({ code, statedLength }: ResponseHead, bodyBytes: number): number {
  if (code === 205) return 0;
  if (code === 204 || code === 304) return -1;
  return statedLength === -1 ? bodyBytes : statedLength;
}

/** True for a header of the connection, by its name in lower case. */
export function isHopByHop(lower: string): boolean {
  return HOP_BY_HOP.has(lower);
}

/** True for the headers that a gateway writes itself where its server does so already. */
export function isGatewayHeader(name: string): boolean {
  return nameKinds.get(name) !== ORDINARY && findNameKind(name) !== ORDINARY;
}

function findCode(status: unknown): number {
  if (typeof status !== 'string' || !STATUS.test(status)) {
    throw new VelaError(
      'ERR_CONTRACT_STATUS',
      `startResponse needs a status such as '200 OK': three digits from 200 to 599 (or to 999, if need be), a space and a reason in ASCII; received ${describeValue(status)}`,
    );
  }
  const code = Number(status.slice(0, 3));
  if (statusCodes.size < REMEMBERED) statusCodes.set(status, code);
  return code;
}

function findNameKind(name: string): number {
  if (typeof name !== 'string' || !TOKEN.test(name)) {
    throw new VelaError(
      'ERR_CONTRACT_HEADER_NAME',
      `A response header's name must be a token such as 'Content-Type'; received ${describeValue(name)}`,
    );
  }
  const lower = name.toLowerCase();
  if (HOP_BY_HOP.has(lower)) {
    throw new VelaError(
      'ERR_CONTRACT_HOP_BY_HOP',
      `The response header '${name}' belongs to the connection, so the server writes it; leave it out`,
    );
  }
  const kind = lower === 'content-length' ? CONTENT_LENGTH : lower === 'date' ? DATE : ORDINARY;
  if (nameKinds.size < REMEMBERED) nameKinds.set(name, kind);
  return kind;
}

/** True for ASCII, false for ISO-8859-1. */
function isPlainValue(name: string, value: unknown): boolean {
  if (isAscii(value)) return true;
  if (typeof value === 'string' && !NOT_IN_VALUE.test(value)) return false;
  throw valueError(name, value);
}

/** True for text of visible ASCII, space and tab. For values as short as headers have them a loop beats a RegExp. */
function isAscii(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code > 126 || (code < 32 && code !== 9)) return false;
  }
  return true;
}

function parseLength(value: string, earlier: number): number {
  const length = /^\d{1,15}$/.test(value) ? Number(value) : -1;
  if (length === -1 || (earlier !== -1 && earlier !== length)) {
    throw new VelaError(
      'ERR_CONTRACT_HEADER_VALUE',
      `Content-Length must be one whole number of bytes; received ${describeValue(value)}${earlier === -1 ? '' : ` after '${earlier}'`}`,
    );
  }
  return length;
}

function valueError(name: string, value: unknown): VelaError {
  const what = `The value of the response header ${describeValue(name)} must be`;
  const remedy = typeof value === 'string' ? ': encode it, for example with encodeURIComponent' : '';
  return new VelaError(
    'ERR_CONTRACT_HEADER_VALUE',
    typeof value === 'number'
      ? `${what} text: '${value}'; received the number ${value}`
      : `${what} a string without control characters and within ISO-8859-1; received ${describeValue(value)}${remedy}`,
  );
}

function headersError(received: unknown): VelaError {
  return new VelaError(
    'ERR_CONTRACT_HEADERS',
    `startResponse needs its headers as an array of pairs, [['Content-Type', 'text/plain']]; received ${describeValue(received)}`,
  );
}
