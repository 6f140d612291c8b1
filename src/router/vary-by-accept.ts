import type { BeginningResponse, Environ } from '../core/contract.js';
import { addToList } from '../middleware/put-header.js';

/** Tells caches that the response, whichever it becomes, depends on the Accept header (RFC 9110 §12.5.5). */
export function varyByAccept(environ: Environ): void {
  environ['vela.response'].onStart(addVary);
}

function addVary({ headers }: BeginningResponse): void {
  addToList(headers, 'Vary', 'Accept');
}
