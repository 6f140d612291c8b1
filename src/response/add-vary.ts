import type { HeaderPair } from '../core/contract.js';

/** Names a request header in Vary (RFC 9110 §12.5.5), unless it stands there, or `*` does. Changes the array. */
export function addVary(headers: HeaderPair[], name: string): void {
  const index = headers.findIndex((pair) => pair[0].toLowerCase() === 'vary');
  const known = headers[index]?.[1];
  if (known === undefined) {
    headers.push(['Vary', name]);
    return;
  }
  const names = headers
    .filter((pair) => pair[0].toLowerCase() === 'vary')
    .flatMap((pair) => pair[1].toLowerCase().split(','))
    .map((one) => one.trim());
  // A new pair: the old one may be shared by other responses.
  if (!names.includes('*') && !names.includes(name.toLowerCase()))
    headers[index] = ['Vary', `${known}, ${name}`];
}
