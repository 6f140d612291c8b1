import type { HeaderPair } from '../core/contract.js';

/** By which upper and lower case letters of ASCII differ. */
const CASE_BIT = 0x20;

/** Puts a header in place of the first that has its name; others of that name are removed. */
export function putHeader(headers: HeaderPair[], name: string, value: string): void {
  const first = findHeader(headers, name);
  if (first === -1) {
    headers.push([name, value]);
    return;
  }
  headers[first] = [name, value];
  for (let i = headers.length - 1; i > first; i--) if (hasName(headers[i], name)) headers.splice(i, 1);
}

/** Where a header stands first; -1 when it is not there. */
export function findHeader(headers: readonly HeaderPair[], name: string): number {
  for (let i = 0; i < headers.length; i++) if (hasName(headers[i], name)) return i;
  return -1;
}

/** Removes all headers whose names are like this. */
export function removeHeaders(headers: HeaderPair[], names: RegExp): void {
  for (let i = headers.length - 1; i >= 0; i--) {
    const name: unknown = headers[i]?.[0];
    if (typeof name === 'string' && names.test(name)) headers.splice(i, 1);
  }
}

/** Adds an element to a header that is a list, such as Vary, unless it is there, in whatever line. */
export function addToList(headers: HeaderPair[], name: string, element: string): void {
  const first = findHeader(headers, name);
  if (first === -1) {
    headers.push([name, element]);
    return;
  }
  const elements = headers
    .filter((pair) => hasName(pair, name))
    .flatMap(([, value]) => value.split(',').map((one) => one.trim().toLowerCase()));
  if (elements.includes('*') || elements.includes(element.toLowerCase())) return;
  // A new pair: the old one may be shared by other responses.
  const [known, value] = headers[first] as HeaderPair;
  headers[first] = [known, value === '' ? element : `${value}, ${element}`];
}

/**
 * Lengths and first letters are compared first: that spares most names the rest. Pairs are the application's, and not checked
 * yet.
 */
export function hasName(pair: HeaderPair | undefined, name: string): boolean {
  const known = pair?.[0];
  if (typeof known !== 'string' || known.length !== name.length) return false;
  if (known === name) return true;
  // Letters of ASCII differ from their other case in one bit; so do a few other characters, which the rest tells apart.
  const differing = known.charCodeAt(0) ^ name.charCodeAt(0);
  return (differing === 0 || differing === CASE_BIT) && known.toLowerCase() === name.toLowerCase();
}
