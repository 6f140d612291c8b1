import { isIP } from 'node:net';
import { describeValue } from '../core/errors.js';

/** What a call of `listen` asks for. */
export interface ListenTarget {
  /** Undefined for all interfaces. */
  readonly host: string | undefined;
  readonly port: number;
  /** Of a unix socket. */
  readonly path: string | undefined;
  /** Other servers may listen there beside this one. */
  readonly isShared: boolean;
  readonly signal: AbortSignal | undefined;
  /** Only node:http can do it: a handle, or a descriptor. */
  readonly isNative: boolean;
  readonly callback: (() => void) | undefined;
}

interface ListenOptions {
  readonly port?: number | string | null;
  readonly host?: string;
  readonly path?: string;
  readonly reusePort?: boolean;
  readonly signal?: AbortSignal;
  readonly fd?: number;
  readonly handle?: unknown;
  readonly _handle?: unknown;
}

/**
 * Reads the arguments of `listen` in all of node:net's forms: `(port, host, backlog, callback)`, each of them may be left out;
 * `(path, ...)`; `(options, callback)`; `(handle, ...)`.
 * @throws {RangeError} `ERR_SOCKET_BAD_PORT` @throws {TypeError} `ERR_INVALID_ARG_VALUE`
 */
export function readListenTarget(args: readonly unknown[]): ListenTarget {
  const last = args.at(-1);
  const callback = typeof last === 'function' ? (last as () => void) : undefined;
  const [first, second] = args.filter((one) => typeof one !== 'function');
  const given = toOptions(first, second);
  const isNative = given.fd !== undefined || given.handle !== undefined || given._handle !== undefined;
  const path = given.path;
  if (
    !isNative &&
    path === undefined &&
    !('port' in given) &&
    args.length > 0 &&
    typeof first === 'object' &&
    first !== null
  )
    throw Object.assign(
      new TypeError(
        `The argument 'options' must have the property "port" or "path". Received ${describeValue(first)}`,
      ),
      { code: 'ERR_INVALID_ARG_VALUE' },
    );
  return {
    host: given.host === '' ? undefined : given.host,
    port: path === undefined && !isNative ? toPort(given.port) : 0,
    path,
    isShared: given.reusePort === true,
    signal: given.signal,
    isNative,
    callback,
  };
}

/** True for what need not be looked up. */
export function isAddress(host: string | undefined): boolean {
  return host === undefined || isIP(host) !== 0;
}

function toOptions(first: unknown, second: unknown): ListenOptions {
  if (first !== null && typeof first === 'object') return first;
  if (typeof first === 'string' && !/^\d+$/.test(first)) return { path: first };
  const host = typeof second === 'string' ? { host: second } : {};
  return { port: first as number | string | null, ...host };
}

function toPort(given: unknown): number {
  if (given === undefined || given === null) return 0;
  const isNumber = typeof given === 'number' || (typeof given === 'string' && given.trim() !== '');
  const port = isNumber ? Number(given) : Number.NaN;
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw Object.assign(
    new RangeError(`options.port should be >= 0 and < 65536. Received ${describeValue(given)}.`),
    { code: 'ERR_SOCKET_BAD_PORT' },
  );
}
