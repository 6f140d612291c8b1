import type { Socket } from 'node:net';
import { Exchange } from '../core/exchange.js';
import { Incoming } from '../core/incoming.js';
import type { Service } from '../core/service.js';
import type { GatewayConfig } from './gateway.js';
import { checkRequest } from './node-check.js';
import { readNodeHead, splitTarget } from './node-head.js';
import type { NodeExchange } from './node-transport.js';
import { LINGER_MS, REFUSAL_HEADERS, type Refusal } from './refusal.js';

/**
 * Answers a request of node:http.
 * @param target - the whole request target, where another server has cut it
 */
export function answerNode(
  service: Service<NodeExchange>,
  config: GatewayConfig,
  exchange: NodeExchange,
  target = exchange.request.url ?? '/',
): void {
  const { request, raw } = exchange;
  if (refused.has(request.socket)) return;
  const method = request.method ?? 'GET';
  const refusal = checkRequest(request, target, config);
  if (refusal !== undefined) {
    refuse(exchange, refusal);
    return;
  }
  const contentLength = request.headers['content-length'] ?? '';
  const isChunked = request.headers['transfer-encoding'] !== undefined;
  const { path, query, authority } = splitTarget(method, target);
  const head = readNodeHead(request.rawHeaders, target, query, authority);
  const bodyBytes = raw !== undefined ? 0 : isChunked ? -1 : Number(contentLength);
  const isLast = raw !== undefined;
  const incoming = new Incoming(
    service,
    exchange,
    method,
    path,
    head,
    undefined,
    contentLength,
    bodyBytes,
    isLast,
  );
  new Exchange(service, exchange, incoming).run();
}

/** Connections that end with a refusal: what node:http still reads from them is not served. */
const refused = new WeakSet<Socket>();

/**
 * Refuses a request and ends its connection: in a later turn, as what the parser finds wrong with the body it answers
 * itself, and once the body has passed, as a client that still sends would not read the refusal.
 */
function refuse({ request, response }: NodeExchange, { status, message }: Refusal): void {
  refused.add(request.socket);
  setImmediate(() => {
    if (request.socket.destroyed) return;
    const length = ['Content-Length', String(Buffer.byteLength(message)), 'Connection', 'close'];
    response.writeHead(Number(status.slice(0, 3)), status.slice(4), [...REFUSAL_HEADERS.flat(), ...length]);
    response.write(message);
    const timer = setTimeout(() => response.end(), LINGER_MS);
    response.once('close', () => clearTimeout(timer));
    request.once('end', () => response.end());
    request.resume();
  });
}
