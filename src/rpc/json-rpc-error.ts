import { describeValue } from '../core/errors.js';

/**
 * The codes that Vela answers with: those of the specification (§5.1), and, of the range that it leaves to servers, those of a failed command of an actor,
 * a call that took too long, one that found no room, and one that is not allowed.
 */
export const JSON_RPC_CODES = {
  parseError: -32_700,
  invalidRequest: -32_600,
  methodNotFound: -32_601,
  invalidParams: -32_602,
  internalError: -32_603,
  serverError: -32_000,
  timeout: -32_001,
  busy: -32_002,
  permissionDenied: -32_003,
} as const;

/**
 * An error that is told to the client, as it is: thrown in a method, it is the answer. A client throws what a server answers
 * as the same class, with `isRemote`.
 *
 * Codes from -32768 to -32000 are the protocol's; take others for what is the matter with your application.
 * @throws {TypeError} for a code that is no whole number, and for a message that is no text
 * @example throw new JsonRpcError(1, 'There is not enough money', { balance: 5 })
 * @see {@link https://www.jsonrpc.org/specification#error_object | JSON-RPC 2.0 §5.1}
 */
export class JsonRpcError extends Error {
  override readonly name = 'JsonRpcError';
  readonly code: number;
  /** What else there is to know, in JSON; undefined for nothing. */
  readonly data: unknown;
  /** It is another server's answer: a method that throws it on has failed itself. */
  readonly isRemote: boolean = false;

  constructor(code: number, message: string, data?: unknown, options?: ErrorOptions) {
    if (!Number.isSafeInteger(code))
      throw new TypeError(
        `JsonRpcError takes a whole number as its code, and then a message; received ${describeValue(code)}`,
      );
    if (typeof message !== 'string')
      throw new TypeError(`JsonRpcError takes its message as text; received ${describeValue(message)}`);
    super(message, options);
    this.code = code;
    this.data = data;
  }
}

/** The parameters of a call are wrong: says how, and each thing by itself where there are several. */
export function invalidParams(reason: string, details?: readonly object[]): JsonRpcError {
  return new JsonRpcError(
    JSON_RPC_CODES.invalidParams,
    `Invalid params: ${reason}`,
    details === undefined ? undefined : { details },
  );
}
