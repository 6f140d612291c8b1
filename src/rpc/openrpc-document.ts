import { describeValue, isPlainObject, refuseUnknown, requireOptions } from '../core/errors.js';
import type { JsonSchema, SchemaSide } from '../request/json-schema.js';
import type { StandardSchemaV1 } from '../request/standard-schema.js';

/** Title and version of an API, and more of an Info Object of OpenRPC. */
export interface OpenRpcInfo {
  readonly title: string;
  readonly version: string;
  readonly description?: string;
  readonly [more: string]: unknown;
}

/** Options of {@link openrpc}. */
export interface OpenRpcOptions {
  /**
   * Gives the JSON Schema (2020-12) of a schema that does not tell its own, or another one than it tells; undefined leaves it to
   * the schema.
   */
  toJsonSchema?: (schema: StandardSchemaV1, side: SchemaSide) => JsonSchema | undefined;
}

/** A parameter or a result. */
export interface OpenRpcContent {
  readonly name: string;
  readonly schema: JsonSchema;
  readonly required: boolean;
  readonly [extension: `x-${string}`]: unknown;
}

export interface OpenRpcMethod {
  readonly name: string;
  readonly summary?: string;
  readonly description?: string;
  readonly deprecated?: boolean;
  readonly tags?: readonly { readonly name: string }[];
  readonly paramStructure: 'either' | 'by-name' | 'by-position';
  readonly params: readonly OpenRpcContent[];
  readonly result: OpenRpcContent;
}

/**
 * What can be called, for people and generators.
 * @see {@link https://spec.open-rpc.org | OpenRPC}
 */
export interface OpenRpcDocument {
  readonly openrpc: '1.3.2';
  readonly info: OpenRpcInfo;
  readonly methods: readonly OpenRpcMethod[];
  readonly components?: { readonly schemas: Readonly<Record<string, JsonSchema>> };
}

/** @throws {TypeError} */
export function checkInfo(owner: string, info: unknown): void {
  const { title, version } = isPlainObject(info) ? (info as Partial<OpenRpcInfo>) : {};
  if (typeof title === 'string' && typeof version === 'string') return;
  throw new TypeError(
    `${owner} must be { title: 'Shop', version: '1.0.0' }; received ${describeValue(info)}`,
  );
}

/** @throws {TypeError} */
export function resolveToJsonSchema(owner: string, options: OpenRpcOptions): OpenRpcOptions['toJsonSchema'] {
  const { toJsonSchema, ...unknown } = requireOptions(owner, options);
  refuseUnknown(owner, unknown, ['toJsonSchema']);
  if (toJsonSchema !== undefined && typeof toJsonSchema !== 'function')
    throw new TypeError(
      `Option "toJsonSchema" of ${owner} must be a function (schema, side) => JSON Schema; received ${describeValue(toJsonSchema)}`,
    );
  return toJsonSchema;
}
