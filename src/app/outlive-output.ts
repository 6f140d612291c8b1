import { watchErrors } from '../middleware/stream-errors.js';

/**
 * Lets this process go on when nobody reads its standard output or error any more: an error of a stream that nobody hears
 * ends the process, and with it all requests under way.
 */
export function outliveOutput(): void {
  for (const stream of [process.stdout, process.stderr]) watchErrors(stream, ignore);
}

function ignore(): void {}
