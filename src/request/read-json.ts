import type { Environ } from '../core/contract.js';
import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import { Unsupported } from '../core/http-error.js';
import { own } from '../core/own.js';
import { bodyStateOf, once } from './body-state.js';
import { checkLimit } from './check-limit.js';
import { refuseCoded } from './content-coding.js';
import { decodeText } from './decode-text.js';
import { findCharset, parseMediaType } from './media-type.js';
import { parseJson } from './parse-json.js';
import { DEFAULT_LIMIT_BYTES, loadBody } from './read-bytes.js';
import { checkSchema } from './run-schema.js';
import type { SchemaOutput, StandardSchemaV1 } from './standard-schema.js';
import { validate } from './validate.js';

/** Options of {@link readJson}. */
export interface JsonOptions<S extends StandardSchemaV1 | undefined = StandardSchemaV1 | undefined> {
  /** Largest body, in bytes; a larger one is 413. @defaultValue 1 MiB */
  limitBytes?: number;
  /** How deep arrays and objects may lie in each other; deeper is 400. At most 1,000. @defaultValue 64 */
  maxDepth?: number;
  /** Takes a body of any Content-Type; else it must be `application/json` or end in `+json`. @defaultValue false */
  anyContentType?: boolean;
  /** What the value must be, as a schema of zod, valibot, arktype or another library of standardschema.dev. */
  schema?: S;
}

/** The deepest `maxDepth`: the walk through the value uses the stack. */
const MAX_DEPTH = 1000;
const DEFAULT_DEPTH = 64;
const KNOWN = ['limitBytes', 'maxDepth', 'anyContentType', 'schema'] as const;

/** JSON options as they were checked. */
interface ResolvedJson {
  readonly limitBytes: number;
  readonly maxDepth: number;
  readonly anyContentType: boolean;
}

/**
 * The value of a JSON body (RFC 8259). Its objects have no prototype. All who ask get the same value, so do not change
 * it; with a schema each gets what the schema makes of it.
 * @throws {HttpError} 400 for what is no JSON, 413 above `limitBytes`, 415 for another Content-Type, another charset than
 * UTF-8 and a compressed body, 422 with `details` for what the schema does not let through
 */
export function readJson<S extends StandardSchemaV1>(
  environ: Environ,
  options: JsonOptions<S> & { schema: S },
): Promise<SchemaOutput<S>>;
export function readJson(environ: Environ, options?: JsonOptions): Promise<unknown>;
export function readJson(environ: Environ, options?: JsonOptions): Promise<unknown> {
  return own(read(environ, options));
}

async function read(environ: Environ, options: JsonOptions = {}): Promise<unknown> {
  const { schema, ...rest } = requireOptions('json', options);
  const { limitBytes, maxDepth, anyContentType } = resolveOptions(rest);
  if (schema !== undefined) checkSchema(schema);
  refuseCoded(environ);
  refuseForeign(environ, anyContentType);
  const bytes = await loadBody(environ, limitBytes);
  const value = await once(bodyStateOf(environ), `json ${maxDepth}`, async () =>
    parseJson(decodeText(bytes), maxDepth),
  );
  return schema === undefined ? value : await validate(schema, value);
}

function resolveOptions(options: Omit<JsonOptions, 'schema'>): ResolvedJson {
  const { limitBytes, maxDepth, anyContentType = false, ...unknown } = options;
  refuseUnknown('json', unknown, KNOWN);
  const depth = checkLimit('maxDepth', maxDepth, DEFAULT_DEPTH);
  if (depth > MAX_DEPTH)
    throw new TypeError(`Option "maxDepth" must be from 0 to ${MAX_DEPTH}; received ${depth}`);
  if (typeof anyContentType !== 'boolean') {
    throw new TypeError(
      `Option "anyContentType" must be true or false; received ${describeValue(anyContentType)}`,
    );
  }
  return {
    limitBytes: checkLimit('limitBytes', limitBytes, DEFAULT_LIMIT_BYTES),
    maxDepth: depth,
    anyContentType,
  };
}

/** True for `application/json` and what ends in `+json` (RFC 6839). */
export function isJsonType(type: string): boolean {
  return type === 'application/json' || type.endsWith('+json');
}

function refuseForeign(environ: Environ, anyContentType: boolean): void {
  const media = parseMediaType(environ.CONTENT_TYPE);
  if (!anyContentType && !isJsonType(media.type)) {
    throw new Unsupported('The body must be JSON, with the Content-Type application/json');
  }
  // RFC 8259 §8.1: JSON between systems is UTF-8. Of a body of another type the charset says nothing about JSON.
  const charset = isJsonType(media.type) ? findCharset(media) : undefined;
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8')
    throw new Unsupported('JSON must be in UTF-8');
}
