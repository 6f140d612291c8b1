import { UnprocessableEntity } from '../core/http-error.js';
import { describeIssues, runSchema } from './run-schema.js';
import type { SchemaOutput, StandardSchemaV1 } from './standard-schema.js';

const MESSAGE = 'The body does not fit what is expected';

/**
 * What a schema makes of a value.
 * @throws {UnprocessableEntity} 422, with the first 100 issues as `details`
 */
export async function validate<S extends StandardSchemaV1>(
  schema: S,
  value: unknown,
): Promise<SchemaOutput<S>> {
  const result = await runSchema(schema, value);
  if (result.issues === undefined) return result.value as SchemaOutput<S>;
  throw new UnprocessableEntity(MESSAGE, { details: describeIssues(result.issues) });
}
