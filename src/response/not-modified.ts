import type { HeaderPair } from '../core/contract.js';
import type { WsgiResponse } from '../core/wsgi-response.js';

/**
 * What describes content that is not sent. Everything else stays: what RFC 9110 §15.4.5 asks for (Cache-Control,
 * Content-Location, Date, ETag, Expires, Vary), cookies, and what concerns the response itself, such as CORS.
 */
const OF_CONTENT: ReadonlySet<string> = new Set([
  'accept-ranges',
  'content-digest',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-range',
  'content-type',
  'repr-digest',
]);

/** The headers of a 304, from those that the 200 would have had. Last-Modified goes where there is an ETag. */
export function notModifiedHeaders(headers: readonly HeaderPair[]): HeaderPair[] {
  const hasTag = headers.some(([name]) => name.toLowerCase() === 'etag');
  return headers.filter(([name]) => {
    const lower = name.toLowerCase();
    return !OF_CONTENT.has(lower) && !(hasTag && lower === 'last-modified');
  });
}

/** The 200 in whose place a shorter response stands. */
export interface WholeResponse {
  readonly headers: readonly HeaderPair[];
  /** Of its content; -1 when that is not known. */
  readonly bytes: number;
}

const wholes = new WeakMap<WsgiResponse, WholeResponse>();

/** Notes what a 304 or 206 stands for, for those who would have changed the 200. */
export function noteWhole(response: WsgiResponse, whole: WholeResponse): WsgiResponse {
  wholes.set(response, whole);
  return response;
}

/** What was noted of a 304 or 206; undefined for one that the application made itself. */
export function findWhole(response: WsgiResponse): WholeResponse | undefined {
  return wholes.get(response);
}
