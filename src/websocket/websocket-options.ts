import { isWithin, LONGEST_TIMER_MS } from '../core/duration.js';
import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import { TOKEN } from '../core/http-syntax.js';
import { DEFAULT_WEBSOCKET_LIMITS } from '../core/websocket-limits.js';
import { requireOrigins } from '../request/origin.js';
import type { WsgiRequest } from '../request/wsgi-request.js';

/** Options of {@link websocket}. */
export interface WebSocketOptions {
  /**
   * The sub-protocols that it speaks, the best first: the first that the client offers is chosen. A client that offers only
   * others is refused with 400; one that offers none is taken. @defaultValue none
   */
  protocols?: readonly string[];
  /**
   * The pages that may connect, by their Origin: `same`, those of this host; a list of origins, beside it; `*`, all; or a
   * function that decides. Clients that are no browsers send no Origin, and are taken. Others get 403.
   * @defaultValue `same`
   */
  origins?: 'same' | '*' | readonly string[] | ((origin: string, request: WsgiRequest) => boolean);
  /** Largest message, in bytes; more closes with 1009. @defaultValue 1,048,576 */
  maxPayloadBytes?: number;
  /** Most bytes that wait in memory for a slow reader. @defaultValue 1,048,576 */
  maxBackpressureBytes?: number;
  /** What is done when more would wait: `close` ends the connection, `drop` throws the message away. @defaultValue `close` */
  onBackpressure?: 'close' | 'drop';
  /** How many messages of one client are handled at once, where handlers are async; 1 keeps their order. @defaultValue 1 */
  concurrency?: number;
  /**
   * Most bytes of messages of one client that wait for their handlers. More closes with 1008; on the node gateway the client
   * is not read until there is room. @defaultValue 1,048,576
   */
  maxWaitingBytes?: number;
  /**
   * A client that says nothing for half of this is asked by a ping, and cut after all of it; 0 is never. A message counts when
   * it is whole. @defaultValue 60,000
   */
  idleTimeoutMs?: number;
  /** Most connections in one worker; a further one gets 503. @defaultValue 65,536 */
  maxConnections?: number;
  /** Agrees to permessage-deflate (RFC 7692), without context takeover, and compresses from 1 KiB on. @defaultValue false */
  compression?: boolean;
  /** Requests that ask for no WebSocket go to what follows, such as a page at the same path; else they get 400 or 405. @defaultValue false */
  passesOn?: boolean;
}

export type ResolvedWebSocketOptions = Required<Omit<WebSocketOptions, 'origins'>> & {
  readonly origins: 'same' | '*' | ReadonlySet<string> | ((origin: string, request: WsgiRequest) => boolean);
};

const LARGEST_BYTES = 1_073_741_824;
const KNOWN = [
  'protocols',
  'origins',
  'maxPayloadBytes',
  'maxBackpressureBytes',
  'onBackpressure',
  'concurrency',
  'maxWaitingBytes',
  'idleTimeoutMs',
  'maxConnections',
  'compression',
  'passesOn',
] as const;

/** @throws {TypeError} for a wrong or unknown one */
export function resolveWebSocketOptions(options: WebSocketOptions): ResolvedWebSocketOptions {
  const {
    protocols = [],
    origins = 'same',
    maxPayloadBytes = DEFAULT_WEBSOCKET_LIMITS.maxPayloadBytes,
    maxBackpressureBytes = DEFAULT_WEBSOCKET_LIMITS.maxBackpressureBytes,
    onBackpressure = 'close',
    concurrency = 1,
    maxWaitingBytes = 1_048_576,
    idleTimeoutMs = 60_000,
    maxConnections = 65_536,
    compression = false,
    passesOn = false,
    ...unknown
  } = requireOptions('websocket', options);
  refuseUnknown('websocket', unknown, KNOWN);
  requireProtocols(protocols);
  requireWhole('maxPayloadBytes', maxPayloadBytes, 1, LARGEST_BYTES);
  requireWhole('maxBackpressureBytes', maxBackpressureBytes, 1, LARGEST_BYTES);
  requireWhole('concurrency', concurrency, 1, 65_536);
  requireWhole('maxWaitingBytes', maxWaitingBytes, 1, LARGEST_BYTES);
  if (idleTimeoutMs !== 0) requireWhole('idleTimeoutMs', idleTimeoutMs, 100, LONGEST_TIMER_MS);
  requireWhole('maxConnections', maxConnections, 1, Number.MAX_SAFE_INTEGER);
  if (onBackpressure !== 'close' && onBackpressure !== 'drop')
    refuse('onBackpressure', "'close' or 'drop'", onBackpressure);
  for (const [name, value] of Object.entries({ compression, passesOn }))
    if (typeof value !== 'boolean') refuse(name, 'true or false', value);
  return {
    protocols,
    origins: resolveOrigins(origins),
    maxPayloadBytes,
    maxBackpressureBytes,
    onBackpressure,
    concurrency,
    maxWaitingBytes,
    idleTimeoutMs,
    maxConnections,
    compression,
    passesOn,
  };
}

function resolveOrigins(
  origins: NonNullable<WebSocketOptions['origins']>,
): ResolvedWebSocketOptions['origins'] {
  if (origins === 'same' || origins === '*' || typeof origins === 'function') return origins;
  if (!Array.isArray(origins))
    refuse('origins', "'same', '*', a list such as ['https://app.example.com'], or a function", origins);
  return requireOrigins('origins', origins as readonly string[]);
}

function requireProtocols(protocols: readonly string[]): void {
  const isList =
    Array.isArray(protocols) && protocols.every((one) => typeof one === 'string' && TOKEN.test(one));
  if (!isList) refuse('protocols', "a list of tokens such as ['chat.v2', 'chat.v1']", protocols);
}

function requireWhole(name: string, value: unknown, least: number, most: number): void {
  if (!Number.isInteger(value) || !isWithin(value, least, most))
    refuse(name, `a whole number from ${least} to ${most}`, value);
}

function refuse(name: string, right: string, value: unknown): never {
  throw new TypeError(`Option "${name}" of websocket must be ${right}; received ${describeValue(value)}`);
}
