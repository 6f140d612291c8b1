import type { AppFunction } from '../core/contract.js';
import { noteWork } from '../core/work-note.js';

/** Tells of each request, and notes it, should it hold the loop. */
export function observe(call: AppFunction, worked: () => unknown): AppFunction {
  return (environ, startResponse) => {
    noteWork(environ.REQUEST_METHOD, environ['vela.raw_path']);
    worked();
    return call(environ, startResponse);
  };
}
