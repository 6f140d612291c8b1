import { describeValue } from '../core/errors.js';
import { UnprocessableEntity } from '../core/http-error.js';
import type { SchemaIssue, SchemaOutput, StandardSchemaV1 } from './standard-schema.js';

/** As many issues are told: a list of 100,000 wrong items is no larger an answer. */
const MAX_ISSUES = 100;
const MESSAGE = 'The body does not fit what is expected';

/** @throws {TypeError} for something that is no Standard Schema */
export function checkSchema(schema: unknown): void {
  const isHolder = (typeof schema === 'object' && schema !== null) || typeof schema === 'function';
  const standard: unknown = isHolder && '~standard' in schema ? schema['~standard'] : undefined;
  const validate =
    typeof standard === 'object' && standard !== null && 'validate' in standard
      ? standard.validate
      : undefined;
  if (typeof validate === 'function') return;
  throw new TypeError(
    `Option "schema" must be a Standard Schema, with '~standard'.validate, as zod, valibot and arktype make them; received ${describeValue(schema)}`,
  );
}

/**
 * What a schema makes of a value.
 * @throws {UnprocessableEntity} 422, with the first 100 issues as `details`
 */
export async function validate<S extends StandardSchemaV1>(
  schema: S,
  value: unknown,
): Promise<SchemaOutput<S>> {
  const result = await schema['~standard'].validate(value);
  if (result.issues === undefined) return result.value as SchemaOutput<S>;
  const details = result.issues
    .slice(0, MAX_ISSUES)
    .map((issue) => ({ path: formatPointer(issue), message: String(issue.message) }));
  throw new UnprocessableEntity(MESSAGE, { details });
}

/** Where an issue is, as a JSON pointer (RFC 6901). */
function formatPointer({ path = [] }: SchemaIssue): string {
  return path
    .map((segment) => String(typeof segment === 'object' ? segment.key : segment))
    .map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
}
