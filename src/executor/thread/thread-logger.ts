import type { Logger } from '../../core/logger.js';
import { createWireLogger, type WireDetail } from '../../core/wire-log.js';
import { type FromThread, LOG } from '../wire.js';
import { requestContext } from './request-context.js';

/** Writes to the log of a server, by its number, with the request that the code at hand works for. */
export function createThreadLogger(server: number, post: (entry: FromThread) => void): Logger {
  return createWireLogger((line) =>
    post([LOG, server, { ...line, details: [...describeRequest(), ...line.details] }]),
  );
}

function describeRequest(): WireDetail[] {
  const request = requestContext.getStore();
  if (request === undefined) return [];
  const { requestId, method, target } = request;
  const [path] = target.split('?', 1);
  return [
    ['requestId', [requestId], undefined],
    ['method', [method], undefined],
    ['uri', [path], undefined],
  ];
}
