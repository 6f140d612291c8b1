import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { Chunk, HeaderPair } from '../core/contract.js';
import { VelaError } from '../core/errors.js';
import { isHopByHop } from '../core/response-head.js';
import { gatheredHeaders, type NodeResponse } from './node-internals.js';

const CLOSE = /(?:^|\W)close(?:$|\W)/i;

/** node:http sends it, now as ISO-8859-1 and now as UTF-8. */
const NOT_IN_REASON = /[^\x20-\x7e]/g;

/** The last status line, and the status that it has: most are that of the one before. */
let lastLine = '';
let lastStatus = '';

function readStatus(statusLine: string): string {
  if (statusLine !== lastLine) {
    const status = statusLine.slice(9, -2).replace(NOT_IN_REASON, '?').trimEnd();
    lastLine = statusLine;
    lastStatus = status.length > 4 ? status : `${status.slice(0, 3)} unknown`;
  }
  return lastStatus;
}

/** The head of a response of node:http. */
export interface NodeHead {
  /** `200 OK`. */
  readonly status: string;
  /** Without Content-Length. */
  readonly headers: HeaderPair[];
  /** The Content-Length that was given, or is known; undefined without one. */
  length: string | undefined;
  /** The connection is to end with the response. */
  closes: boolean;
  /** A Transfer-Encoding was given: the length is not to be told, even if it is known. */
  isChunked: boolean;
}

/**
 * Reads a head as node:http writes it.
 * @param statusLine - `HTTP/1.1 200 OK` and a line end
 * @param given - what `setHeader` has gathered, or what `writeHead` was given: pairs, a flat array, or an object
 * @throws {TypeError} node:http's own, for names and values that are none
 */
export function readHead(response: NodeResponse, statusLine: string, given: unknown): NodeHead {
  const head: NodeHead = {
    status: readStatus(statusLine),
    headers: [],
    length: undefined,
    closes: false,
    isChunked: false,
  };
  const gathered = gatheredHeaders(response);
  if (given !== null && given === gathered) {
    for (const lower in gathered) {
      const [name, value] = gathered[lower] as readonly [string, unknown];
      add(head, lower, name, value);
    }
  } else {
    addGiven(head, given);
  }
  const { _contentLength, _hasBody } = response;
  if (
    _hasBody &&
    head.length === undefined &&
    typeof _contentLength === 'number' &&
    !response._removedContLen
  )
    head.length = String(_contentLength);
  return head;
}

function add(head: NodeHead, lower: string, name: string, value: unknown, isUnchecked = false): void {
  if (Array.isArray(value)) {
    if (lower === 'cookie' && value.length > 1) add(head, lower, name, value.join('; '), isUnchecked);
    else for (const one of value) add(head, lower, name, one, isUnchecked);
    return;
  }
  if (isUnchecked) validateHeaderValue(name, value as string);
  const text = typeof value === 'string' ? value : String(value);
  if (lower === 'content-length') head.length = text;
  else if (!isHopByHop(lower)) head.headers.push([name, text]);
  else if (lower === 'transfer-encoding') head.isChunked = true;
  else if (lower === 'connection' && CLOSE.test(text)) head.closes = true;
}

/** Adds what `writeHead` was given. */
function addGiven(head: NodeHead, given: unknown): void {
  if (given === undefined || given === null) return;
  if (!Array.isArray(given)) {
    for (const name of Object.keys(given)) addUnchecked(head, name, (given as Record<string, unknown>)[name]);
  } else if (Array.isArray(given[0])) {
    for (const [name, value] of given as [string, unknown][]) addUnchecked(head, name, value);
  } else {
    if (given.length % 2 !== 0)
      throw new VelaError(
        'ERR_INVALID_ARG_VALUE',
        "writeHead's array of headers must have a value for each name",
      );
    for (let i = 0; i < given.length; i += 2) addUnchecked(head, given[i] as string, given[i + 1]);
  }
}

function addUnchecked(head: NodeHead, name: string, value: unknown): void {
  validateHeaderName(name);
  add(head, name.toLowerCase(), name, value, true);
}

/** Whether a body has the length that was given for it, if one was. */
export function fits(length: string | undefined, body: Chunk | undefined): boolean {
  return length === undefined || Number(length) === (body === undefined ? 0 : Buffer.byteLength(body));
}
