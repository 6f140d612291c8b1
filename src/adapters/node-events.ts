import type { NodeRequest, NodeResponse } from './node-internals.js';
import type { Done, RequestSocket, SocketOwner } from './request-socket.js';

/** The exchange of a response, by the socket that it has until it is over. */
function exchangeOf(response: NodeResponse): SocketOwner | undefined {
  return response.socket?.owner;
}

/** In place of `_storeHeader`. */
export function beginResponse(this: NodeResponse, statusLine: string, given: unknown): void {
  exchangeOf(this)?.writer.begin(statusLine, given);
}

/** On 'finish'. */
export function finishResponse(this: NodeResponse): void {
  exchangeOf(this)?.finished();
}

/** On 'prefinish', which is told within `end`. */
export function completeResponse(this: NodeResponse): void {
  exchangeOf(this)?.writer.complete();
}

/** As node:http ends a response. */
export function emitClose(response: NodeResponse): void {
  if (response._closed) return;
  response.destroyed = true;
  response._closed = true;
  response.emit('close');
}

/** Somebody hears of its end. */
export function isReadHeard(request: NodeRequest): boolean {
  return request.listenerCount('end') + request.listenerCount('close') > 0;
}

/** Somebody hears of what comes after 'finish'. */
export function isClosingHeard(request: NodeRequest, response: NodeResponse): boolean {
  if (response.listenerCount('close') + request.listenerCount('close') > 0) return true;
  return !request.readableEnded && request.listenerCount('end') > 0;
}

/** Somebody hears of 'finish', beside the one listener that is ours. */
export function isFinishHeard(response: NodeResponse): boolean {
  return response.listenerCount('finish') > 1;
}

/** @param error - why what they wait for has not gone */
export function callAll(done: readonly Done[], error?: Error): void {
  for (const one of done) one(error);
}

/** The program has destroyed what is its connection. */
export function endedError(): Error {
  return new Error('the program has ended the connection');
}

/** What a program wrote has not gone, as node:http puts it. */
export function destroyedError(): Error {
  const error = new Error('Cannot call write after a stream was destroyed');
  return Object.assign(error, { code: 'ERR_STREAM_DESTROYED' });
}

/** What a client says by leaving, as node:http puts it. */
export function resetError(): Error {
  return Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
}

/** Nothing has moved for too long: whoever hears of it decides; else the connection ends. */
export function emitTimeout(request: NodeRequest, response: NodeResponse, socket: RequestSocket): void {
  const { server } = socket;
  const isHeard = [
    !request.complete && request.emit('timeout', socket),
    response.emit('timeout', socket),
    isEmitter(server) && server.emit('timeout', socket),
  ].includes(true);
  // As in node:http, whoever listens to the socket itself does not hold that up.
  if (!isHeard) socket.destroy();
  socket.emit('timeout');
}

function isEmitter(
  server: object | undefined,
): server is { emit(event: string, ...args: unknown[]): boolean } {
  return server !== undefined && 'emit' in server;
}
