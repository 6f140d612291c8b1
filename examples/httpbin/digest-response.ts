/** What a Digest client has to compute (RFC 7616 §3.4.1), with qop `auth`, `auth-int` or none (RFC 2069). */
import { createHash } from 'node:crypto';
import { type Authorization, equalText } from 'vela';

/** SHA-512 is not in RFC 7616, but on httpbin.org. */
const HASHES = { MD5: 'md5', 'SHA-256': 'sha256', 'SHA-512': 'sha512' } as const;

export type DigestAlgorithm = keyof typeof HASHES;
export type DigestCredentials = Extract<Authorization, { scheme: 'digest' }>;

/** What the credentials are held against. */
export interface DigestTerms {
  readonly algorithm: DigestAlgorithm;
  readonly realm: string;
  readonly user: string;
  readonly passwd: string;
  /** Of the request: the target as it came, and the body, which counts with `auth-int`. */
  readonly method: string;
  readonly target: string;
  readonly body: Uint8Array;
}

/** MD5 for what is none, as on httpbin.org. */
export function findAlgorithm(name: string): DigestAlgorithm {
  return Object.hasOwn(HASHES, name) ? (name as DigestAlgorithm) : 'MD5';
}

/** Whether the response is the right one for these terms. */
export function isRightResponse(given: DigestCredentials, terms: DigestTerms): boolean {
  const { algorithm, realm, user, passwd, method, target, body } = terms;
  const { username, nonce, qop, nc, cnonce, uri } = given;
  if (given.realm !== realm || username !== user || uri !== target) return false;
  if (given.algorithm.toUpperCase() !== algorithm) return false;
  const hash = (content: string | Uint8Array) => createHash(HASHES[algorithm]).update(content).digest('hex');
  const ha1 = hash(`${user}:${realm}:${passwd}`);
  const ha2 = hash(qop === 'auth-int' ? `${method}:${uri}:${hash(body)}` : `${method}:${uri}`);
  const middle = qop === undefined ? nonce : `${nonce}:${nc}:${cnonce}:${qop}`;
  return equalText(given.response.toLowerCase(), hash(`${ha1}:${middle}:${ha2}`));
}
