import { followRef, isJsonObject, type JsonSchema, listProperties } from '../request/json-schema.js';
import type { StandardSchemaV1 } from '../request/standard-schema.js';
import type { ConverterOption } from '../router/converters.js';
import type { RouteContract } from '../router/route-contract.js';
import type { Components } from './components.js';
import type { TemplateParam } from './path-templates.js';

/** What OpenAPI says elsewhere (§4.8.12.1): parameters with these names are to be ignored. */
const OTHER_HEADERS: readonly string[] = ['accept', 'authorization', 'content-type'];
const CONVERTED = {
  int: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
  float: { type: 'number', minimum: 0 },
  uuid: { type: 'string', format: 'uuid' },
} as const;

/** The parameters of an operation: of its path, by converters or schema, of the query, and headers. */
export function listParameters(
  { converters, params, query, headers }: RouteContract,
  inPath: readonly TemplateParam[],
  components: Components,
  where: string,
): JsonSchema[] {
  const known = params && readProperties(components, params, `the params of ${where}`).properties;
  const ofPath = inPath.map(({ name, source, isWildcard }) => {
    const schema = isWildcard
      ? { type: 'string', description: 'One segment or more, with slashes between them' }
      : (known?.get(source) ?? describeConverter(converters[source]));
    return makeParameter(name, 'path', schema, true);
  });
  return [
    ...ofPath,
    ...listFields(components, query, 'query', `the query of ${where}`),
    ...listFields(components, headers, 'header', `the headers of ${where}`).filter(
      ({ name }) => !OTHER_HEADERS.includes(String(name).toLowerCase()),
    ),
  ];
}

/** A parameter for each property; for a schema without any, one that stands for all of them. */
function listFields(
  components: Components,
  schema: StandardSchemaV1 | undefined,
  place: 'query' | 'header',
  where: string,
): JsonSchema[] {
  if (schema === undefined) return [];
  const { root, properties, required } = readProperties(components, schema, where);
  if (properties.size > 0)
    return [...properties].map(([name, property]) =>
      makeParameter(name, place, property, required.has(name)),
    );
  return place === 'query' && isOpen(followRef(components.document, root) ?? {})
    ? [{ name: 'query', in: 'query', style: 'form', explode: true, schema: root }]
    : [];
}

/** Whether an object may have properties that it does not name. */
function isOpen({ type, additionalProperties = false, patternProperties }: JsonSchema): boolean {
  return type !== 'object' || additionalProperties !== false || patternProperties !== undefined;
}

function readProperties(components: Components, schema: StandardSchemaV1, where: string) {
  const root = components.add(schema, 'input', where);
  return { root, ...listProperties(components.document, root) };
}

/** What is said of the value as a whole stands beside its schema. */
function makeParameter(name: string, place: string, schema: unknown, isRequired: boolean): JsonSchema {
  const { description, deprecated, ...rest } = isJsonObject(schema) ? schema : {};
  return {
    name,
    in: place,
    ...(description === undefined ? {} : { description }),
    ...(isRequired ? { required: true } : {}),
    ...(deprecated === undefined ? {} : { deprecated }),
    schema: isJsonObject(schema) ? rest : (schema ?? {}),
  };
}

function describeConverter(converter: ConverterOption | undefined): JsonSchema {
  if (typeof converter === 'string') return { ...CONVERTED[converter] };
  return Array.isArray(converter) ? { type: 'string', enum: [...converter] } : { type: 'string' };
}
