import type { Buffer } from 'node:buffer';
import { Readable } from 'node:stream';
import type { Busboy } from 'busboy';

const CARRIAGE_RETURN = 13;

/**
 * Gives bytes of a body to busboy. Content of the part that is open goes to its stream without it, up to where the
 * delimiter begins, or may begin: busboy looks for that in JavaScript, and so 100 MiB in memory take 40 ms instead of
 * 17. While busboy holds bytes back, or is one of another version that does not show what it holds, all goes through it.
 * @param delimiter - `\r\n--` and the boundary
 */
export function passContent(parser: Busboy, delimiter: Buffer, bytes: Buffer): void {
  const stream = findOpenStream(parser);
  const contentBytes = stream === undefined ? 0 : countContent(bytes, delimiter);
  if (contentBytes > 0) stream?.push(bytes.subarray(0, contentBytes));
  if (contentBytes < bytes.length) parser.write(bytes.subarray(contentBytes));
}

/** The stream that the next bytes belong to, if busboy holds none that come before them. */
function findOpenStream(parser: Busboy): Readable | undefined {
  if (parser.writableLength > 0 || parser.destroyed) return undefined;
  const search = '_bparser' in parser ? parser._bparser : undefined;
  const stream = '_fileStream' in parser ? parser._fileStream : undefined;
  return isEmpty(search) && stream instanceof Readable && !stream.destroyed ? stream : undefined;
}

/** Its search has no beginning of a delimiter in hand. */
function isEmpty(search: unknown): boolean {
  return (
    typeof search === 'object' &&
    search !== null &&
    '_lookbehindSize' in search &&
    search._lookbehindSize === 0
  );
}

/** How many bytes stand before a delimiter, or before an end that may be the beginning of one. */
function countContent(bytes: Buffer, delimiter: Buffer): number {
  const found = bytes.indexOf(delimiter);
  if (found !== -1) return found;
  const tailStart = Math.max(0, bytes.length - delimiter.length + 1);
  // A boundary has no CR, so only the last one can begin a delimiter.
  const at = bytes.subarray(tailStart).lastIndexOf(CARRIAGE_RETURN);
  if (at === -1) return bytes.length;
  const rest = bytes.subarray(tailStart + at);
  return rest.equals(delimiter.subarray(0, rest.length)) ? tailStart + at : bytes.length;
}
