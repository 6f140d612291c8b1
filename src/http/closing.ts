import type { Server } from 'node:http';
import { VelaError } from '../core/errors.js';

type Closed = (error?: Error) => void;

/** Closes a server when a signal aborts, and forgets the signal when it is closed. */
export function closeOn(server: Server, signal: AbortSignal): void {
  const close = () => void server.close();
  signal.addEventListener('abort', close, { once: true });
  server.once('close', () => signal.removeEventListener('abort', close));
}

/** For a server that closes already: that it is closed is told when it is. */
export function closeAgain<S extends Server>(server: S, callback: Closed | undefined): S {
  const error = new VelaError('ERR_SERVER_NOT_RUNNING', 'Server is not running.');
  if (callback !== undefined) server.once('close', () => callback(error));
  return server;
}

export function listensError(): VelaError {
  return new VelaError(
    'ERR_SERVER_ALREADY_LISTEN',
    'Listen method has been called more than once without closing.',
  );
}
