import { describeValue, isPlainObject } from '../core/errors.js';
import type { JsonSchema } from '../request/json-schema.js';

/** Title and version of an API, and more of an Info Object of OpenRPC. */
export interface OpenRpcInfo {
  readonly title: string;
  readonly version: string;
  readonly description?: string;
  readonly [more: string]: unknown;
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
