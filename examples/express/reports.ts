/** A part of the application that computes, and so blocks: on Vela it runs in threads, on node:http it holds the loop. */
import { threadId } from 'node:worker_threads';
import express, { type Express } from 'express';
import { fromNode } from 'vela/adapters';

/** Some 25 ms each on a fast machine. */
const ROUND = 2_000_000;
const MAX_ROUNDS = 100;

export function createReports(): Express {
  const reports = express();
  reports.get('/primes', (request, response) => {
    const rounds = Math.min(MAX_ROUNDS, Math.max(1, Number(request.query.rounds) || 1));
    let primes = 0;
    for (let round = 0; round < rounds; round++) primes = countPrimes(ROUND);
    response.json({ below: ROUND, primes, threadId });
  });
  return reports;
}

/** What the executor loads. */
export const app = fromNode(createReports());

function countPrimes(below: number): number {
  const isOut = new Uint8Array(below);
  let count = 0;
  for (let n = 2; n < below; n++) {
    if (isOut[n] === 1) continue;
    count++;
    for (let times = n * n; times < below; times += n) isOut[times] = 1;
  }
  return count;
}
