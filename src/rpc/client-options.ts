import { isWithin } from '../core/duration.js';
import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import { requireTimeout } from './require-timeout.js';

/** Options of {@link createJsonRpcClient}. @typeParam Name - of the server's methods */
export interface JsonRpcClientOptions<Name extends string = string> {
  /** Sent with each request, or with the one that opens the WebSocket. */
  headers?: Readonly<Record<string, string>>;
  /** How long an answer is waited for, connecting and retries included, in ms. @defaultValue 30 s */
  timeoutMs?: number;
  /** How often a call is tried again that is safe to send again. @defaultValue 2 */
  retries?: number;
  /** The pause before the first retry, in ms; each further one is twice as long. @defaultValue 100 */
  retryDelayMs?: number;
  /** The methods that may be called twice: they are sent again also when the connection breaks under way. @defaultValue none */
  idempotent?: readonly Name[];
  /** Largest answer, in bytes. @defaultValue 16 MiB */
  limitBytes?: number;
  /** In place of the global `fetch`. */
  fetch?: typeof fetch;
}

/** The same, checked and filled in. */
export type ResolvedClientOptions = Required<Omit<JsonRpcClientOptions, 'idempotent'>> & {
  readonly idempotent: ReadonlySet<string>;
};

const OWNER = 'createJsonRpcClient';
const KNOWN = ['headers', 'timeoutMs', 'retries', 'retryDelayMs', 'idempotent', 'limitBytes', 'fetch'];

/** @throws {TypeError} */
export function resolveClientOptions(options: JsonRpcClientOptions): ResolvedClientOptions {
  const {
    headers = {},
    timeoutMs = 30_000,
    retries = 2,
    retryDelayMs = 100,
    ...more
  } = requireOptions(OWNER, options);
  const { idempotent = [], limitBytes = 16_777_216, fetch: fetchFunction = fetch, ...unknown } = more;
  refuseUnknown(OWNER, unknown, KNOWN);
  requireTimeout(OWNER, timeoutMs);
  for (const [option, value, most] of [
    ['retries', retries, 100],
    ['retryDelayMs', retryDelayMs, 60_000],
    ['limitBytes', limitBytes, Number.MAX_SAFE_INTEGER],
  ] as const)
    if (!isWithin(value, 0, most) || !Number.isSafeInteger(value))
      throw new TypeError(
        `Option "${option}" of ${OWNER}() must be a whole number from 0 to ${most}; received ${describeValue(value)}`,
      );
  if (!Array.isArray(idempotent) || !idempotent.every((name) => typeof name === 'string'))
    throw new TypeError(
      `Option "idempotent" of ${OWNER}() must be a list of methods, ['calc.add']; received ${describeValue(idempotent)}`,
    );
  if (typeof fetchFunction !== 'function')
    throw new TypeError(
      `Option "fetch" of ${OWNER}() must be a function; received ${describeValue(fetchFunction)}`,
    );
  const texts = Object.entries(requireOptions(`Option "headers" of ${OWNER}()`, headers));
  for (const [name, value] of texts)
    if (typeof value !== 'string')
      throw new TypeError(
        `The header "${name}" of ${OWNER}() must be text; received ${describeValue(value)}`,
      );
  return {
    ...{ headers, timeoutMs, retries, retryDelayMs, limitBytes, fetch: fetchFunction },
    idempotent: new Set(idempotent),
  };
}
