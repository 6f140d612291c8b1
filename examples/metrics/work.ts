import type { WsgiRequest } from 'vela';

/** Beyond it a call takes seconds. */
const LARGEST = 3_000_000;

/** Counts the primes up to `limit` with a sieve, without ever letting go of its thread. */
export function countPrimes({ query }: WsgiRequest) {
  const limit = Math.min(LARGEST, Math.max(0, Number(query.get('limit') ?? 100_000) || 0));
  const isComposite = new Uint8Array(limit + 1);
  let primes = 0;
  for (let n = 2; n <= limit; n++) {
    if (isComposite[n] === 1) continue;
    primes++;
    for (let multiple = n * n; multiple <= limit; multiple += n) isComposite[multiple] = 1;
  }
  return { limit, primes };
}
