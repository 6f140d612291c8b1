import { VelaError } from '../core/errors.js';
import {
  decodeKey,
  findJsonSchema,
  isJsonObject,
  type JsonSchema,
  type SchemaSide,
} from '../request/json-schema.js';
import type { StandardSchemaV1 } from '../request/standard-schema.js';
import { mapSchema } from './map-schema.js';
import type { OpenApiTerms } from './openapi-options.js';

const PREFIX = '#/components/schemas/';
/** A reference to a named schema within a document, and what may follow it. */
const LOCAL = /^#\/(?:\$defs|definitions)\/([^/]+)(\/.*)?$/;
const NAME = /^[\w.-]+$/;

/**
 * The JSON Schemas of a document. A schema with an id or a title that is one word becomes a component, once: what goes in
 * and what comes out share it when they differ only in that other keys are refused, and have two names when they differ.
 */
export class Components {
  readonly #toJsonSchema: OpenApiTerms['toJsonSchema'];
  readonly #schemas = new Map<string, JsonSchema>();
  /** Names by what a schema says. */
  readonly #names = new Map<string, string>();

  constructor({ toJsonSchema, components }: Pick<OpenApiTerms, 'toJsonSchema' | 'components'>) {
    this.#toJsonSchema = toJsonSchema;
    for (const [name, schema] of Object.entries(components.schemas ?? {}))
      if (isJsonObject(schema)) this.#schemas.set(name, schema);
  }

