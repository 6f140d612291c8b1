import { describeValue, refuseUnknown } from '../core/errors.js';
import { isJsonObject, type JsonSchema } from '../request/json-schema.js';

/**
 * What an OpenAPI document says of a route beside what the route itself tells: an Operation Object (OpenAPI 3.1 §4.8.10),
 * laid over the one that is made. `responses` are laid over by status, `parameters` by name and place.
 */
export interface OperationOptions {
  summary?: string;
  /** In CommonMark. */
  description?: string;
  tags?: readonly string[];
  deprecated?: boolean;
  /** @defaultValue the route's name */
  operationId?: string;
  /** Names of security schemes with their scopes, `[{ bearer: [] }]`; `[]` for a route that needs none. */
  security?: readonly Readonly<Record<string, readonly string[]>>[];
  externalDocs?: JsonSchema;
  parameters?: readonly JsonSchema[];
  requestBody?: JsonSchema;
  responses?: { readonly [status: number]: JsonSchema; readonly default?: JsonSchema };
  callbacks?: JsonSchema;
  servers?: readonly JsonSchema[];
  [extension: `x-${string}`]: unknown;
}

const KNOWN: Readonly<Record<Exclude<keyof OperationOptions, `x-${string}`>, string>> = {
  summary: 'string',
  description: 'string',
  tags: 'list',
  deprecated: 'boolean',
  operationId: 'string',
  security: 'list',
  externalDocs: 'object',
  parameters: 'list',
  requestBody: 'object',
  responses: 'object',
  callbacks: 'object',
  servers: 'list',
};

/** @throws {TypeError} for what is neither false nor the parts of an operation */
export function checkOperation(options: unknown): void {
  if (options === false) return;
  if (!isJsonObject(options))
    throw new TypeError(
      `Option "openapi" of a route must be an object such as { summary: 'Lists users' }, or false to leave the route out; received ${describeValue(options)}`,
    );
  for (const [name, value] of Object.entries(options)) {
    if (name.startsWith('x-')) continue;
    if (!Object.hasOwn(KNOWN, name)) refuseUnknown('openapi', { [name]: value }, Object.keys(KNOWN));
    const kind = KNOWN[name as keyof typeof KNOWN];
    if (!isOfKind(value, kind))
      throw new TypeError(
        `Option "openapi.${name}" of a route must be a ${kind}; received ${describeValue(value)}`,
      );
  }
}

function isOfKind(value: unknown, kind: string): boolean {
  if (kind === 'list') return Array.isArray(value);
  return kind === 'object' ? isJsonObject(value) : typeof value === kind;
}
