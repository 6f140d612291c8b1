import { findReason } from '../core/status.js';
import { isJsonObject, type JsonSchema } from '../request/json-schema.js';
import type { RouteOperation } from '../router/describe-route.js';
import type { RouteContract } from '../router/route-contract.js';
import type { Components } from './components.js';
import { listContent } from './list-content.js';
import type { OpenApiTerms } from './openapi-options.js';
import type { TemplateParam } from './path-templates.js';

/** The error responses of Vela where a request asks for JSON; they are plain text where it does not say. */
const HTTP_ERROR: JsonSchema = {
  type: 'object',
  description: 'What is wrong, where the request accepts JSON',
  properties: {
    status: { type: 'integer' },
    message: { type: 'string' },
    details: {
      type: 'array',
      description: 'What is wrong, one by one',
      items: {
        type: 'object',
        properties: {
          path: { type: 'string', description: 'Where it is: a JSON pointer, /body/name' },
          message: { type: 'string' },
        },
        required: ['path', 'message'],
      },
    },
  },
  required: ['status', 'message'],
};

/** When Vela gives which status by itself. */
const TEXTS = {
  400: 'The request cannot be understood',
  401: 'Credentials are missing or wrong',
  404: 'There is nothing at this path',
  406: 'There is no answer of a media type that the client takes',
  413: 'The body is too large',
  415: 'The body has a media type that is not taken',
  422: 'The request does not fit what is expected',
} as const;

/** The responses of an operation: those of its schemas, and the errors that Vela gives; the route's own are laid over them. */
export function makeResponses(
  contract: RouteContract,
  { accepts, produces }: Pick<RouteOperation, 'accepts' | 'produces'>,
  inPath: readonly TemplateParam[],
  components: Components,
  { errors, security }: OpenApiTerms,
  where: string,
): JsonSchema {
  const { responses, openapi } = contract;
  const given: JsonSchema = openapi === false ? {} : { ...openapi.responses };
  const made: JsonSchema = {};
  for (const [status, schema] of responses ?? []) {
    const description = findReason(status);
    made[status] =
      schema === null
        ? { description }
        : {
            description,
            content: listContent(produces?.filter(isJson) ?? ['application/json'], {
              schema: components.add(schema, 'output', `status ${status} of ${where}`),
            }),
          };
  }
  if (responses === undefined && !Object.keys(given).some((status) => /^[23]|default/.test(status)))
    made[200] = {
      description: findReason(200),
      ...(produces === undefined ? {} : { content: listContent(produces, {}) }),
    };
  for (const status of errors === false
    ? []
    : listErrors(contract, { accepts, produces }, inPath, security)) {
    if (made[status] !== undefined) continue;
    const content = errors
      ? { [errors.contentType]: { schema: errors.schema } }
      : {
          'application/json': { schema: components.addNamed('HttpError', HTTP_ERROR) },
          'text/plain': { schema: { type: 'string' } },
        };
    made[status] = { description: TEXTS[status], content };
  }
  for (const [status, response] of Object.entries(given)) {
    const under = made[status];
    made[status] = {
      description: findReason(Number(status)),
      ...(isJsonObject(under) ? under : {}),
      ...(isJsonObject(response) ? response : {}),
    };
  }
  return made;
}

function isJson(type: string): boolean {
  return /[/+]json(?:;|$)/i.test(type);
}

function listErrors(
  { params, query, headers, body, converters, openapi }: RouteContract,
  { accepts, produces }: Pick<RouteOperation, 'accepts' | 'produces'>,
  inPath: readonly TemplateParam[],
  security: OpenApiTerms['security'],
): (keyof typeof TEXTS)[] {
  const needed = (openapi === false ? undefined : openapi.security) ?? security;
  const hasBody = body !== undefined;
  const isValidated = hasBody || params !== undefined || query !== undefined || headers !== undefined;
  const reasons: [keyof typeof TEXTS, boolean][] = [
    [400, hasBody || query !== undefined],
    [401, needed.length > 0],
    [404, inPath.some(({ source }) => Object.hasOwn(converters, source))],
    [413, hasBody],
    [406, produces !== undefined],
    [415, hasBody || accepts !== undefined],
    [422, isValidated],
  ];
  return reasons.filter(([, isGiven]) => isGiven).map(([status]) => status);
}
