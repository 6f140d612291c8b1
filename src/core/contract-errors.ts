import { describeValue, VelaError } from './errors.js';

/** Breaches of the contract and ends of a request, each with its code: what was expected, what came, what to do. */

/** What an application returned is no body. */
export function bodyError(body: unknown): VelaError {
  return new VelaError(
    'ERR_CONTRACT_BODY',
    `An application must return an iterable of strings or bytes; received ${describeValue(body)}: ${bodyRemedy(body)}`,
  );
}

/** What a middleware returned is neither nothing nor a response. @param name - of its function */
export function middlewareError(result: unknown, index: number, name: string): VelaError {
  const isAnswer = typeof result === 'string' || result instanceof Error;
  const remedy = isAnswer ? bodyRemedy(result) : 'return nothing to pass the request on';
  return new VelaError(
    'ERR_CONTRACT_BODY',
    `Middleware ${index}${name === '' ? '' : ` (${name})`} must return an iterable of strings or bytes, a WsgiResponse, or nothing; received ${describeValue(result)}: ${remedy}`,
  );
}

/** What to return instead of something that is no body. */
function bodyRemedy(body: unknown): string {
  if (typeof body === 'string') return 'put it into an array: return [text]';
  if (body instanceof Uint8Array) return 'put it into an array: return [bytes]';
  if (body instanceof ArrayBuffer) return 'return [new Uint8Array(buffer)]';
  if (body instanceof Error) return `throw it: throw new ${body.name}(...)`;
  if (body instanceof Blob) return 'return blob.stream()';
  if (body instanceof Response) {
    return 'call startResponse(status, headers) and return a body, or return a WsgiResponse; a Response of fetch is neither';
  }
  if (typeof body === 'object' && body !== null)
    return 'return an iterable of chunks, such as [JSON.stringify(value)]';
  const remedy = 'return an iterable of chunks, such as [text], or [] for an empty body';
  return body === undefined
    ? `${remedy}; a Router or a middleware, which returns nothing to pass a request on, stands in a WsgiHandler`
    : remedy;
}

/** Something in a body is no chunk. */
export function chunkError(chunk: unknown): VelaError {
  return new VelaError(
    'ERR_CONTRACT_CHUNK',
    `A body may yield strings and Uint8Arrays, or promises of these; received ${describeValue(chunk)}: ${chunkRemedy(chunk)}`,
  );
}

function chunkRemedy(chunk: unknown): string {
  if (typeof chunk === 'number') return 'yield String(value)';
  if (chunk === null || chunk === undefined) return "leave it out, or yield ''";
  if (chunk instanceof ArrayBuffer) return 'yield new Uint8Array(buffer)';
  return Array.isArray(chunk) ? 'yield its items one by one' : 'yield text, such as JSON.stringify(value)';
}

/** The body contradicts its Content-Length. */
export function lengthError(statedBytes: number, sentBytes: number): VelaError {
  const least = sentBytes > statedBytes ? 'at least ' : '';
  return new VelaError(
    'ERR_CONTRACT_LENGTH',
    `The application stated a Content-Length of ${statedBytes} bytes, and its body has ${least}${sentBytes}: leave Content-Length out, as the server states it, or state bytes, not characters: Buffer.byteLength(text)`,
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
    'startResponse was called twice: to replace a response that is not sent, pass the error as its third argument. If only one of the calls is yours, an earlier middleware called it and returned nothing, which passes the request on: return the body there',
  );
}

/** `startResponse` after the request's end. */
export function lateError(): VelaError {
  return new VelaError(
    'ERR_CONTRACT_LATE',
    "startResponse was called after the request had ended, answered, aborted or timed out: await or return the promise of the work that leads to it, and stop that work when environ['vela.signal'] aborts",
  );
}

/** A listener for the beginning of a response that has begun. */
export function beginsTooLateError(): VelaError {
  return new VelaError(
    'ERR_RESPONSE_STARTED',
    "environ['vela.response'].onStart was called after the response had begun: call it before startResponse, in a middleware that stands before the application",
  );
}

/** A listener for the beginning of a response is async. */
export function listenerError(): VelaError {
  return new VelaError(
    'ERR_RESPONSE_LISTENER',
    "A listener of environ['vela.response'].onStart returned a promise, and the response does not wait: make it a plain function, and await what it needs before startResponse. Response middleware of a WsgiHandler may be async",
  );
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
