import type { JsonSchema } from '../request/json-schema.js';

/** The same for each media type. */
export function listContent(types: readonly string[], content: JsonSchema): JsonSchema {
  return Object.fromEntries(types.map((type) => [type, content]));
}
