import { decodePath } from '../core/decode-path.js';
import { BadRequest } from '../core/http-error.js';

/** What a path asks for, below the root. */
export interface MediaPath {
  /** Decoded, without slashes; none is empty, `.` or `..`. */
  readonly segments: readonly string[];
  /** The path ends with a slash. */
  readonly isFolder: boolean;
}

/** What Windows takes for something else: streams of a file, devices, names that it shortens. */
const NOT_ON_WINDOWS = /[:*?"<>|]|[. ]$|~\d|^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/**
 * Decodes a path once, and takes it apart.
 * @param rawPath - undecoded; empty, or begins with a slash
 * @returns undefined for what is never served: empty segments, and dotfiles unless they are
 * @throws {BadRequest} for `..`, NUL and other control characters, backslashes, encoded slashes, malformed escapes
 */
export function parseMediaPath(rawPath: string, servesDotfiles: boolean): MediaPath | undefined {
  if (/\\|%(?:2f|5c)/i.test(rawPath)) throw new BadRequest('The request path has a separator that is none');
  const path = decodePath(rawPath);
  if (/\p{Cc}/u.test(path)) throw new BadRequest('The request path has a control character');
  const segments = path.split('/').slice(1);
  const isFolder = segments.at(-1) === '';
  if (isFolder) segments.pop();
  for (const segment of segments) {
    if (segment === '.' || segment === '..') throw new BadRequest('The request path has dot segments');
    if (segment === '' || (!servesDotfiles && segment.startsWith('.'))) return undefined;
    if (process.platform === 'win32' && NOT_ON_WINDOWS.test(segment)) return undefined;
  }
  return { segments, isFolder };
}
