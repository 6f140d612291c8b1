import { describeValue, isThenable, refuseUnknown, requireOptions, VelaError } from '../core/errors.js';
import { checkSchema, describeIssues, isSchema, runSchema } from '../request/run-schema.js';
import type { SchemaResult, StandardSchemaV1 } from '../request/standard-schema.js';
import type { JsonRpcCall } from './json-rpc-call.js';
import type { DeclaredMethod } from './method-table.js';
import type { JsonRpcParams } from './method-types.js';
import { formatSignature, resolveParameters } from './parameter.js';
import { listReader, type ReadParams, schemaReader } from './read-params.js';
import { requireTimeout } from './require-timeout.js';

/** What a method says of itself. */
export interface JsonRpcMethodOptions<
  P extends JsonRpcParams = JsonRpcParams,
  R extends StandardSchemaV1 | undefined = StandardSchemaV1 | undefined,
> {
  /**
   * Its parameters in order, `[['a', 'number'], ['b', 'number?']]`, which clients give by position or by name; or a schema of
   * all that a client gives. @defaultValue none
   */
  params?: P;
  /** A schema of the result, which clients get as the schema makes it. */
  result?: R;
  /** Longest time of a call, in ms. @defaultValue that of the handler */
  timeoutMs?: number;
  /** A line for the OpenRPC document and lists of methods. */
  summary?: string;
  /** Several lines for the same, in Markdown. */
  description?: string;
  /** Clients should not call it any more. @defaultValue false */
  deprecated?: boolean;
  /** Groups of the OpenRPC document. */
  tags?: readonly string[];
}

/** A handler, whatever its types. */
export type AnyHandler = (call: JsonRpcCall, ...args: never[]) => unknown;

const KNOWN = ['params', 'result', 'timeoutMs', 'summary', 'description', 'deprecated', 'tags'];
const LONGEST_NAME = 200;
/** As many issues of a result stand in the log line. */
const SHOWN_ISSUES = 5;

/** @throws {TypeError} for what is no method */
export function declareMethod(
  name: string,
  options: JsonRpcMethodOptions,
  handler: AnyHandler,
): DeclaredMethod {
  requireName('method', name);
  if (typeof handler !== 'function')
    throw new TypeError(
      `method() takes a name, perhaps options, and a function, (call, ...args) => result; received ${describeValue(handler)} for "${name}"`,
    );
  const { params = [], result, timeoutMs, ...more } = requireOptions(`The method "${name}"`, options);
  const { summary, description, deprecated = false, tags = [], ...unknown } = more;
  refuseUnknown(`The method "${name}"`, unknown, KNOWN);
  if (result !== undefined) checkSchema(result, 'result');
  if (timeoutMs !== undefined) requireTimeout(`the method "${name}"`, timeoutMs);
  requireTexts(name, { summary, description });
  if (typeof deprecated !== 'boolean')
    throw new TypeError(
      `Option "deprecated" of "${name}" must be true or false; received ${describeValue(deprecated)}`,
    );
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === 'string'))
    throw new TypeError(
      `Option "tags" of "${name}" must be a list of texts; received ${describeValue(tags)}`,
    );
  const { read, signature, hasNone } = resolveParams(name, params);
  if (hasNone && handler.length > 1)
    throw new TypeError(
      `The handler of "${name}" takes parameters, which the method does not name: method('${name}', { params: [['a', 'number']] }, (call, a) => ...)`,
    );
  return {
    run: checkedRun(
      name,
      read,
      handler as (call: JsonRpcCall, ...args: readonly unknown[]) => unknown,
      result,
    ),
    timeoutMs,
    description: { name, signature, params, result, summary, description, deprecated, tags: [...tags] },
  };
}

/** @throws {TypeError} unless it can be the name of a method, or a prefix */
function requireName(owner: string, name: unknown): void {
  if (typeof name !== 'string' || name === '' || name.length > LONGEST_NAME || /[\0- \x7f"]/.test(name))
    throw new TypeError(
      `${owner}() takes a name without spaces, of up to ${LONGEST_NAME} characters, such as 'add'; received ${describeValue(name)}`,
    );
  // Clients reach methods as properties, where this one is no name.
  if (name.split('.').includes('__proto__')) throw new TypeError(`A method cannot be named "${name}"`);
  if (/^rpc\./i.test(name) || name === 'rpc')
    throw new TypeError(
      `Names that begin with "rpc." are the protocol's (JSON-RPC 2.0 §4.1): take another one than "${name}"`,
    );
}

/** What stands before the dot of mounted methods. @throws {TypeError} */
export function requirePrefix(prefix: unknown): void {
  requireName('mount', prefix);
  if (String(prefix).endsWith('.'))
    throw new TypeError(
      `mount() adds the dot itself: give "${String(prefix).replace(/\.+$/, '')}"; received "${prefix}"`,
    );
}

function resolveParams(
  name: string,
  params: unknown,
): { read: ReadParams; signature: string; hasNone: boolean } {
  if (isSchema(params)) return { read: schemaReader(params), signature: `${name}(params)`, hasNone: false };
  if (!Array.isArray(params))
    throw new TypeError(
      `Option "params" of "${name}" must be a list, [['a', 'number'], ['b', Schema]], or a Standard Schema of all; received ${describeValue(params)}`,
    );
  const parameters = resolveParameters(name, params);
  return {
    read: listReader(name, parameters),
    signature: formatSignature(name, parameters),
    hasNone: parameters.length === 0,
  };
}

function checkedRun(
  name: string,
  read: ReadParams,
  handler: (call: JsonRpcCall, ...args: readonly unknown[]) => unknown,
  result: StandardSchemaV1 | undefined,
): (call: JsonRpcCall) => unknown {
  const run = (call: JsonRpcCall) => {
    const args = read(call.params);
    if (args instanceof Promise) return args.then((values) => handler(call, ...values));
    return handler(call, ...(args as readonly unknown[]));
  };
  if (result === undefined) return run;
  const check = (value: unknown) => {
    const outcome = runSchema(result, value);
    const take = (one: SchemaResult<unknown>) => takeResult(name, one);
    return isThenable(outcome) ? outcome.then(take as (one: unknown) => unknown) : take(outcome);
  };
  return (call) => {
    const value = run(call);
    return isThenable(value) ? value.then(check) : check(value);
  };
}

function takeResult(name: string, outcome: SchemaResult<unknown>): unknown {
  if (outcome.issues === undefined) return outcome.value;
  const shown = describeIssues(outcome.issues.slice(0, SHOWN_ISSUES)).map(
    ({ path, message }) => `${path === '' ? '' : `${path}: `}${message}`,
  );
  throw new VelaError('ERR_RPC_RESULT', `What "${name}" gives does not fit "result": ${shown.join('; ')}`);
}

function requireTexts(name: string, texts: Record<string, unknown>): void {
  for (const [option, text] of Object.entries(texts))
    if (text !== undefined && typeof text !== 'string')
      throw new TypeError(`Option "${option}" of "${name}" must be text; received ${describeValue(text)}`);
}
