import { createHmac, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';

/** How far a request may be overtaken by later ones of its nonce: connections side by side. */
const WINDOW = 32;
const NONCE = /^([\da-z]{1,11})\.([\w-]{16})\.([\w-]{22})$/;

/** What is known of a nonce that somebody used. */
interface UsedNonce {
  readonly issuedMs: number;
  /** The highest count seen. */
  highest: number;
  /** Bit n: the count `highest - n` was seen. */
  seen: number;
}

/** The nonces of a Digest gate. */
export interface DigestNonces {
  create(): string;
  /** False for a nonce of somebody else, one that is too old, and one whose counts were forgotten. */
  isFresh(nonce: string): boolean;
  /** Notes a use. False for a count that was used before, or is too far behind. */
  use(nonce: string, count: number): boolean;
}

/**
 * A nonce tells its age, signed, so that those that nobody uses take no memory. The counts of the used ones are kept, the
 * oldest dropped first; what is older than one that was dropped counts as stale then, so nothing can be replayed.
 */
export function createDigestNonces(key: KeyObject, lifetimeMs: number, maxNonces: number): DigestNonces {
  const used = new Map<string, UsedNonce>();
  let forgottenMs = Number.NEGATIVE_INFINITY;

  function readIssued(nonce: string): number | undefined {
    const [, time, random, given] = NONCE.exec(nonce) ?? [];
    if (time === undefined || random === undefined || given === undefined) return undefined;
    // As text: the last character of base64 has bits that mean nothing, and another spelling is another nonce to `used`.
    const expected = sign(key, time, random).toString('base64url');
    if (!timingSafeEqual(Buffer.from(expected), Buffer.from(given))) return undefined;
    return Number.parseInt(time, 36);
  }

  function findFresh(nonce: string): number | undefined {
    const issuedMs = readIssued(nonce);
    if (issuedMs === undefined || Date.now() - issuedMs > lifetimeMs) return undefined;
    return used.has(nonce) || issuedMs > forgottenMs ? issuedMs : undefined;
  }

  function forgetSome(): void {
    for (const [nonce, { issuedMs }] of used) {
      if (used.size < maxNonces && Date.now() - issuedMs <= lifetimeMs) return;
      used.delete(nonce);
      forgottenMs = Math.max(forgottenMs, issuedMs);
    }
  }

  return {
    create() {
      const time = Date.now().toString(36);
      const random = randomBytes(12).toString('base64url');
      return `${time}.${random}.${sign(key, time, random).toString('base64url')}`;
    },
    isFresh: (nonce) => findFresh(nonce) !== undefined,
    use(nonce, count) {
      const issuedMs = findFresh(nonce);
      if (issuedMs === undefined || count < 1) return false;
      const known = used.get(nonce);
      if (known !== undefined) return noteCount(known, count);
      forgetSome();
      used.set(nonce, { issuedMs, highest: count, seen: 1 });
      return true;
    },
  };
}

/** 16 bytes are enough for what lives for minutes. */
function sign(key: KeyObject, time: string, random: string): Buffer {
  return createHmac('sha256', key).update(`vela.nonce:${time}.${random}`).digest().subarray(0, 16);
}

function noteCount(nonce: UsedNonce, count: number): boolean {
  const ahead = count - nonce.highest;
  if (ahead > 0) {
    nonce.seen = ahead >= WINDOW ? 1 : ((nonce.seen << ahead) | 1) >>> 0;
    nonce.highest = count;
    return true;
  }
  const bit = -ahead >= WINDOW ? 0 : (1 << -ahead) >>> 0;
  if (bit === 0 || (nonce.seen & bit) !== 0) return false;
  nonce.seen = (nonce.seen | bit) >>> 0;
  return true;
}
