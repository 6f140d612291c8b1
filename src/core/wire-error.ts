import { toError, VelaError } from './errors.js';
import * as httpErrors from './http-error.js';
import { packValue, unpackValue, type WireValue } from './wire-value.js';

/** An error as it crosses threads and processes, which by itself would lose its class and all that it carries. */
export interface WireError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly cause: WireCause | undefined;
  /** What else it carries: code, status, headers. */
  readonly fields: readonly (readonly [key: string, value: WireValue])[];
  /** Those of an AggregateError. */
  readonly errors: readonly WireError[] | undefined;
}

/** A cause is mostly an error, and may be any value. */
type WireCause = { readonly error: WireError } | { readonly value: WireValue };

/** Classes of errors by their name. */
export type ErrorClasses = Readonly<Record<string, { readonly prototype: object }>>;

/** How many causes go along, and how many errors in all: they may stand in a circle. */
const CAUSES = 8;
const ERRORS = 32;
/** The classes that an error has again on the other side; another one is an Error with its name. */
const CLASSES: ErrorClasses = {
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
const OWN_KEYS: readonly string[] = ['name', 'message', 'stack', 'cause'];

/** An error, made ready to cross. What it throws itself when it is read is left out. */
export function packError(thrown: unknown): WireError {
  try {
    return pack(toError(thrown), 0, { errors: ERRORS });
  } catch {
    return pack(new Error('a value that cannot be read was thrown'), 0, { errors: ERRORS });
  }
}

function pack(error: Error, depth: number, left: { errors: number }): WireError {
  left.errors--;
  const fields: [string, WireValue][] = [];
  for (const key of Object.keys(error)) {
    const value = OWN_KEYS.includes(key) ? undefined : packValue(read(error, key));
    if (value !== undefined) fields.push([key, value]);
  }
  const inner = depth + 1;
  const packInner = (one: unknown): WireError[] =>
    inner > CAUSES || left.errors <= 0 ? [] : [pack(toError(one), inner, left)];
  const cause = read(error, 'cause');
  const errors = error instanceof AggregateError ? read(error, 'errors') : undefined;
  return {
    name: readText(error, 'name') ?? 'Error',
    message: readText(error, 'message') ?? '',
    stack: readText(error, 'stack'),
    cause: cause instanceof Error ? wrapError(packInner(cause)[0]) : wrapValue(packValue(cause)),
    fields,
    errors: Array.isArray(errors) ? errors.flatMap(packInner) : undefined,
  };
}

function wrapError(error: WireError | undefined): WireCause | undefined {
  return error && { error };
}

function wrapValue(value: WireValue | undefined): WireCause | undefined {
  return value === undefined || (Array.isArray(value) && value[0] === undefined) ? undefined : { value };
}

/** A property; undefined for one whose getter throws. */
function read(error: Error, key: string): unknown {
  try {
    return Reflect.get(error, key);
  } catch {
    return undefined;
  }
}

function readText(error: Error, key: string): string | undefined {
  const value = read(error, key);
  return typeof value === 'string' ? value : undefined;
}

/**
 * The error again. Its stack is the one that it had where it was thrown.
 * @param classes - by name, what it may be an instance of beside JavaScript's and the core's
 */
export function unpackError(
  { name, message, stack, cause, fields, errors }: WireError,
  classes: ErrorClasses = {},
): Error {
  const known = [CLASSES, classes].find((some) => Object.hasOwn(some, name));
  const { prototype } = known?.[name] ?? Error;
  const error = new Error(message, cause === undefined ? undefined : { cause: unpackCause(cause, classes) });
  Object.setPrototypeOf(error, prototype);
  if (stack !== undefined)
    Object.defineProperty(error, 'stack', { value: stack, writable: true, configurable: true });
  for (const [key, value] of fields) Object.defineProperty(error, key, describe(unpackValue(value)));
  if (errors !== undefined)
    Object.defineProperty(error, 'errors', {
      ...describe(errors.map((one) => unpackError(one, classes))),
      enumerable: false,
    });
  if (error.name !== name) Object.defineProperty(error, 'name', { ...describe(name), enumerable: false });
  return error;
}

function unpackCause(cause: WireCause, classes: ErrorClasses): unknown {
  return 'error' in cause ? unpackError(cause.error, classes) : unpackValue(cause.value);
}

function describe(value: unknown): PropertyDescriptor {
  return { value, writable: true, enumerable: true, configurable: true };
}
