import { findNearest } from './nearest.js';

/**
 * Errors of Vela itself: a stable code, and a message that says what was expected, what came and what to do.
 * docs/errors.md lists them all.
 */
export class VelaError extends Error {
  override readonly name: string = 'VelaError';
  /** Stable name of the condition: `ERR_AREA_CONDITION`. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A setting that makes no sense: the program cannot start. */
export class ImproperlyConfigured extends VelaError {
  override readonly name = 'ImproperlyConfigured';

  constructor(message: string, options?: ErrorOptions) {
    super('ERR_CONFIG_INVALID', message, options);
  }
}

/** True for anything with a `then` method. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return value !== null && typeof value === 'object' && 'then' in value && typeof value.then === 'function';
}

/** Any thrown value as an Error whose message can be read. Never throws, though a Proxy may when it is looked at. */
export function toError(thrown: unknown): Error {
  try {
    if (!(thrown instanceof Error)) return foreignError(thrown);
    String(thrown.message);
    return thrown;
  } catch {
    return new Error('a value that cannot be read was thrown');
  }
}

function foreignError(thrown: unknown): Error {
  return typeof thrown === 'function' && thrown.prototype instanceof Error
    ? new Error(`the class ${thrown.name} was thrown, not an error: throw new ${thrown.name}(...)`)
    : new Error(`a value that is no Error was thrown: ${describeValue(thrown)}`);
}

/** How many causes of an error are shown. */
const SHOWN_CAUSES = 8;

/** An error for people: name, code, message and stack, and those of its causes. */
export function formatError(error: Error): string {
  let text = formatStack(error);
  let { cause } = error;
  for (let depth = 0; cause !== undefined && depth < SHOWN_CAUSES; depth++) {
    const inner = toError(cause);
    text += `\nCaused by: ${formatStack(inner)}`;
    cause = inner.cause;
  }
  return text;
}

/** The stack, whose first line V8 writes before the error has its name and code. */
function formatStack(error: Error): string {
  const stack = error.stack ?? String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const [first = ''] = stack.split('\n', 1);
  const title = code === '' || first.includes(code) ? error.name : `${error.name} [${code}]`;
  return stack.replace(/^[\w$]*Error(?=$|\n|: )/, () => title);
}

/** A short text for a value in an error message. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (value === null || value === undefined || typeof value === 'number' || typeof value === 'boolean')
    return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object') return `an object (${value.constructor?.name ?? 'no prototype'})`;
  return `a ${typeof value}`;
}

/** Throws for options that are not known. @throws {TypeError} */
export function refuseUnknown(owner: string, unknown: object, known: readonly string[]): void {
  for (const key of Object.keys(unknown)) {
    throw new TypeError(
      `${owner} has no option "${key}"${askNearest(key, known)}; it has ${known.map((one) => `"${one}"`).join(', ')}`,
    );
  }
}

/** As {@link refuseUnknown}, of options as they were given: a rest element of what is unknown takes 150 ns. */
export function requireKnown(owner: string, options: object, known: readonly string[]): void {
  for (const key in options) {
    if (!known.includes(key) && Object.hasOwn(options, key)) refuseUnknown(owner, { [key]: true }, known);
  }
}

/** ` (did you mean "bind"?)`; `''` when no known name is near. */
export function askNearest(given: string, known: readonly string[]): string {
  const nearest = findNearest(given, known);
  return nearest === undefined ? '' : ` (did you mean "${nearest}"?)`;
}

/** Options as they must be given: a plain object. @throws {TypeError} */
export function requireOptions<O extends object>(owner: string, options: O): O {
  if (!isPlainObject(options)) {
    if (typeof options === 'object' && options !== null && 'wsgi.version' in options) {
      throw new TypeError(`${owner} makes the middleware, and was given in its place: call it: ${owner}()`);
    }
    throw new TypeError(
      `${owner} takes its options as an object, { name: value }; received ${describeValue(options)}`,
    );
  }
  return options;
}

/** An option that is an object itself. @param entry - what one entry looks like: `name: function` @throws {TypeError} */
export function requireRecord<O extends object>(owner: string, option: string, entry: string, value: O): O {
  if (isPlainObject(value)) return value;
  throw new TypeError(
    `Option "${option}" of ${owner} must be an object, { ${entry} }; received ${describeValue(value)}`,
  );
}

export function isPlainObject(value: unknown): boolean {
  if (value === null || typeof value !== 'object') return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
