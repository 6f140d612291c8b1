import { BadRequest } from './http-error.js';

/** Percent-decodes a path once, as UTF-8. */
export function decodePath(rawPath: string): string {
  if (!/[%\x7f-\uffff]/.test(rawPath)) return rawPath;
  if (/[\x7f-\uffff]/.test(rawPath)) {
    throw new BadRequest('The request path has bytes that must be percent-encoded');
  }
  try {
    return decodeURIComponent(rawPath);
  } catch (cause) {
    throw new BadRequest('The request path has a malformed percent-escape', { cause });
  }
}
