import { describeValue } from '../core/errors.js';
import { isSchema } from '../request/run-schema.js';
import type { StandardSchemaV1 } from '../request/standard-schema.js';
import { JSON_KINDS, type JsonKind, type JsonKinds } from './json-kind.js';

/** A parameter, as it was declared. */
export interface Parameter {
  readonly name: string;
  /** It takes all values from its position on. */
  readonly isRest: boolean;
  /** It may be left out; a schema decides for itself. */
  readonly isOptional: boolean;
  /** For a kind's parameters. */
  readonly kind: JsonKind | undefined;
  readonly schema: StandardSchemaV1 | undefined;
  /** As it is shown: `a: number`. */
  readonly text: string;
}

const REST = '...';
const NAME = /^[A-Za-z_$][\w$-]*$/;

/** @param owner - the method, for errors @throws {TypeError} */
export function resolveParameters(owner: string, list: readonly unknown[]): readonly Parameter[] {
  const parameters = list.map((one) => resolveParameter(owner, one));
  const names = new Set<string>();
  for (const [index, { name, isRest, isOptional, text }] of parameters.entries()) {
    if (names.has(name)) throw new TypeError(`The method "${owner}" has two parameters "${name}"`);
    names.add(name);
    if (isRest && index < parameters.length - 1)
      throw new TypeError(
        `The parameter "${text}" of "${owner}" must be the last one: it takes all that follows`,
      );
    const next = parameters[index + 1];
    if (isOptional && next?.kind !== undefined && !next.isOptional && !next.isRest)
      throw new TypeError(
        `The parameter "${next.text}" of "${owner}" stands behind one that may be left out: put it before "${text}"`,
      );
  }
  return parameters;
}

/** A method as it is called: `add(a: number, b: number)`. */
export function formatSignature(owner: string, parameters: readonly Parameter[]): string {
  return `${owner}(${parameters.map(({ text }) => text).join(', ')})`;
}

function resolveParameter(owner: string, one: unknown): Parameter {
  const [given, type] = typeof one === 'string' ? [one, 'any'] : Array.isArray(one) ? one : [];
  const isRest = typeof given === 'string' && given.startsWith(REST);
  const name = isRest ? given.slice(REST.length) : given;
  if (
    typeof name !== 'string' ||
    !NAME.test(name) ||
    name === '__proto__' ||
    (Array.isArray(one) && one.length !== 2)
  )
    throw new TypeError(
      `The method "${owner}" has parameters as names or as pairs, ['a', 'number'] or ['a', Schema]; received ${describeValue(given ?? one)}`,
    );
  if (isSchema(type)) return { name, isRest, isOptional: false, kind: undefined, schema: type, text: given };
  const isOptional = typeof type === 'string' && type.endsWith('?');
  const kindName = isOptional ? type.slice(0, -1) : type;
  if (typeof kindName !== 'string' || !Object.hasOwn(JSON_KINDS, kindName))
    throw new TypeError(
      `The parameter "${name}" of "${owner}" must be ${Object.keys(JSON_KINDS)
        .map((known) => `'${known}'`)
        .join(', ')}, one of these with a ?, or a Standard Schema; received ${describeValue(type)}`,
    );
  if (isOptional && isRest)
    throw new TypeError(`The parameter "${given}" of "${owner}" takes no ?: there may be no values anyway`);
  const kind = JSON_KINDS[kindName as keyof JsonKinds];
  const text = `${given}${isOptional ? '?' : ''}: ${kindName}`;
  return { name, isRest, isOptional: isOptional || isRest, kind, schema: undefined, text };
}
