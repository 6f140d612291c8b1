import type { JsonSchema } from '../request/json-schema.js';

/** An OpenAPI 3.1 document. What may be of many forms in it is left open. */
export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: OpenApiInfo;
  readonly servers?: readonly OpenApiServer[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>;
  readonly components?: Readonly<Record<string, JsonSchema>>;
  readonly security?: readonly SecurityRequirement[];
  readonly tags?: readonly OpenApiTag[];
  readonly externalDocs?: JsonSchema;
}

/** What is described: an Info Object (OpenAPI 3.1 §4.8.2). */
export interface OpenApiInfo {
  readonly title: string;
  /** Of the API, not of OpenAPI. */
  readonly version: string;
  readonly summary?: string;
  /** In CommonMark. */
  readonly description?: string;
  readonly termsOfService?: string;
  readonly contact?: { readonly name?: string; readonly url?: string; readonly email?: string };
  readonly license?: { readonly name: string; readonly identifier?: string; readonly url?: string };
}

/** Where the API is: a Server Object (§4.8.5). */
export interface OpenApiServer {
  /** Relative ones are relative to the document. */
  readonly url: string;
  readonly description?: string;
  readonly variables?: JsonSchema;
}

/** A group of operations: a Tag Object (§4.8.22). */
export interface OpenApiTag {
  readonly name: string;
  readonly description?: string;
  readonly externalDocs?: JsonSchema;
}

/** Names of security schemes with their scopes, all of which are needed (§4.8.30). */
export type SecurityRequirement = Readonly<Record<string, readonly string[]>>;
