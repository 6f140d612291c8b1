import { Buffer } from 'node:buffer';
import { BadRequest, PayloadTooLarge } from '../core/http-error.js';

/** How much a form may hold. */
interface FormLimits {
  readonly fields: number;
  readonly fieldNameBytes: number;
  readonly fieldBytes: number;
}

const AND = 0x26;

/**
 * The fields of an application/x-www-form-urlencoded body, as the WHATWG URL Standard reads them, but for what is not
 * UTF-8: that is 400, where the standard would put U+FFFD.
 * @throws {PayloadTooLarge} 413 above a limit
 */
export function parseForm(bytes: Buffer, limits: FormLimits): [name: string, value: string][] {
  // Counted before anything is made of them.
  let count = 1;
  for (let at = bytes.indexOf(AND); at !== -1; at = bytes.indexOf(AND, at + 1)) count++;
  if (bytes.length > 0 && count > limits.fields)
    throw new PayloadTooLarge(`The form has more than the limit of ${limits.fields} fields`);
  const fields: [string, string][] = [];
  // A character a byte.
  for (const pair of bytes.toString('latin1').split('&')) {
    if (pair === '') continue;
    const at = pair.indexOf('=');
    fields.push([
      decode(at === -1 ? pair : pair.slice(0, at), limits.fieldNameBytes, 'The name of a field'),
      decode(at === -1 ? '' : pair.slice(at + 1), limits.fieldBytes, 'The value of a field'),
    ]);
  }
  return fields;
}

function decode(latin1: string, limitBytes: number, what: string): string {
  // An escape has three characters a byte.
  if (latin1.length > 3 * limitBytes) throw tooLarge(what, limitBytes);
  if (!/[%+\x80-\xff]/.test(latin1)) {
    if (latin1.length > limitBytes) throw tooLarge(what, limitBytes);
    return latin1;
  }
  const escaped = latin1
    .replaceAll('+', '%20')
    .replace(/%(?![0-9A-Fa-f]{2})/g, '%25')
    .replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16)}`);
  let text: string;
  try {
    text = decodeURIComponent(escaped);
  } catch {
    throw new BadRequest(`${what} is not valid UTF-8`);
  }
  if (Buffer.byteLength(text) > limitBytes) throw tooLarge(what, limitBytes);
  return text;
}

function tooLarge(what: string, limitBytes: number): PayloadTooLarge {
  return new PayloadTooLarge(`${what} is larger than the limit of ${limitBytes} bytes`);
}
