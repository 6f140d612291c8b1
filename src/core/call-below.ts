import type { Environ, MiddlewareFunction, MiddlewareResult, StartResponse } from './contract.js';
import { decodePath } from './decode-path.js';
import { isThenable } from './errors.js';

/**
 * Calls what is mounted at a path: it sees the rest of the path as PATH_INFO and vela.raw_path, and what leads to it at the
 * end of SCRIPT_NAME. When it passes the request on, or throws, the path is as before.
 * @param script - what leads to it, decoded
 * @param rest - undecoded: `''`, or a slash and more
 * @param onEnd - told what became of the request
 * @throws {BadRequest} for a malformed escape
 */
export function callBelow(
  call: MiddlewareFunction,
  environ: Environ,
  startResponse: StartResponse,
  script: string,
  rest: string,
  onEnd?: (isAnswered: boolean) => void,
): MiddlewareResult | PromiseLike<MiddlewareResult> {
  const decoded = decodePath(rest);
  const { SCRIPT_NAME, PATH_INFO, 'vela.raw_path': path } = environ;
  environ.SCRIPT_NAME = SCRIPT_NAME + script;
  environ.PATH_INFO = decoded;
  environ['vela.raw_path'] = rest;
  const leave = () => {
    environ.SCRIPT_NAME = SCRIPT_NAME;
    environ.PATH_INFO = PATH_INFO;
    environ['vela.raw_path'] = path;
    onEnd?.(false);
  };
  const conclude = (result: MiddlewareResult): MiddlewareResult => {
    if (result === undefined || result === null) leave();
    else onEnd?.(true);
    return result;
  };
  const fail = (error: unknown): never => {
    leave();
    throw error;
  };
  let result: MiddlewareResult | PromiseLike<MiddlewareResult>;
  try {
    result = call(environ, startResponse);
  } catch (error) {
    return fail(error);
  }
  if (!Array.isArray(result) && isThenable(result)) return result.then(conclude, fail);
  return conclude(result as MiddlewareResult);
}
