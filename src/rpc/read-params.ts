import { askNearest, describeValue, isThenable } from '../core/errors.js';
import { describeIssues, runSchema, type SchemaOutcome } from '../request/run-schema.js';
import type { SchemaIssue, SchemaResult, StandardSchemaV1 } from '../request/standard-schema.js';
import { invalidParams } from './json-rpc-error.js';
import { formatSignature, type Parameter } from './parameter.js';

/** The `params` of a call: by position, by name, or left out. */
export type RawParams = readonly unknown[] | Readonly<Record<string, unknown>> | undefined;

/** Makes a handler's arguments of `params`. @throws {JsonRpcError} -32602 */
export type ReadParams = (params: RawParams) => readonly unknown[] | Promise<readonly unknown[]>;

const NONE: readonly unknown[] = [];
/** Arguments of a function lie on the stack, where a hundred thousand may be too many. */
const MOST_ARGUMENTS = 10_000;

/** Reads parameters that were declared one by one. */
export function listReader(owner: string, parameters: readonly Parameter[]): ReadParams {
  const signature = formatSignature(owner, parameters);
  const last = parameters.at(-1);
  const most = last?.isRest === true ? MOST_ARGUMENTS : parameters.length;
  const hasSchemas = parameters.some(({ schema }) => schema !== undefined);
  const order = (params: RawParams): readonly unknown[] => {
    if (params === undefined) return NONE;
    const values: readonly unknown[] = Array.isArray(params)
      ? params
      : byName(signature, parameters, params as Record<string, unknown>);
    if (values.length <= most) return values;
    throw invalidParams(
      `${signature} takes no ${most === 0 ? 'parameters' : `more than ${most}`}; received ${values.length}`,
    );
  };
  const checkKinds = (values: readonly unknown[]) => {
    for (let i = 0; i < parameters.length; i++) {
      const { kind, isRest } = parameters[i] as Parameter;
      if (kind === undefined) continue;
      if (!isRest) checkValue(signature, parameters[i] as Parameter, values[i]);
      else
        for (let at = i; at < values.length; at++)
          checkValue(signature, parameters[i] as Parameter, values[at]);
    }
    return values;
  };
  if (!hasSchemas) return (params) => checkKinds(order(params));
  return (params) => runSchemas(parameters, checkKinds(order(params)));
}

/** Reads parameters that have one schema as a whole. */
export function schemaReader(schema: StandardSchemaV1): ReadParams {
  const conclude = (result: SchemaResult<unknown>) => {
    if (result.issues === undefined) return [result.value];
    throw issuesError(result.issues, '');
  };
  return (params) => {
    const outcome = runSchema(schema, params);
    return isThenable(outcome)
      ? (outcome as Promise<SchemaResult<unknown>>).then(conclude)
      : conclude(outcome as SchemaResult<unknown>);
  };
}

function byName(
  signature: string,
  parameters: readonly Parameter[],
  params: Readonly<Record<string, unknown>>,
): unknown[] {
  const names = parameters.map(({ name }) => name);
  for (const name of Object.keys(params)) {
    if (names.includes(name)) continue;
    throw invalidParams(`${signature} has no parameter ${describeValue(name)}${askNearest(name, names)}`);
  }
  const values = parameters.map(({ name }) => (Object.hasOwn(params, name) ? params[name] : undefined));
  if (parameters.at(-1)?.isRest !== true) return values;
  const rest = values.pop() ?? [];
  if (Array.isArray(rest)) return values.concat(rest);
  throw invalidParams(
    `"${names.at(-1)}" of ${signature} must be an array by name; received ${describeValue(rest)}`,
  );
}

function checkValue(signature: string, { name, kind, isOptional, isRest }: Parameter, value: unknown): void {
  // JSON has no undefined: it was left out.
  if (value === undefined) {
    if (isOptional) return;
    throw invalidParams(`${signature} needs "${name}", which is missing`);
  }
  if (kind?.fits(value) !== false) return;
  throw invalidParams(
    `${isRest ? 'each of ' : ''}"${name}" of ${signature} must be ${kind.text}; received ${describeValue(value)}`,
  );
}

/** What schemas make of the values, in their places; what is wrong in all of them is told at once. */
function runSchemas(
  parameters: readonly Parameter[],
  values: readonly unknown[],
): readonly unknown[] | Promise<readonly unknown[]> {
  const places: string[] = [];
  const outcomes: SchemaOutcome[] = [];
  const add = ({ name, schema }: Parameter, value: unknown, place: string) => {
    places.push(`/${name}${place}`);
    outcomes.push(schema === undefined ? { value } : runSchema(schema, value));
  };
  for (const [index, parameter] of parameters.entries()) {
    if (!parameter.isRest) add(parameter, values[index], '');
    else for (let at = index; at < values.length; at++) add(parameter, values[at], `/${at - index}`);
  }
  return outcomes.some(isThenable)
    ? Promise.all(outcomes).then((results) => takeValues(places, results))
    : takeValues(places, outcomes as SchemaResult<unknown>[]);
}

function takeValues(places: readonly string[], results: readonly SchemaResult<unknown>[]): unknown[] {
  const values: unknown[] = [];
  const issues: SchemaIssue[] = [];
  for (const [index, result] of results.entries()) {
    if (result.issues === undefined) values.push(result.value);
    else
      for (const issue of result.issues)
        issues.push({
          message: issue.message,
          path: [...(places[index] as string).slice(1).split('/'), ...(issue.path ?? [])],
        });
  }
  if (issues.length > 0) throw issuesError(issues, '');
  return values;
}

function issuesError(issues: readonly SchemaIssue[], prefix: string): Error {
  const details = describeIssues(issues, prefix);
  const [first] = details;
  const more = issues.length > 1 ? `, and ${issues.length - 1} more` : '';
  return invalidParams(
    first === undefined
      ? 'they do not fit'
      : `${first.path === '' ? '' : `${first.path}: `}${first.message}${more}`,
    details,
  );
}
