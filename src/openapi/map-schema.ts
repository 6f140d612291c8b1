import { isJsonObject, type JsonSchema } from '../request/json-schema.js';

/** Keywords of JSON Schema 2020-12 that hold a schema, a list of schemas, or schemas by name. */
const ONE = new Set([
  'additionalProperties',
  'contains',
  'contentSchema',
  'else',
  'if',
  'items',
  'not',
  'propertyNames',
  'then',
  'unevaluatedItems',
  'unevaluatedProperties',
]);
const LISTS = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems']);
const MAPS = new Set(['$defs', 'definitions', 'dependentSchemas', 'patternProperties', 'properties']);

/** A copy of a schema in which it and all schemas in it are changed; values such as `default` and `enum` are left alone. */
export function mapSchema(schema: unknown, change: (schema: JsonSchema) => JsonSchema): unknown {
  if (!isJsonObject(schema)) return schema;
  const map = (one: unknown) => mapSchema(one, change);
  const entries = Object.entries(schema).map(([key, value]): [string, unknown] => {
    if (ONE.has(key)) return [key, Array.isArray(value) ? value.map(map) : map(value)];
    if (LISTS.has(key) && Array.isArray(value)) return [key, value.map(map)];
    if (MAPS.has(key) && isJsonObject(value))
      return [key, Object.fromEntries(Object.entries(value).map(([name, one]) => [name, map(one)]))];
    return [key, value];
  });
  return change(Object.fromEntries(entries));
}
