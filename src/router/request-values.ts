import type { Environ } from '../core/contract.js';
import { environKeys } from '../core/environ-keys.js';
import { BadRequest, Unsupported } from '../core/http-error.js';
import { followRef, isJsonObject, listProperties } from '../request/json-schema.js';
import { parseMediaType } from '../request/media-type.js';
import type { MultiDict } from '../request/multi-dict.js';
import { readForm } from '../request/read-form.js';
import { isJsonType, readJson } from '../request/read-json.js';
import type { StandardSchemaV1 } from '../request/standard-schema.js';
import { type RouteContract, tryJsonSchema } from './route-contract.js';

/**
 * A query or a form as an object for a schema, without a prototype. A name that comes once is a text, or a list of one where
 * the schema has nothing but a list for it; a name that comes again is a list.
 * @param lists - the names that are lists
 * @throws {BadRequest} for a name `__proto__`, for the reason for which JSON with it is refused
 */
export function toValues(
  pairs: MultiDict,
  lists: ReadonlySet<string>,
  what: string,
): Record<string, string | readonly string[]> {
  const values: Record<string, string | readonly string[]> = Object.create(null);
  for (const name of pairs.keys()) {
    if (name === '__proto__') throw new BadRequest(`${what} has a name "__proto__", which is not accepted`);
    const all = pairs.getAll(name);
    values[name] = all.length === 1 && !lists.has(name) ? (all[0] as string) : all;
  }
  return values;
}

/** What a schema has lists for, found at the first request: parts of a lazy schema may be declared after the route. */
export function onceAsked(schema: StandardSchemaV1): () => ReadonlySet<string> {
  let lists: ReadonlySet<string> | undefined;
  return () => {
    lists ??= findLists(schema);
    return lists;
  };
}

/** The properties that can be nothing but lists, as far as a schema says so in JSON Schema. */
function findLists(schema: StandardSchemaV1): ReadonlySet<string> {
  const document = tryJsonSchema(schema);
  if (document === undefined) return new Set();
  const isList = (one: unknown, depth = 0): boolean => {
    const found = followRef(document, one);
    if (found === undefined || depth > MAX_DEPTH) return false;
    const { type, anyOf, oneOf } = found;
    if (type !== undefined) return type === 'array';
    const either = [anyOf, oneOf].find(Array.isArray) as unknown[] | undefined;
    return either?.filter((each) => !isNull(each)).every((each) => isList(each, depth + 1)) ?? false;
  };
  const { properties } = listProperties(document);
  return new Set([...properties].filter(([, schema]) => isList(schema)).map(([name]) => name));
}

const MAX_DEPTH = 8;

function isNull(schema: unknown): boolean {
  return isJsonObject(schema) && schema.type === 'null';
}

/** The headers of a request by their names in lower case. */
export function listHeaders(environ: Environ): Record<string, string> {
  const headers: Record<string, string> = Object.create(null);
  for (const key of environKeys(environ)) {
    const isHeader = key.startsWith('HTTP_') || key === 'CONTENT_TYPE' || key === 'CONTENT_LENGTH';
    const value = isHeader ? environ[key as `HTTP_${string}`] : undefined;
    if (value === undefined || value === '') continue;
    headers[
      key
        .replace(/^HTTP_/, '')
        .toLowerCase()
        .replaceAll('_', '-')
    ] = value;
  }
  return headers;
}

/** How a route's bodies are read: gives a function from an environ to the value for the schema. */
export function bodyReader(
  schema: StandardSchemaV1,
  { bodyTypes, limitBytes }: RouteContract,
): (environ: Environ) => Promise<unknown> {
  const limits = limitBytes === undefined ? {} : { limitBytes };
  const json = (environ: Environ) => readJson(environ, limits);
  if (!bodyTypes.includes('form')) return json;
  const lists = onceAsked(schema);
  const form = async (environ: Environ) => toValues(await readForm(environ, limits), lists(), 'The form');
  if (!bodyTypes.includes('json')) return form;
  return async (environ) => {
    const { type } = parseMediaType(environ.CONTENT_TYPE);
    if (isJsonType(type)) return await json(environ);
    if (type === 'application/x-www-form-urlencoded' || type === 'multipart/form-data')
      return await form(environ);
    throw new Unsupported('The body must be JSON or a form');
  };
}
