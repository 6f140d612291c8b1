import { Buffer } from 'node:buffer';
import { HttpError } from '../core/http-error.js';
import { decodeText } from '../request/decode-text.js';
import { describeJsonError, guardJson } from '../request/parse-json.js';
import type { CallMessage, JsonRpcId } from './json-rpc-call.js';
import { invalidParams, JSON_RPC_CODES, JsonRpcError } from './json-rpc-error.js';
import type { RawParams } from './read-params.js';

/** A message that is no call: which id the error has, and why. A notification has none, and is not answered. */
export class Refusal {
  readonly id: JsonRpcId | undefined;
  readonly error: JsonRpcError;

  constructor(id: JsonRpcId | undefined, error: JsonRpcError) {
    this.id = id;
    this.error = error;
  }
}

/** A message as JSON. @returns the value, or the refusal of what is none */
export function parseMessage(message: string | Uint8Array, isDebug: boolean): unknown {
  let text = '';
  try {
    text = typeof message === 'string' ? message : decodeMessage(message);
    return JSON.parse(text);
  } catch (error) {
    // What JSON.parse throws quotes the message. To look for the place takes as long as parsing: only where it is told.
    const describe = () =>
      error instanceof HttpError ? error.message : describeJsonError(text, 'The message');
    return new Refusal(null, standardError('parseError', 'Parse error', isDebug, isDebug ? describe() : ''));
  }
}

/** One value of a message as a call (JSON-RPC 2.0 §4). */
export function readCall(value: unknown, maxDepth: number, isDebug: boolean): CallMessage | Refusal {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return invalid(null, isDebug, 'A call must be an object');
  // Its prototype has none of these names.
  const { jsonrpc, method, params, id } = value as Record<string, unknown>;
  if (id !== undefined && !isId(id))
    return invalid(null, isDebug, '"id" must be a string, null, or a number that is kept exactly');
  const refuse = (reason: string) => invalid(id ?? null, isDebug, reason);
  if (jsonrpc !== '2.0') return refuse('"jsonrpc" must be "2.0"');
  if (typeof method !== 'string') return refuse('"method" must be a string');
  if (params !== undefined) {
    if (typeof params !== 'object' || params === null)
      return refuse('"params" must be an array or an object');
    try {
      guardParams(params, maxDepth);
    } catch (error) {
      return new Refusal(id, invalidParams((error as Error).message));
    }
  }
  return { method, params: params as RawParams, id };
}

/** For what a client sent that is none: tells why in debug alone, as the specification's answers have no data. */
function invalid(id: JsonRpcId, isDebug: boolean, reason: string): Refusal {
  return new Refusal(id, standardError('invalidRequest', 'Invalid Request', isDebug, reason));
}

export function standardError(
  code: keyof typeof JSON_RPC_CODES,
  message: string,
  isDebug: boolean,
  reason: string,
): JsonRpcError {
  return new JsonRpcError(JSON_RPC_CODES[code], message, isDebug ? { reason } : undefined);
}

/** Most parameters are no objects, so there is nothing to walk through. @throws {BadRequest} */
function guardParams(params: object, maxDepth: number): void {
  if (!Array.isArray(params)) {
    guardJson(params, maxDepth, '"params"', false);
    return;
  }
  for (let i = 0; i < params.length; i++) {
    const one: unknown = params[i];
    if (typeof one === 'object' && one !== null) guardJson(one, maxDepth - 1, '"params"', false);
  }
}

function decodeMessage(bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return decodeText(buffer, 'utf-8', 'The message');
}

/** A number that is not kept exactly would be answered with another one. */
function isId(id: unknown): id is JsonRpcId {
  if (typeof id === 'string' || id === null) return true;
  return typeof id === 'number' && Number.isFinite(id) && (Number.isSafeInteger(id) || !Number.isInteger(id));
}
