import type { HeaderPair } from '../core/contract.js';

/** Puts a header in place of the first that has its name; others of that name are removed. */
export function putHeader(headers: HeaderPair[], pair: HeaderPair): void {
  const first = findHeader(headers, pair[0].toLowerCase());
  if (first === -1) {
    headers.push(pair);
    return;
  }
  headers[first] = pair;
  const lower = pair[0].toLowerCase();
  for (let i = headers.length - 1; i > first; i--) {
    if ((headers[i] as HeaderPair)[0].toLowerCase() === lower) headers.splice(i, 1);
  }
}

/** Where a header stands; -1 when it is not there. Lengths are compared first: that spares most names the rest. */
export function findHeader(headers: readonly HeaderPair[], lowerName: string): number {
  for (let i = 0; i < headers.length; i++) {
    const name = headers[i]?.[0];
    if (typeof name === 'string' && name.length === lowerName.length && name.toLowerCase() === lowerName)
      return i;
  }
  return -1;
}

/** Adds an element to a header that is a list, such as Vary, unless it is there, in whatever line. */
export function addToList(headers: HeaderPair[], pair: HeaderPair): void {
  const [name, element] = pair;
  const lower = name.toLowerCase();
  const first = findHeader(headers, lower);
  if (first === -1) {
    headers.push(pair);
    return;
  }
  const elements = headers
    .filter(([known]) => known.toLowerCase() === lower)
    .flatMap(([, value]) => value.split(',').map((one) => one.trim().toLowerCase()));
  if (elements.includes('*') || elements.includes(element.toLowerCase())) return;
  // A new pair: the old one may be shared by other responses.
  const [known, value] = headers[first] as HeaderPair;
  headers[first] = [known, value === '' ? element : `${value}, ${element}`];
}

/** A pair that many responses share: frozen, so that none of them can change it for the others. */
export function sharedHeader(name: string, value: string): HeaderPair {
  const pair: HeaderPair = [name, value];
  Object.freeze(pair);
  return pair;
}
