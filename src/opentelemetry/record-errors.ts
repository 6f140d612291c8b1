import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { RequestErrorMessage } from '../core/request-channels.js';
import { diag } from './api.js';
import { findRequestSpan } from './request-span.js';

const CHANNEL = 'vela:request:error';
let listeners = 0;

/**
 * Tells the spans of all requests in this process of errors that become responses. While somebody listens, the core keeps the
 * async context where it would be lost.
 * @returns a function that ends it, to be called once
 */
export function recordErrors(): () => void {
  if (listeners++ === 0) subscribe(CHANNEL, record);
  return () => {
    if (--listeners === 0) unsubscribe(CHANNEL, record);
  };
}

/** Must not throw, as that would be an uncaught exception. */
function record(message: unknown): void {
  const { environ, error, status } = message as RequestErrorMessage;
  try {
    findRequestSpan(environ)?.fail(error, status);
  } catch (failure) {
    diag.error('vela: an error could not be recorded', failure);
  }
}
