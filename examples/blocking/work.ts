import { randomBytes, scryptSync } from 'node:crypto';
import { threadId } from 'node:worker_threads';
import type { WsgiRequest } from 'vela';

/** Some 100 ms a round: 2^15 × 8 × 128 bytes are filled, and read at random. */
const COST = { N: 2 ** 15, r: 8, p: 1, maxmem: 2 ** 26 };
const MAX_ROUNDS = 20;

/** Hashes a password of nobody's, as often as `rounds` says, without ever letting go of its thread. */
export function hashPassword({ query }: WsgiRequest) {
  const rounds = Math.min(MAX_ROUNDS, Math.max(1, Number(query.get('rounds') ?? 1) || 1));
  const began = performance.now();
  let hash = '';
  for (let i = 0; i < rounds; i++)
    hash = scryptSync('correct horse', randomBytes(16), 32, COST).toString('hex');
  return { hash, threadId, ms: Math.round(performance.now() - began) };
}
