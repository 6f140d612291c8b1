import type { Environ } from '../core/contract.js';
import { listHasTag } from './entity-tag.js';
import { parseHttpDate } from './http-date.js';

/** What a request states of the representation that its client knows. */
export interface Preconditions {
  readonly method: string;
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
  readonly ifModifiedSince: string | undefined;
  readonly ifUnmodifiedSince: string | undefined;
}

/** What tells one state of a resource from another. */
export interface Validators {
  /** With its quotes: `"abc"` or `W/"abc"`. */
  readonly etag?: string | undefined;
  /** An HTTP date. */
  readonly lastModified?: string | undefined;
}

/** The headers that {@link readPreconditions} reads. */
export const PRECONDITION_HEADERS = [
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
] as const;

/** The conditions of a request; undefined for one without any. */
export function readPreconditions(environ: Environ): Preconditions | undefined {
  const ifMatch = environ.HTTP_IF_MATCH;
  const ifNoneMatch = environ.HTTP_IF_NONE_MATCH;
  const ifModifiedSince = environ.HTTP_IF_MODIFIED_SINCE;
  const ifUnmodifiedSince = environ.HTTP_IF_UNMODIFIED_SINCE;
  if (
    ifMatch === undefined &&
    ifNoneMatch === undefined &&
    ifModifiedSince === undefined &&
    ifUnmodifiedSince === undefined
  )
    return undefined;
  const method = environ.REQUEST_METHOD;
  return { method, ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince };
}

/**
 * Whether a request may be performed, in the order of RFC 9110 §13.2.2: 412 when its client expects another state, 304
 * when it has this one already, undefined to go on. For PUT, PATCH, DELETE and their like ask before anything changes.
 * @param validators - of the selected representation as it is now; undefined when there is none
 */
export function evaluatePreconditions(
  conditions: Preconditions | undefined,
  validators: Validators | undefined,
): 304 | 412 | undefined {
  if (conditions === undefined) return undefined;
  const { method, ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  if (ifMatch !== undefined) {
    if (!hasMatch(ifMatch, validators, true)) return 412;
  } else if (ifUnmodifiedSince !== undefined && isModifiedSince(ifUnmodifiedSince, validators) === true) {
    return 412;
  }
  const isSafe = method === 'GET' || method === 'HEAD';
  if (ifNoneMatch !== undefined) {
    if (!hasMatch(ifNoneMatch, validators, false)) return undefined;
    return isSafe ? 304 : 412;
  }
  const isKnown = ifModifiedSince !== undefined && isModifiedSince(ifModifiedSince, validators) === false;
  return isSafe && isKnown ? 304 : undefined;
}

/** `*` matches whatever there is; If-Match compares strongly, If-None-Match weakly (§13.1.1, §13.1.2). */
function hasMatch(list: string, validators: Validators | undefined, isStrong: boolean): boolean {
  if (validators === undefined) return false;
  if (list.trim() === '*') return true;
  return validators.etag !== undefined && listHasTag(list, validators.etag, isStrong);
}

/** Undefined when that cannot be told: no such date, or none known. The condition is then left out of account. */
function isModifiedSince(date: string, validators: Validators | undefined): boolean | undefined {
  const known = validators?.lastModified;
  if (known === undefined) return undefined;
  if (known === date) return false;
  const stated = parseHttpDate(date);
  const modified = parseHttpDate(known);
  return stated === undefined || modified === undefined ? undefined : modified > stated;
}
