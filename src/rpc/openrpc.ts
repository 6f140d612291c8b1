import { Components } from '../openapi/components.js';
import { findJsonSchema, followRef, isJsonObject, type JsonSchema } from '../request/json-schema.js';
import { isSchema } from '../request/run-schema.js';
import type { StandardSchemaV1 } from '../request/standard-schema.js';
import type { JsonRpcMethodDescription } from './method-description.js';
import type { PlacedMethod } from './method-table.js';
import {
  type OpenRpcContent,
  type OpenRpcDocument,
  type OpenRpcInfo,
  type OpenRpcMethod,
  type OpenRpcOptions,
  resolveToJsonSchema,
} from './openrpc-document.js';
import { type Parameter, resolveParameters } from './parameter.js';
import { listReader } from './read-params.js';

const DISCOVER = 'rpc.discover';

/**
 * The OpenRPC document of methods. A schema that does not tell what it is in JSON Schema stands for anything, unless
 * `toJsonSchema` tells it.
 * @throws {TypeError} for wrong options @throws {VelaError} `ERR_OPENAPI_SCHEMA` when `toJsonSchema` throws
 * @example const document = openrpc(rpc.listMethods(), { title: 'Shop', version: '1.0.0' })
 */
export function openrpc(
  methods: readonly JsonRpcMethodDescription[],
  info: OpenRpcInfo,
  options: OpenRpcOptions = {},
): OpenRpcDocument {
  const toJsonSchema = resolveToJsonSchema('openrpc', options);
  const components = new Components({
    toJsonSchema: (schema, side) => toJsonSchema?.(schema, side) ?? tellSchema(schema, side),
    components: {},
  });
  const described = methods
    .filter(({ name }) => name !== DISCOVER)
    .map((method) => describeMethod(method, components));
  const schemas = components.listUsed(described);
  return {
    openrpc: '1.3.2',
    info,
    methods: described,
    ...(Object.keys(schemas).length === 0 ? {} : { components: { schemas } }),
  };
}

/** `rpc.discover`, which answers with the document, made when it is first asked for. */
export function discoverMethod(
  info: OpenRpcInfo,
  timeoutMs: number,
  toJsonSchema: OpenRpcOptions['toJsonSchema'],
): PlacedMethod {
  let known: readonly [methods: readonly JsonRpcMethodDescription[], document: OpenRpcDocument] | undefined;
  const read = listReader(DISCOVER, []);
  return {
    name: DISCOVER,
    middleware: [],
    timeoutMs,
    declared: {
      timeoutMs,
      run: (call) => {
        void read(call.params);
        const methods = call.listMethods();
        if (known?.[0] !== methods)
          known = [methods, openrpc(methods, info, toJsonSchema && { toJsonSchema })];
        return known[1];
      },
      description: {
        ...{ name: DISCOVER, signature: `${DISCOVER}()`, params: [], result: undefined },
        ...{ summary: 'The OpenRPC document of this server', description: undefined },
        ...{ deprecated: false, tags: [] },
      },
    },
  };
}

function describeMethod(
  { name, params, result, summary, description, deprecated, tags }: JsonRpcMethodDescription,
  components: Components,
): OpenRpcMethod {
  return {
    name,
    ...(summary === undefined ? {} : { summary }),
    ...(description === undefined ? {} : { description }),
    ...(deprecated ? { deprecated } : {}),
    ...(tags.length === 0 ? {} : { tags: tags.map((tag) => ({ name: tag })) }),
    ...(isSchema(params)
      ? describeWhole(params, components)
      : {
          paramStructure: 'either',
          params: resolveParameters(name, params).map((one) => describeParameter(one, components)),
        }),
    result: {
      name: 'result',
      schema: result === undefined ? {} : components.add(result, 'output', name),
      required: true,
    },
  };
}

function describeParameter(parameter: Parameter, components: Components): OpenRpcContent {
  const { name, isRest, isOptional, kind, schema } = parameter;
  const one = schema === undefined ? { ...kind?.jsonSchema } : components.add(schema, 'input', name);
  return isRest
    ? { name, schema: { type: 'array', items: one }, required: false, 'x-rest': true }
    : { name, schema: one, required: schema === undefined ? !isOptional : !takesNothing(schema) };
}

/** One schema for all: of an object, each property is a parameter; of a list, each place. */
function describeWhole(
  schema: StandardSchemaV1,
  components: Components,
): Pick<OpenRpcMethod, 'paramStructure' | 'params'> {
  const made = components.add(schema, 'input', 'params');
  const whole = followRef(components.document, made) ?? {};
  const needed: readonly unknown[] = Array.isArray(whole.required) ? whole.required : [];
  if (whole.type === 'object' && isJsonObject(whole.properties))
    return {
      paramStructure: 'by-name',
      params: Object.entries(whole.properties).map(([name, property]) => ({
        name,
        schema: isJsonObject(property) ? property : {},
        required: needed.includes(name),
      })),
    };
  const places = Array.isArray(whole.prefixItems) ? whole.prefixItems : undefined;
  return {
    paramStructure: whole.type === 'array' ? 'by-position' : 'either',
    params:
      places === undefined
        ? [{ name: 'params', schema: made, required: true, 'x-rest': true }]
        : places.map((place: JsonSchema, index) => ({
            name: `value${index + 1}`,
            schema: place,
            required: true,
          })),
  };
}

/** Whether a parameter may be left out. A schema that answers later, or fails, is taken to need it. */
function takesNothing(schema: StandardSchemaV1): boolean {
  try {
    const outcome = schema['~standard'].validate(undefined);
    return !(outcome instanceof Promise) && outcome.issues === undefined;
  } catch {
    return false;
  }
}

/** Not every schema has such a form: one that has none is anything here, as it is no part of what is checked. */
function tellSchema(schema: StandardSchemaV1, side: 'input' | 'output'): JsonSchema {
  try {
    return findJsonSchema(schema, side) ?? {};
  } catch {
    return {};
  }
}
