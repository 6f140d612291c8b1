import { VelaError } from '../core/errors.js';

/** The answer did not come in time. The call may have been made, or still be under way. */
export function timeoutError(what: string, timeoutMs: number): VelaError {
  return new VelaError('ERR_RPC_TIMEOUT', `${what} was not answered within ${timeoutMs} ms`);
}

/**
 * The server cannot be reached, or the connection broke before the answer came: the call may have been made, unless `isUnsent`.
 */
export class JsonRpcConnectionError extends VelaError {
  override readonly name = 'JsonRpcConnectionError';
  /** Nothing was sent: it is safe to try again. */
  readonly isUnsent: boolean;

  constructor(message: string, isUnsent: boolean, cause?: unknown) {
    super('ERR_RPC_CONNECTION', message, cause === undefined ? undefined : { cause });
    this.isUnsent = isUnsent;
  }
}

/** The client is closed, or was while it waited. */
export function closedError(isUnsent: boolean): JsonRpcConnectionError {
  return new JsonRpcConnectionError('The client is closed', isUnsent);
}

/** What came is no answer of JSON-RPC. */
export function answerError(what: string, reason: string, cause?: unknown): VelaError {
  return new VelaError(
    'ERR_RPC_ANSWER',
    `${what} got what is no answer of JSON-RPC: ${reason}`,
    cause === undefined ? undefined : { cause },
  );
}
