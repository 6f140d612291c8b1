import { formatError, toError } from '../core/errors.js';
import { HttpError } from '../core/http-error.js';
import { tellError } from '../core/request-channels.js';
import { INTERNAL_ERROR } from './answer.js';
import { JsonRpcCall, type JsonRpcContext } from './json-rpc-call.js';
import { JsonRpcError } from './json-rpc-error.js';

/** What a client is told of an error: the one place where what methods throw becomes an answer, and a log line. */
export function describeFailure(
  thrown: unknown,
  call: JsonRpcCall,
  context: JsonRpcContext,
): Pick<JsonRpcError, 'code' | 'message' | 'data'> {
  const error = toError(thrown);
  const isTold = (error instanceof JsonRpcError && !error.isRemote) || error instanceof HttpError;
  const isServerError = isTold
    ? error instanceof HttpError && error.status >= 500
    : !JsonRpcCall.isEndOf(call, error);
  logFailure(error, call, context, isServerError);
  if (error instanceof JsonRpcError && !error.isRemote) return error;
  if (error instanceof HttpError) {
    const { status: code, message, details } = error;
    return { code, message, data: details.length === 0 ? undefined : { details } };
  }
  return isDebug(context)
    ? { ...INTERNAL_ERROR, data: { stack: formatError(error).split('\n') } }
    : INTERNAL_ERROR;
}

/** Whether the server shows what is the matter. */
export function isDebug({ environ }: JsonRpcContext): boolean {
  return environ?.['vela.cfg'].debug === true;
}

/** Nobody waits for answers any more. */
export function isOver({ signal, environ }: JsonRpcContext): boolean {
  return (signal ?? environ?.['vela.signal'])?.aborted === true;
}

/**
 * What fails because the client has left is a matter of course: nobody may fill the log by leaving. So is what a method throws that
 * obeys its signal at the deadline, which has been logged.
 */
function logFailure(error: Error, call: JsonRpcCall, context: JsonRpcContext, isServerError: boolean): void {
  const { environ } = context;
  const details = { ...JsonRpcCall.describe(call), err: error };
  if (isServerError && !isOver(context))
    call.logger.error(details, `The method "${call.method}" failed: ${error.message}`);
  else call.logger.debug(details, `The method "${call.method}" failed: ${error.message}`);
  if (isServerError && environ !== undefined) tellError(environ, error, 500);
}
