import type { IncomingMessage } from 'node:http';
import type { WsgiInput } from '../core/contract.js';
import { VelaError } from '../core/errors.js';
import { RequestInput } from '../core/input.js';
import { createMemoryInput } from '../request/memory-input.js';

const NO_FLOW = { pause() {}, resume() {} };

/**
 * The body of a request that others have read before: what they have kept as `rawBody`, or one whose reads say so; undefined
 * where nobody has read it.
 */
export function findParsedBody(request: IncomingMessage): WsgiInput | undefined {
  if (!request.readableDidRead) return undefined;
  const { rawBody } = request as IncomingMessage & { rawBody?: unknown };
  if (rawBody instanceof Uint8Array || typeof rawBody === 'string')
    return createMemoryInput(Buffer.from(rawBody));
  const lost = new RequestInput(NO_FLOW, Number.POSITIVE_INFINITY, -1);
  RequestInput.lose(
    lost,
    new VelaError(
      'ERR_NODE_BODY_READ',
      'The body of the request was read before this application, as express.json() does: put toNode(app) before it, or keep the bytes as request.rawBody: express.json({ verify: (request, _response, bytes) => { request.rawBody = bytes } })',
    ),
  );
  return lost;
}
