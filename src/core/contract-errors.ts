import { describeValue, VelaError } from './errors.js';

/** Breaches of the contract and ends of a request, each with its code: what was expected, what came, what to do. */

/** What an application returned is no body. */
export function bodyError(body: unknown): VelaError {
  const isBare = typeof body === 'string' || body instanceof Uint8Array;
  const remedy = isBare
    ? 'put it into an array: return [text]'
    : 'return an iterable of chunks, such as [text]';
  return new VelaError(
    'ERR_CONTRACT_BODY',
    `An application must return an iterable of strings or bytes; received ${describeValue(body)}: ${remedy}`,
  );
}

/** Something in a body is no chunk. */
export function chunkError(chunk: unknown): VelaError {
  return new VelaError(
    'ERR_CONTRACT_CHUNK',
    `A body may yield strings and Uint8Arrays, or promises of these; received ${describeValue(chunk)}`,
  );
}

/** The body contradicts its Content-Length. */
export function lengthError(statedBytes: number, sentBytes: number): VelaError {
  const least = sentBytes > statedBytes ? 'at least ' : '';
  return new VelaError(
    'ERR_CONTRACT_LENGTH',
    `The application stated a Content-Length of ${statedBytes} bytes, and its body has ${least}${sentBytes}`,
  );
}

/** There is a body, and no beginning of a response. */
export function notStartedError(when: string): VelaError {
  return new VelaError(
    'ERR_CONTRACT_NOT_STARTED',
    `startResponse(status, headers) was not called ${when}: call it first, or return a WsgiResponse`,
  );
}

/** A second `startResponse` without its error. */
export function startedError(): VelaError {
  return new VelaError(
    'ERR_CONTRACT_STARTED',
    'startResponse was called twice: to replace a response that is not sent, pass the error as its third argument',
  );
}

/** `startResponse` after the request's end. */
export function lateError(): VelaError {
  return new VelaError('ERR_CONTRACT_LATE', 'startResponse was called after the request had ended');
}

/** TAKEN, or a capability, where it does not belong. */
export function takenError(isTaken: boolean): VelaError {
  return new VelaError(
    'ERR_CONTRACT_TAKEN',
    isTaken
      ? 'A connection can be taken over once, in place of startResponse'
      : 'TAKEN was returned, and the connection was not taken over',
  );
}

export function abortedError(): VelaError {
  return new VelaError('ERR_CLIENT_ABORTED', 'The client closed the connection');
}

export function stalledError(timeoutMs: number): VelaError {
  return new VelaError('ERR_RESPONSE_STALLED', `The response made no progress for ${timeoutMs} ms`);
}

export function stoppedError(): VelaError {
  return new VelaError('ERR_SERVER_STOPPED', 'The server stopped before the response was complete');
}
