import type { JsonSchema } from '../request/json-schema.js';
import type { RouteOperation } from '../router/describe-route.js';
import type { RouteContract } from '../router/route-contract.js';
import type { Components } from './components.js';
import { listContent } from './list-content.js';
import type { OpenApiTerms } from './openapi-options.js';
import { listParameters } from './parameters.js';
import type { PathTemplate } from './path-templates.js';
import { makeResponses } from './responses.js';

const MEDIA_TYPES = {
  json: ['application/json'],
  form: ['application/x-www-form-urlencoded', 'multipart/form-data'],
} as const;

/** An Operation Object (OpenAPI 3.1 §4.8.10), with what the route says for the document laid over it. */
export function makeOperation(
  { contract, path, name, accepts, produces }: RouteOperation,
  method: string,
  { params }: PathTemplate,
  components: Components,
  terms: OpenApiTerms,
  takeId: (id: string) => string,
): JsonSchema {
  const where = `${method} ${path}`;
  const { parameters, requestBody, responses: _responses, operationId, ...given } = contract.openapi || {};
  const id = operationId ?? name;
  const allParameters = layOver(listParameters(contract, params, components, where), parameters ?? []);
  const body = { ...makeBody(contract, accepts, components, where), ...requestBody };
  return {
    ...(id === undefined ? {} : { operationId: takeId(id) }),
    ...given,
    ...(allParameters.length === 0 ? {} : { parameters: allParameters }),
    ...(Object.keys(body).length === 0 ? {} : { requestBody: body }),
    responses: makeResponses(contract, { accepts, produces }, params, components, terms, where),
  };
}

function makeBody(
  { body, bodyTypes }: RouteContract,
  accepts: readonly string[] | undefined,
  components: Components,
  where: string,
): JsonSchema {
  if (body === undefined) return accepts === undefined ? {} : { content: listContent(accepts, {}) };
  const schema = components.add(body, 'input', `the body of ${where}`);
  const types: readonly string[] = bodyTypes.flatMap((type) => MEDIA_TYPES[type]);
  const both = accepts === undefined ? types : types.filter((type) => accepts.includes(type));
  return { required: true, content: listContent(both.length === 0 ? types : both, { schema }) };
}

/** Parameters of the same name and place are one; the others are added. */
function layOver(made: readonly JsonSchema[], given: readonly JsonSchema[]): JsonSchema[] {
  const all = new Map(made.map((one) => [`${one.in} ${one.name}`, one]));
  for (const one of given) {
    const key = `${one.in} ${one.name}`;
    all.set(key, { ...all.get(key), ...one });
  }
  return [...all.values()];
}
