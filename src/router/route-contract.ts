import { describeValue, requireOptions } from '../core/errors.js';
import { checkLimit } from '../request/check-limit.js';
import { findJsonSchema, followRef } from '../request/json-schema.js';
import { checkSchema, isSchema } from '../request/run-schema.js';
import type { StandardSchemaV1 } from '../request/standard-schema.js';
import type { ParamOptions } from './converters.js';
import { checkOperation, type OperationOptions } from './operation-options.js';
import type { BodyType, SchemaOptions } from './schema-options.js';

/** What a route says of its requests and responses, checked and filled in. */
export interface RouteContract {
  /** The converters of its parameters, as they were given. */
  readonly converters: ParamOptions;
  readonly params: StandardSchemaV1 | undefined;
  readonly query: StandardSchemaV1 | undefined;
  readonly headers: StandardSchemaV1 | undefined;
  readonly body: StandardSchemaV1 | undefined;
  readonly bodyTypes: readonly BodyType[];
  readonly limitBytes: number | undefined;
  /** By status; null stands for no content. */
  readonly responses: ReadonlyMap<number, StandardSchemaV1 | null> | undefined;
  /** The status of a bare value; undefined when no schema is for one. */
  readonly bareStatus: number | undefined;
  readonly sendsMismatch: boolean;
  readonly openapi: OperationOptions | false;
}

/** The options of a route that are read here. */
export const CONTRACT_OPTIONS = [
  'body',
  'query',
  'headers',
  'response',
  'bodyTypes',
  'limitBytes',
  'responseMismatch',
  'openapi',
] as const;

/** In requests with these a body has no meaning (RFC 9110 §9.3). */
const BODILESS: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];
const BODY_TYPES: readonly string[] = ['json', 'form'] satisfies BodyType[];

/**
 * Takes what is a contract out of a route's options.
 * @returns the contract, and the other options
 * @throws {TypeError} for what is no schema, and for options that do not go together
 */
export function resolveContract(
  methods: readonly string[] | undefined,
  options: SchemaOptions & { params?: ParamOptions | StandardSchemaV1 },
): { contract: RouteContract; rest: { params?: ParamOptions } } {
  if (typeof options === 'function' || Array.isArray(options))
    throw new TypeError(
      `A route has its middleware among its options, { middleware: [check] }; received ${describeValue(options)}`,
    );
  const {
    params,
    body,
    query,
    headers,
    response,
    bodyTypes,
    limitBytes,
    responseMismatch,
    openapi,
    ...rest
  } = requireOptions('a route', options);
  for (const [option, schema] of Object.entries({ body, query, headers }))
    if (schema !== undefined) checkSchema(schema, option);
  checkMismatch(responseMismatch);
  for (const [option, value, needed, owner] of [
    ['bodyTypes', bodyTypes, 'body', body],
    ['limitBytes', limitBytes, 'body', body],
    ['responseMismatch', responseMismatch, 'response', response],
  ])
    if (value !== undefined && owner === undefined)
      throw new TypeError(`Option "${option}" of a route needs "${needed}", a schema`);
  if (openapi !== undefined) checkOperation(openapi);
  const responses = response === undefined ? undefined : resolveResponses(response);
  const converters = params === undefined || isSchema(params) ? {} : params;
  const contract: RouteContract = {
    converters,
    params: isSchema(params) ? params : undefined,
    query,
    headers,
    body,
    ...resolveBody(methods, body, bodyTypes, limitBytes),
    responses,
    bareStatus: responses && [...responses.keys()].filter((status) => status < 300).sort()[0],
    sendsMismatch: responseMismatch === 'log',
    openapi: openapi ?? {},
  };
  return { contract, rest: { ...rest, params: converters } };
}

function resolveBody(
  methods: readonly string[] | undefined,
  body: StandardSchemaV1 | undefined,
  bodyTypes: readonly BodyType[] = ['json'],
  limitBytes: number | undefined,
): Pick<RouteContract, 'bodyTypes' | 'limitBytes'> {
  const bodiless = methods?.find((method) => BODILESS.includes(method));
  if (body !== undefined && bodiless !== undefined)
    throw new TypeError(
      `A route for ${bodiless} has no schema for a body: its requests have none. Take "query"`,
    );
  const isKnown =
    Array.isArray(bodyTypes) && bodyTypes.length > 0 && bodyTypes.every((one) => BODY_TYPES.includes(one));
  if (!isKnown)
    throw new TypeError(
      `Option "bodyTypes" must be a list of 'json' and 'form'; received ${describeValue(bodyTypes)}`,
    );
  if (limitBytes !== undefined) checkLimit('limitBytes', limitBytes, 0);
  if (body !== undefined && bodyTypes.includes('form') && isNoObject(body))
    throw new TypeError(`With bodyTypes: ['form'] the schema of the body must be one of an object`);
  return { bodyTypes: [...new Set(bodyTypes)], limitBytes };
}

/** True for a schema that says of itself that it is for something else than an object. */
function isNoObject(schema: StandardSchemaV1): boolean {
  const document = tryJsonSchema(schema);
  const type = document && followRef(document, document)?.type;
  return type !== undefined && type !== 'object';
}

/** What a schema takes, in JSON Schema; undefined when it cannot say, for whatever reason. */
export function tryJsonSchema(schema: StandardSchemaV1) {
  try {
    return findJsonSchema(schema, 'input');
  } catch {
    // Not every schema has such a form. Whoever needs it, as OpenAPI does, reports it.
    return undefined;
  }
}

function resolveResponses(response: unknown): ReadonlyMap<number, StandardSchemaV1 | null> {
  if (isSchema(response)) return new Map([[200, response]]);
  const entries = typeof response === 'object' && response !== null ? Object.entries(response) : [];
  if (entries.length === 0)
    throw new TypeError(
      `Option "response" must be a Standard Schema, or an object of them by status, { 201: User, 204: null }; received ${describeValue(response)}`,
    );
  return new Map(
    entries.map(([key, schema]: [string, unknown]) => {
      if (!/^[2-5]\d\d$/.test(key))
        throw new TypeError(
          `Option "response" has statuses from 200 to 599 as keys; received ${describeValue(key)}`,
        );
      if (schema !== null) checkSchema(schema, `response.${key}`);
      return [Number(key), schema as StandardSchemaV1 | null];
    }),
  );
}

function checkMismatch(mode: unknown): void {
  if (mode === undefined || mode === 'refuse' || mode === 'log') return;
  throw new TypeError(`Option "responseMismatch" must be 'refuse' or 'log'; received ${describeValue(mode)}`);
}

/** Whether `request.valid` has something. */
export function hasRequestSchemas({ params, query, headers, body }: RouteContract): boolean {
  return (params ?? query ?? headers ?? body) !== undefined;
}

/** Of what is mounted: it describes itself, if anything does. */
export const UNDESCRIBED: RouteContract = resolveContract(undefined, { openapi: false }).contract;
