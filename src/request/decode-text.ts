import { type Buffer, isUtf8 } from 'node:buffer';
import { BadRequest, Unsupported } from '../core/http-error.js';

/**
 * Bytes as text. A byte order mark is no part of it.
 * @param charset - a label of the WHATWG Encoding Standard, such as `iso-8859-1`
 * @param what - named in errors: `The body`
 * @throws {BadRequest} 400 for bytes that the charset does not have
 * @throws {Unsupported} 415 for an unknown charset
 */
export function decodeText(bytes: Buffer, charset = 'utf-8', what = 'The body'): string {
  if (charset === 'utf-8' || charset === 'utf8') {
    const hasMark = bytes.length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
    const text = bytes.toString('utf8', hasMark ? 3 : 0);
    // What is not valid becomes this character, which may also have been there: asked in this order it takes a third less.
    if (text.includes('\ufffd') && !isUtf8(bytes)) throw new BadRequest(`${what} is not valid UTF-8`);
    return text;
  }
  const decoder = findDecoder(charset, what);
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new BadRequest(`${what} is not valid in its charset`, { cause });
  }
}

function findDecoder(charset: string, what: string): InstanceType<typeof TextDecoder> {
  try {
    return new TextDecoder(charset, { fatal: true });
  } catch (cause) {
    throw new Unsupported(`The charset of ${what.toLowerCase()} is not known`, { cause });
  }
}
