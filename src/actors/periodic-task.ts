import { toError } from '../core/errors.js';

/**
 * Runs a function again and again: `everyMs` after its last run has ended, so never twice at once. It keeps no process up.
 * @param report - told of what it throws; the next run comes all the same
 * @returns what ends it
 */
export function startPeriodicTask(
  everyMs: number,
  task: () => unknown,
  report: (error: Error) => void,
): () => void {
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  const plan = () => {
    if (!isOver) timer = setTimeout(() => void run(), everyMs).unref();
  };
  const run = async () => {
    try {
      await task();
    } catch (error) {
      report(toError(error));
    }
    plan();
  };
  plan();
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}
