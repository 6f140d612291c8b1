import type { StandardSchemaV1 } from './standard-schema.js';

/** A JSON Schema (2020-12) that is an object, as schemas of values with several forms are. */
export type JsonSchema = Record<string, unknown>;

/** Of a schema that changes what it takes: what goes in, or what comes out. */
export type SchemaSide = 'input' | 'output';

/**
 * What a schema says of itself in JSON Schema; undefined for one that does not offer it.
 * @throws what the library throws for a schema that has no such form
 * @see {@link https://standardschema.dev/json-schema | Standard JSON Schema}
 */
export function findJsonSchema(schema: StandardSchemaV1, side: SchemaSide): JsonSchema | undefined {
  const { jsonSchema } = schema['~standard'] as { jsonSchema?: unknown };
  if (typeof jsonSchema !== 'object' || jsonSchema === null) return undefined;
  const convert = (jsonSchema as Partial<Record<SchemaSide, unknown>>)[side];
  if (typeof convert !== 'function') return undefined;
  const made: unknown = convert.call(jsonSchema, { target: 'draft-2020-12' });
  return isJsonObject(made) ? made : undefined;
}

export function isJsonObject(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Follows `$ref` within a document, as often as it leads on; undefined where it leads nowhere. */
export function followRef(document: JsonSchema, schema: unknown): JsonSchema | undefined {
  let current = schema;
  for (let step = 0; step < MAX_REFS; step++) {
    if (!isJsonObject(current)) return undefined;
    const { $ref } = current;
    if (typeof $ref !== 'string') return current;
    if (!$ref.startsWith('#')) return undefined;
    current = findAt(document, $ref.slice(1));
  }
  return undefined;
}

/** References that lead to references. */
const MAX_REFS = 32;

/** What stands at a JSON pointer (RFC 6901). */
function findAt(document: unknown, pointer: string): unknown {
  let at = document;
  for (const part of pointer.split('/').slice(1)) {
    const key = decodeKey(part);
    at = typeof at === 'object' && at !== null ? (at as JsonSchema)[key] : undefined;
  }
  return at;
}

/** A part of a JSON pointer in a fragment (RFC 6901 §6). Libraries leave "%" in names as it is, so what is no escape stays. */
export function decodeKey(part: string): string {
  const text = part.replace(/(?:%[\da-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes;
    }
  });
  return text.replaceAll('~1', '/').replaceAll('~0', '~');
}

/** The properties of an object's schema, those of its parts in `allOf` among them, and which of them must be there. */
export function listProperties(
  document: JsonSchema,
  schema: unknown = document,
): { properties: Map<string, unknown>; required: Set<string> } {
  const properties = new Map<string, unknown>();
  const required = new Set<string>();
  // Parts may be parts of one another, or of several.
  const seen = new Set<JsonSchema>();
  const visit = (one: unknown) => {
    const found = followRef(document, one);
    if (found === undefined || seen.has(found)) return;
    seen.add(found);
    for (const [name, property] of Object.entries(isJsonObject(found.properties) ? found.properties : {}))
      properties.set(name, property);
    for (const name of Array.isArray(found.required) ? found.required : []) required.add(String(name));
    for (const part of Array.isArray(found.allOf) ? found.allOf : []) visit(part);
  };
  visit(schema);
  return { properties, required };
}
