import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import { VelaError } from '../core/errors.js';

/** What threads know of themselves: how many threads of executors they stand in. */
const KEY = 'vela.executor_nesting';
/** A module that starts a server of its own threads, which load it, would do so for ever. */
const DEEPEST = 3;

/** How deep the threads of an executor stand that is made here: 1 outside of any. @throws {VelaError} `ERR_EXECUTOR_NESTED` */
export function findNesting(): number {
  const here = getEnvironmentData(KEY);
  const nesting = typeof here === 'number' ? here + 1 : 1;
  if (nesting <= DEEPEST) return nesting;
  throw new VelaError(
    'ERR_EXECUTOR_NESTED',
    `An executor in threads of executors, ${DEEPEST} deep: what threads load must not start what they belong to, such as the server. Put handlers that threads run into a file of their own`,
  );
}

/** This is a thread of an executor. */
export function enterNesting(nesting: number): void {
  setEnvironmentData(KEY, nesting);
}
