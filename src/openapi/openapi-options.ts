import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import { isJsonObject, type JsonSchema, type SchemaSide } from '../request/json-schema.js';
import type { StandardSchemaV1 } from '../request/standard-schema.js';
import type { OpenApiInfo, OpenApiServer, OpenApiTag, SecurityRequirement } from './document.js';

/** Options of {@link openapi}. */
export interface OpenApiOptions {
  /** Title and version of the API, and more. */
  info: OpenApiInfo;
  /** Where the API is. @defaultValue where the document is */
  servers?: readonly OpenApiServer[];
  /** Descriptions of the tags that routes have, in the order in which they are to be shown. */
  tags?: readonly OpenApiTag[];
  /** What every route needs that does not say otherwise. */
  security?: readonly SecurityRequirement[];
  /** `securitySchemes` and whatever else routes refer to. */
  components?: Readonly<Record<string, JsonSchema>>;
  externalDocs?: JsonSchema;
  /**
   * Gives the JSON Schema (2020-12) of a schema that does not tell its own, or another one than it tells; undefined leaves
   * it to the schema.
   */
  toJsonSchema?: (schema: StandardSchemaV1, side: SchemaSide) => JsonSchema | undefined;
  /**
   * What error responses of Vela are, where `errorPage()` makes others of them; false leaves them out.
   * @defaultValue `{ status, message, details? }` as `application/json`, and `text/plain`
   */
  errors?: { contentType: string; schema: JsonSchema } | false;
}

/** The same, checked. */
export interface OpenApiTerms {
  readonly head: Pick<OpenApiOptions, 'info' | 'servers'>;
  readonly tail: Pick<OpenApiOptions, 'security' | 'tags' | 'externalDocs'>;
  readonly security: readonly SecurityRequirement[];
  readonly components: Readonly<Record<string, JsonSchema>>;
  readonly toJsonSchema: NonNullable<OpenApiOptions['toJsonSchema']>;
  readonly errors: OpenApiOptions['errors'];
}

const KNOWN = [
  'info',
  'servers',
  'tags',
  'security',
  'components',
  'externalDocs',
  'toJsonSchema',
  'errors',
] as const;

/** @throws {TypeError} */
export function resolveOpenApiOptions(owner: string, options: OpenApiOptions): OpenApiTerms {
  const {
    info,
    servers,
    tags,
    security,
    components = {},
    externalDocs,
    toJsonSchema,
    errors,
    ...unknown
  } = requireOptions(owner, options);
  refuseUnknown(owner, unknown, KNOWN);
  const isNamed = isJsonObject(info) && [info.title, info.version].every((text) => typeof text === 'string');
  if (!isNamed)
    throw new TypeError(
      `Option "info" of ${owner} must have title and version, { title: 'Shop', version: '1.0.0' }; received ${describeValue(info)}`,
    );
  for (const [option, list] of Object.entries({ servers, tags, security }))
    if (list !== undefined && !(Array.isArray(list) && list.every(isJsonObject)))
      throw new TypeError(
        `Option "${option}" of ${owner} must be an array of objects; received ${describeValue(list)}`,
      );
  if (!isJsonObject(components) || !Object.values(components).every(isJsonObject))
    throw new TypeError(
      `Option "components" of ${owner} must be an object of objects, { securitySchemes: { ... } }; received ${describeValue(components)}`,
    );
  if (externalDocs !== undefined && !isJsonObject(externalDocs))
    throw new TypeError(
      `Option "externalDocs" of ${owner} must be an object, { url: ... }; received ${describeValue(externalDocs)}`,
    );
  if (toJsonSchema !== undefined && typeof toJsonSchema !== 'function')
    throw new TypeError(
      `Option "toJsonSchema" of ${owner} must be a function (schema, side) => JSON Schema; received ${describeValue(toJsonSchema)}`,
    );
  if (errors !== undefined && errors !== false) checkErrors(owner, errors);
  return {
    head: { info, ...(servers === undefined ? {} : { servers }) },
    tail: {
      ...(security === undefined ? {} : { security }),
      ...(tags === undefined ? {} : { tags }),
      ...(externalDocs === undefined ? {} : { externalDocs }),
    },
    security: security ?? [],
    components,
    toJsonSchema: toJsonSchema ?? (() => undefined),
    errors,
  };
}

function checkErrors(owner: string, errors: unknown): void {
  if (isJsonObject(errors)) {
    const { contentType, schema, ...unknown } = errors;
    refuseUnknown('errors', unknown, ['contentType', 'schema']);
    if (typeof contentType === 'string' && isJsonObject(schema)) return;
  }
  throw new TypeError(
    `Option "errors" of ${owner} must be { contentType, schema } or false; received ${describeValue(errors)}`,
  );
}
