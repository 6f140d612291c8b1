import type { Environ } from '../core/contract.js';
import { type Preconditions, readPreconditions } from '../response/preconditions.js';

/** What of a request decides how a file is sent. */
export interface FileRequest {
  readonly method: string;
  readonly conditions: Preconditions | undefined;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
}

/** Reads all that is needed, so that nothing is read after a wait. */
export function readFileRequest(environ: Environ): FileRequest {
  const method = environ.REQUEST_METHOD;
  const conditions = method === 'GET' || method === 'HEAD' ? readPreconditions(environ) : undefined;
  const range = method === 'GET' ? environ.HTTP_RANGE : undefined;
  const ifRange = range === undefined ? undefined : environ.HTTP_IF_RANGE;
  return { method, conditions, range, ifRange };
}
