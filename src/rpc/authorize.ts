import { describeValue } from '../core/errors.js';
import type { JsonRpcCall } from './json-rpc-call.js';
import { JSON_RPC_CODES, JsonRpcError } from './json-rpc-error.js';

/** Says whether a call may be made. */
export type Authorize = (call: JsonRpcCall) => boolean | PromiseLike<boolean>;

/** @throws {JsonRpcError} -32003 unless it answers true */
export async function requireAllowed(owner: string, authorize: Authorize, call: JsonRpcCall): Promise<void> {
  const isAllowed: unknown = await authorize(call);
  if (typeof isAllowed !== 'boolean')
    throw new TypeError(
      `Option "authorize" of ${owner}() must answer true or false; it gave ${describeValue(isAllowed)}`,
    );
  if (!isAllowed)
    throw new JsonRpcError(
      JSON_RPC_CODES.permissionDenied,
      `Permission denied: "${call.method}" is not for everybody`,
    );
}
