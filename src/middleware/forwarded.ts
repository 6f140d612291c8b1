import { isIP } from 'node:net';
import { isPort, parseHost } from '../core/host.js';
import { BadRequest } from '../core/http-error.js';

/** What one proxy says of the request that it received. */
export interface Hop {
  /** An IP address; `unknown` or `_name` where the proxy does not tell (RFC 7239 §6). */
  readonly address: string | undefined;
  readonly port: string | undefined;
  readonly scheme: string | undefined;
  readonly host: string | undefined;
}

/** RFC 7239 §6: an address, perhaps in brackets, and perhaps a port. */
const NODE = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}|_[\w.-]{1,64}))?$/;
/** The longest address in brackets and the longest names. */
const MAX_NODE_CHARS = 132;
const HIDDEN = /^(?:unknown|_[\w.-]{1,64})$/i;
/** One pair of a forwarded-element: a token, and a token or quoted-string (RFC 7239 §4). */
const PAIR =
  /[ \t]*([!#$%&'*+\-.^_`|~\w]+)=(?:([!#$%&'*+\-.^_`|~\w:[\]]+)|"((?:[^"\\]|\\.)*)")[ \t]*(;|,|$)/y;

/** The elements of a Forwarded header, the client's first. @throws {BadRequest} for what is none */
export function parseForwarded(header: string): Hop[] {
  const hops: Hop[] = [];
  let pairs = new Map<string, string>();
  PAIR.lastIndex = 0;
  for (let at = 0; at < header.length || at === 0; at = PAIR.lastIndex) {
    const match = PAIR.exec(header);
    if (match === null) throw malformed('Forwarded');
    const [, name = '', token, quoted = '', end] = match;
    const key = name.toLowerCase();
    if (pairs.has(key)) throw malformed('Forwarded');
    pairs.set(key, token ?? quoted.replace(/\\(.)/g, '$1'));
    if (end === ';') continue;
    hops.push(toHop(pairs));
    pairs = new Map();
    if (end === '') return hops;
  }
  throw malformed('Forwarded');
}

function toHop(pairs: ReadonlyMap<string, string>): Hop {
  return parseNode(pairs.get('for'), pairs.get('proto'), pairs.get('host'));
}

/** The elements of X-Forwarded-For. What is empty or no address becomes a hop that nobody trusts. */
export function parseForwardedFor(header: string): Hop[] {
  return header.split(',').map((node) => parseNode(node.trim(), undefined, undefined));
}

/** An address of neither kind is `''`: the elements left of the one that counts may be anything. */
function parseNode(node: string | undefined, scheme: string | undefined, host: string | undefined): Hop {
  if (node === undefined || isIP(node) !== 0) return { address: node, port: undefined, scheme, host };
  const [, bracketed, plain, port] = (node.length <= MAX_NODE_CHARS && NODE.exec(node)) || [];
  const address = bracketed ?? plain ?? '';
  const isKnown =
    bracketed !== undefined ? isIP(bracketed) === 6 : isIP(address) === 4 || HIDDEN.test(address);
  return {
    address: isKnown ? address : '',
    port: port !== undefined && /^\d+$/.test(port) ? port : undefined,
    scheme,
    host,
  };
}

/** @throws {BadRequest} unless it is http or https */
export function checkScheme(scheme: string, header: string): 'http' | 'https' {
  const lower = scheme.toLowerCase();
  if (lower !== 'http' && lower !== 'https') throw malformed(header);
  return lower;
}

/** Gives the port, where the host has one. @throws {BadRequest} unless it is a host, perhaps with a port */
export function checkHost(host: string, header: string): string | undefined {
  const parsed = parseHost(host);
  if (parsed === undefined) throw malformed(header);
  return parsed.port;
}

/** @throws {BadRequest} unless it is a port */
export function checkPort(port: string, header: string): string {
  if (!isPort(port)) throw malformed(header);
  return port;
}

export function malformed(header: string): BadRequest {
  return new BadRequest(`The header ${header}, which a proxy sets, is malformed`);
}
