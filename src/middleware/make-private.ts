import type { HeaderPair } from '../core/contract.js';
import { findHeader, hasName, putHeader, removeHeaders } from './put-header.js';

/** What lets shared caches keep a response; a private one has no use for them (RFC 9111 §5.2.2). */
const SHARED = /^(?:public|s-maxage|proxy-revalidate|private)(?:=|$)/i;
/** One directive: a token, perhaps with a value, which may be quoted and have commas. */
const DIRECTIVE = /(?:[^",]|"(?:[^"\\]|\\.)*"?)+/g;

/** What some caches obey in place of Cache-Control: the targeted fields of RFC 9213 §2.1, and those before it. */
const TARGETED = /-Cache-Control$|^(?:Surrogate-Control|Edge-Control|X-Accel-Expires)$/i;

/**
 * Keeps a response out of shared caches, whatever its application said: it has what is meant for one client. A cache may
 * keep, and give to others, a Set-Cookie with all that `public`, `max-age` or nothing allows (RFC 9111 §3, §7.3). Fields
 * that are meant for one kind of cache, such as CDN-Cache-Control, go: a cache that knows one does not read Cache-Control
 * (RFC 9213 §2.2).
 */
export function makePrivate(headers: HeaderPair[]): void {
  removeHeaders(headers, TARGETED);
  if (findHeader(headers, 'Cache-Control') === -1) {
    headers.push(['Cache-Control', 'private']);
    return;
  }
  const directives = headers
    .filter((pair) => hasName(pair, 'Cache-Control'))
    .flatMap(([, value]) => value.match(DIRECTIVE) ?? [])
    .map((one) => one.trim())
    .filter((one) => one !== '');
  const lower = directives.map((one) => one.toLowerCase());
  if (lower.includes('no-store')) return;
  const isPrivate = lower.includes('private') && !lower.some((one) => SHARED.test(one) && one !== 'private');
  if (isPrivate) return;
  putHeader(
    headers,
    'Cache-Control',
    ['private', ...directives.filter((one) => !SHARED.test(one))].join(', '),
  );
}
