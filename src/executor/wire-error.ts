import { serialize } from 'node:v8';
import { toError, VelaError } from '../core/errors.js';
import * as httpErrors from '../core/http-error.js';

/** An error as it crosses threads, which by itself would lose its class and all that it carries. */
export interface WireError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly cause: WireCause | undefined;
  /** What else it carries: code, status, headers. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Those of an AggregateError. */
  readonly errors: readonly WireError[] | undefined;
}

/** A cause is mostly an error, and may be any value. */
type WireCause = { readonly error: WireError } | { readonly value: unknown };

/** How many causes go along, and how many errors of one. */
const CAUSES = 8;
const ERRORS = 16;
/** The classes that an error has again on the other side; another one is an Error with its name. */
const CLASSES: Readonly<Record<string, { readonly prototype: object }>> = {
  AggregateError,
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  VelaError,
  ...httpErrors,
};

/** An error, made ready to cross. */
export function packError(thrown: unknown, depth = 0): WireError {
  const error = toError(thrown);
  const fields: Record<string, unknown> = {};
  for (const key of Object.keys(error)) {
    if (key === 'name' || key === 'message' || key === 'stack' || key === 'cause') continue;
    const value: unknown = Reflect.get(error, key);
    if (crosses(value)) fields[key] = value;
  }
  return {
    name: String(error.name),
    message: String(error.message),
    stack: typeof error.stack === 'string' ? error.stack : undefined,
    cause: depth === CAUSES ? undefined : packCause(error.cause, depth + 1),
    fields,
    errors:
      error instanceof AggregateError && depth < CAUSES
        ? error.errors.slice(0, ERRORS).map((one) => packError(one, depth + 1))
        : undefined,
  };
}

function packCause(cause: unknown, depth: number): WireCause | undefined {
  if (cause instanceof Error) return { error: packError(cause, depth) };
  return cause === undefined || !crosses(cause) ? undefined : { value: cause };
}

/** The error again. Its stack is the one that it had where it was thrown. */
export function unpackError({ name, message, stack, cause, fields, errors }: WireError): Error {
  const { prototype } = (Object.hasOwn(CLASSES, name) ? CLASSES[name] : undefined) ?? Error;
  const error = new Error(message, cause === undefined ? undefined : { cause: unpackCause(cause) });
  Object.setPrototypeOf(error, prototype);
  if (stack !== undefined)
    Object.defineProperty(error, 'stack', { value: stack, writable: true, configurable: true });
  for (const [key, value] of Object.entries(fields)) Object.defineProperty(error, key, describe(value));
  if (errors !== undefined)
    Object.defineProperty(error, 'errors', { ...describe(errors.map(unpackError)), enumerable: false });
  if (error.name !== name) Object.defineProperty(error, 'name', { ...describe(name), enumerable: false });
  return error;
}

/** True for what can be sent to another thread. */
export function crosses(value: unknown): boolean {
  if (value === null || typeof value !== 'object')
    return typeof value !== 'function' && typeof value !== 'symbol';
  try {
    serialize(value);
    return true;
  } catch {
    return false;
  }
}

function unpackCause(cause: WireCause): unknown {
  return 'error' in cause ? unpackError(cause.error) : cause.value;
}

function describe(value: unknown): PropertyDescriptor {
  return { value, writable: true, enumerable: true, configurable: true };
}
