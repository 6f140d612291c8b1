import { isWithin } from '../core/duration.js';
import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import { isDeclarable } from '../core/parts.js';
import { checkInfo, type OpenRpcInfo, type OpenRpcOptions, resolveToJsonSchema } from './openrpc-document.js';
import { requireTimeout } from './require-timeout.js';

/** Options of a {@link JsonRpcHandler}. */
export interface JsonRpcHandlerOptions {
  /** Largest body, in bytes; a larger one is answered 413. No more than the server's `maxBodyBytes`. @defaultValue 1 MiB */
  limitBytes?: number;
  /** How deep arrays and objects may lie in each other in `params`; at most 1,000. @defaultValue 64 */
  maxDepth?: number;
  /** How many calls a batch may have; a larger one is refused as a whole. @defaultValue 100 */
  maxBatchCalls?: number;
  /** How many calls of a batch, or of a connection, run at once. @defaultValue 16 */
  maxConcurrentCalls?: number;
  /**
   * Longest time of a call, in ms, to which its `signal` aborts and the answer is an error; below the server's
   * `requestTimeoutMs`. @defaultValue 20 s
   */
  timeoutMs?: number;
  /**
   * The HTTP status of an answer that is one error: `ok` is 200, as for results, for what was asked has an answer; `draft`
   * is 400, 404 or 500 by the code, as the draft of JSON-RPC over HTTP had it; a function chooses by the code. @defaultValue `ok`
   */
  errorStatus?: 'ok' | 'draft' | ((code: number) => number);
  /** Answers `rpc.discover` with the OpenRPC document of all methods. @defaultValue it is not there */
  discover?: OpenRpcInfo;
  /** For `discover`: gives the JSON Schema of a schema that does not tell its own; undefined leaves it to the schema. */
  toJsonSchema?: OpenRpcOptions['toJsonSchema'];
  /** The request headers, in HTTP spelling, that methods and their middleware read, so that only these are kept. @defaultValue all */
  headers?: readonly string[];
}

/** Options, checked and filled in. */
export interface ResolvedHandlerOptions
  extends Required<Omit<JsonRpcHandlerOptions, 'headers' | 'discover' | 'toJsonSchema' | 'errorStatus'>> {
  readonly headers: readonly string[] | undefined;
  readonly discover: OpenRpcInfo | undefined;
  readonly toJsonSchema: OpenRpcOptions['toJsonSchema'];
  /** Undefined for 200 always. */
  readonly statusOf: ((code: number) => number) | undefined;
}

const OWNER = 'JsonRpcHandler';
const KNOWN = [
  ...['limitBytes', 'maxDepth', 'maxBatchCalls', 'maxConcurrentCalls'],
  ...['timeoutMs', 'errorStatus', 'discover', 'toJsonSchema', 'headers'],
];
/** The walk through `params` uses the stack. */
const DEEPEST = 1000;

/** @throws {TypeError} */
export function resolveHandlerOptions(options: JsonRpcHandlerOptions): ResolvedHandlerOptions {
  const {
    limitBytes = 1_048_576,
    maxDepth = 64,
    maxBatchCalls = 100,
    ...more
  } = requireOptions(OWNER, options);
  const {
    maxConcurrentCalls = 16,
    timeoutMs = 20_000,
    errorStatus = 'ok',
    discover,
    toJsonSchema,
    headers,
    ...unknown
  } = more;
  refuseUnknown(OWNER, unknown, KNOWN);
  requireCount('limitBytes', limitBytes, 0);
  requireCount('maxDepth', maxDepth, 1, DEEPEST);
  requireCount('maxBatchCalls', maxBatchCalls, 1);
  requireCount('maxConcurrentCalls', maxConcurrentCalls, 1);
  requireTimeout(OWNER, timeoutMs);
  if (discover !== undefined) checkInfo(`Option "discover" of ${OWNER}`, discover);
  if (headers !== undefined && !(Array.isArray(headers) && headers.every(isDeclarable)))
    throw new TypeError(
      `Option "headers" of ${OWNER} must be names in HTTP spelling, ['cookie']; received ${describeValue(headers)}`,
    );
  return {
    ...{ limitBytes, maxDepth, maxBatchCalls, maxConcurrentCalls, timeoutMs, discover, headers },
    toJsonSchema: resolveToJsonSchema(OWNER, toJsonSchema === undefined ? {} : { toJsonSchema }),
    statusOf: resolveStatus(errorStatus),
  };
}

/** Codes of the historical draft of JSON-RPC over HTTP (§3.6.2); codes of applications have no status there. */
function draftStatus(code: number): number {
  if (code === -32_600) return 400;
  if (code === -32_601) return 404;
  return code >= -32_768 && code <= -32_000 ? 500 : 200;
}

function resolveStatus(errorStatus: unknown): ((code: number) => number) | undefined {
  if (errorStatus === 'ok') return undefined;
  if (errorStatus === 'draft') return draftStatus;
  if (typeof errorStatus === 'function') return errorStatus as (code: number) => number;
  throw new TypeError(
    `Option "errorStatus" of ${OWNER} must be 'ok', 'draft' or a function (code) => status; received ${describeValue(errorStatus)}`,
  );
}

function requireCount(option: string, value: unknown, least: number, most = Number.MAX_SAFE_INTEGER): void {
  if (Number.isSafeInteger(value) && isWithin(value, least, most)) return;
  const bounds = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `from ${least} to ${most}`;
  throw new TypeError(
    `Option "${option}" of ${OWNER} must be a whole number, ${bounds}; received ${describeValue(value)}`,
  );
}
