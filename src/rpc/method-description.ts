import type { StandardSchemaV1 } from '../request/standard-schema.js';
import type { JsonRpcParams } from './method-types.js';

/** What a method says of itself. */
export interface JsonRpcMethodDescription {
  /** The whole name, with its prefixes. */
  readonly name: string;
  /** As it is called: `add(a: number, b: number)`. */
  readonly signature: string;
  readonly params: JsonRpcParams;
  readonly result: StandardSchemaV1 | undefined;
  readonly summary: string | undefined;
  readonly description: string | undefined;
  readonly deprecated: boolean;
  readonly tags: readonly string[];
}

/** What can be called. */
export interface MethodList {
  readonly descriptions: readonly JsonRpcMethodDescription[];
}