  /**
   * A schema as the document has it: in place, or a reference to a component.
   * @param place - for the error: `the body of POST /users`
   * @throws {VelaError} `ERR_OPENAPI_SCHEMA` for a schema that cannot be told in JSON Schema
   */
  add(schema: StandardSchemaV1, side: SchemaSide, place: string): JsonSchema {
    const { $schema: _dialect, $defs, definitions, ...root } = this.#convert(schema, side, place);
    const defs: JsonSchema = { ...asObject(definitions), ...asObject($defs) };
    const isRecursive = refersToRoot(root) || Object.values(defs).some(refersToRoot);
    const title = [root.$id, root.id, root.title].find((one) => typeof one === 'string' && NAME.test(one));
    const rootName =
      isRecursive || title !== undefined ? this.#reserve(String(title ?? 'Schema'), root, defs, side) : '';
    const names = new Map(
      Object.entries(defs).map(([name, def]) => [name, this.#reserve(name, def, defs, side)]),
    );
    const rename = (ref: string) => renameRef(ref, names, rootName);
    for (const [name, def] of Object.entries(defs)) this.#store(names.get(name) as string, def, side, rename);
    if (rootName === '') return rewrite(root, rename);
    this.#store(rootName, root, side, rename);
    return { $ref: PREFIX + rootName };
  }

  /** Adds a component under a name of our own. @returns a reference to it */
  addNamed(name: string, schema: JsonSchema): JsonSchema {
    const free = this.#reserve(name, schema, {}, 'input');
    this.#schemas.set(free, schema);
    return { $ref: PREFIX + free };
  }

  /** The components as a document has them, for following references. */
  get document(): JsonSchema {
    return { components: { schemas: Object.fromEntries(this.#schemas) } };
  }

  /** Those that are referred to, from what is given and from one another. */
  listUsed(from: unknown): Record<string, JsonSchema> {
    const used = new Map<string, JsonSchema>();
    const visit = (value: unknown) => {
      for (const [, found] of JSON.stringify(value).matchAll(/"#\/components\/schemas\/([^"/]+)/g)) {
        const name = String(found);
        const schema = this.#schemas.get(name);
        if (schema === undefined || used.has(name)) continue;
        used.set(name, schema);
        visit(schema);
      }
    };
    visit(from);
    return Object.fromEntries(used);
  }

  #convert(schema: StandardSchemaV1, side: SchemaSide, place: string): JsonSchema {
    let made: unknown;
    let cause: unknown;
    try {
      made = this.#toJsonSchema(schema, side) ?? findJsonSchema(schema, side);
    } catch (error) {
      cause = error;
    }
    if (isJsonObject(made)) return side === 'output' ? (mapSchema(made, open) as JsonSchema) : made;
    const why =
      cause instanceof Error
        ? cause.message
        : `${schema['~standard'].vendor} does not tell it in JSON Schema`;
    throw new VelaError(
      'ERR_OPENAPI_SCHEMA',
      `The schema for ${place} cannot be put into an OpenAPI document: ${why}. Give toJsonSchema: (schema, side) => its JSON Schema, {} for anything`,
      { cause },
    );
  }

  /** The name of a schema: a known one's, or a free one. */
  #reserve(wanted: string, schema: unknown, defs: JsonSchema, side: SchemaSide): string {
    const plain = wanted
      .replace(/^_+./, (start) => (start.at(-1) as string).toUpperCase())
      .replace(/[^\w.-]/g, '_');
    const key = `${plain} ${describeWhole(schema, defs)}`;
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const other = `${plain}${side === 'input' ? 'Input' : 'Output'}`;
    let name = [plain, other].find((one) => !this.#schemas.has(one));
    for (let n = 2; name === undefined; n++) if (!this.#schemas.has(`${other}${n}`)) name = `${other}${n}`;
    this.#names.set(key, name);
    this.#schemas.set(name, {});
    return name;
  }

  /** What goes in says more: an output has lost what it says of other keys. */
  #store(name: string, schema: unknown, side: SchemaSide, rename: (ref: string) => string): void {
    const known = this.#schemas.get(name);
    if (side === 'output' && known !== undefined && Object.keys(known).length > 0) return;
    const { $id: _id, id, ...rest } = asObject(schema);
    // JSON Schema has no "id" any more; a text is the name that some libraries leave there.
    this.#schemas.set(
      name,
      rewrite(typeof id === 'string' || id === undefined ? rest : { id, ...rest }, rename),
    );
  }
}

function rewrite(schema: JsonSchema, rename: (ref: string) => string): JsonSchema {
  return mapSchema(schema, (one) =>
    typeof one.$ref === 'string' ? { ...one, $ref: rename(one.$ref) } : one,
  ) as JsonSchema;
}

function renameRef(ref: string, names: ReadonlyMap<string, string>, rootName: string): string {
  const [, found, rest = ''] = LOCAL.exec(ref) ?? [];
  const name = found && names.get(decodeKey(found));
  if (name !== undefined && name !== '') return `${PREFIX}${name}${rest}`;
  return isRootRef(ref) ? PREFIX + rootName + ref.slice(1) : ref;
}

/** To the root, or into it: not to a definition. */
function isRootRef(ref: unknown): boolean {
  return (
    typeof ref === 'string' &&
    (ref === '#' || ref.startsWith('#/')) &&
    !LOCAL.test(ref) &&
    !ref.startsWith(PREFIX)
  );
}

function refersToRoot(schema: unknown): boolean {
  let refers = false;
  mapSchema(schema, (one) => {
    refers ||= isRootRef(one.$ref);
    return one;
  });
  return refers;
}

/** What a schema says with all that it refers to, the same text for the same meaning. */
function describeWhole(schema: unknown, defs: JsonSchema): string {
  const seen = new Map<string, unknown>();
  const visit = (one: unknown): unknown =>
    mapSchema(one, (inner) => {
      const name = typeof inner.$ref === 'string' ? LOCAL.exec(inner.$ref)?.[1] : undefined;
      if (name !== undefined && !seen.has(name)) {
        seen.set(name, undefined);
        seen.set(name, visit(defs[name]));
      }
      return open(inner);
    });
  const whole = visit(schema);
  return JSON.stringify([whole, [...seen].sort(([a], [b]) => (a < b ? -1 : 1))], (_key, value: unknown) =>
    isJsonObject(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

/** Without the refusal of other keys: what comes out may have more one day. */
function open({ additionalProperties, ...rest }: JsonSchema): JsonSchema {
  return additionalProperties === undefined || additionalProperties === false
    ? rest
    : { ...rest, additionalProperties };
}

function asObject(value: unknown): JsonSchema {
  return isJsonObject(value) ? value : {};
}
