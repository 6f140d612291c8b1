/** Credentials as RFC 7617 has them. */
export interface BasicCredentials {
  readonly scheme: 'basic';
  readonly username: string;
  /** May hold colons. */
  readonly password: string;
}

/** A token as RFC 6750 has it. */
export interface BearerCredentials {
  readonly scheme: 'bearer';
  readonly token: string;
}

/** What RFC 7616 §3.4 has in an Authorization header, all as sent: nothing of it is verified. */
export interface DigestCredentials {
  readonly scheme: 'digest';
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  /** The request target that the client has hashed. */
  readonly uri: string;
  readonly response: string;
  /** As sent; MD5 when it is not there. */
  readonly algorithm: string;
  readonly qop: string | undefined;
  readonly cnonce: string | undefined;
  /** Eight hexadecimal digits. */
  readonly nc: string | undefined;
  readonly opaque: string | undefined;
  /** The username is hashed. */
  readonly userhash: boolean;
}

/** What a client says of who it is. */
export type Authorization = BasicCredentials | BearerCredentials | DigestCredentials;

/** RFC 9110 §11.2; RFC 6750 calls it b64token. */
const TOKEN68 = /^[A-Za-z0-9._~+/-]+=*$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
/** RFC 7617 §2: no control characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const CONTROL = /[\0-\x1f\x7f]/;
/** One `name=value` of a list (RFC 9110 §11.2), with the comma after it. */
const PARAMETER =
  /[ \t]*([!#$%&'*+.^_`|~\w-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([!#$%&'*+.^_`|~\w-]+))[ \t]*(?:,[ \t,]*|$)/y;
const REQUIRED = ['username', 'realm', 'nonce', 'uri', 'response'] as const;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads an Authorization header: Basic (RFC 7617, as UTF-8), Bearer (RFC 6750) or Digest (RFC 7616).
 * @returns undefined for another scheme, and for what cannot be read; it never throws
 */
export function parseAuthorization(header: string | undefined): Authorization | undefined {
  if (typeof header !== 'string') return undefined;
  const space = header.indexOf(' ');
  if (space === -1) return undefined;
  const rest = header.slice(space + 1).trim();
  const scheme = header.slice(0, space).toLowerCase();
  if (scheme === 'basic') return parseBasic(rest);
  if (scheme === 'bearer') return TOKEN68.test(rest) ? { scheme: 'bearer', token: rest } : undefined;
  return scheme === 'digest' ? parseDigest(rest) : undefined;
}

function parseBasic(encoded: string): BasicCredentials | undefined {
  if (!BASE64.test(encoded)) return undefined;
  const text = decodeUtf8(Buffer.from(encoded, 'base64'));
  if (text === undefined || CONTROL.test(text)) return undefined;
  const colon = text.indexOf(':');
  if (colon === -1) return undefined;
  return { scheme: 'basic', username: text.slice(0, colon), password: text.slice(colon + 1) };
}

function parseDigest(list: string): DigestCredentials | undefined {
  const found = parseParameters(list);
  if (found === undefined) return undefined;
  const extended = found['username*'];
  if (extended !== undefined) {
    const username = found.username === undefined ? decodeExtended(extended) : undefined;
    if (username === undefined) return undefined;
    found.username = username;
  } else if (found.username !== undefined) {
    found.username = decodeBytes(found.username);
  }
  if (REQUIRED.some((name) => found[name] === undefined)) return undefined;
  const { username = '', realm = '', nonce = '', uri = '', response = '', algorithm = 'MD5' } = found;
  const { qop, cnonce, nc, opaque, userhash } = found;
  if (nc !== undefined && !/^[\da-f]{8}$/i.test(nc)) return undefined;
  return {
    scheme: 'digest',
    username,
    realm: decodeBytes(realm),
    nonce,
    uri,
    response,
    algorithm,
    qop,
    cnonce,
    nc,
    opaque,
    userhash: userhash?.toLowerCase() === 'true',
  };
}

/** Undefined for a list that cannot be read to its end, or has a name twice. */
function parseParameters(list: string): Record<string, string> | undefined {
  const found: Record<string, string> = Object.create(null);
  let at = 0;
  while (at < list.length) {
    PARAMETER.lastIndex = at;
    const match = PARAMETER.exec(list);
    if (match === null) return undefined;
    const [whole, name = '', quoted, token = ''] = match;
    const key = name.toLowerCase();
    if (key in found) return undefined;
    found[key] = quoted === undefined ? token : quoted.replaceAll(/\\(.)/g, '$1');
    at += whole.length;
  }
  return found;
}

/** `UTF-8''J%C3%A4s%C3%B8n`: RFC 8187, as RFC 7616 §3.4 uses it. */
function decodeExtended(value: string): string | undefined {
  if (!/^utf-8''/i.test(value)) return undefined;
  try {
    return decodeURIComponent(value.slice("utf-8''".length));
  } catch {
    return undefined;
  }
}

/** Header text that holds UTF-8 byte by byte, as text. */
function decodeBytes(text: string): string {
  if (!/^[\0-\xff]*[\x80-\xff][\0-\xff]*$/.test(text)) return text;
  return decodeUtf8(Buffer.from(text, 'latin1')) ?? text;
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
