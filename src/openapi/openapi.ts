import { describeValue } from '../core/errors.js';
import type { JsonSchema } from '../request/json-schema.js';
import type { RouteOperation } from '../router/describe-route.js';
import { Router } from '../router/router.js';
import { Components } from './components.js';
import type { OpenApiDocument } from './document.js';
import { type OpenApiOptions, type OpenApiTerms, resolveOpenApiOptions } from './openapi-options.js';
import { makeOperation } from './operation.js';
import { listTemplates, type PathTemplate } from './path-templates.js';

/** The methods that a Path Item has (OpenAPI 3.1 §4.8.9). */
const METHODS = ['GET', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH', 'TRACE'];
/** Of a route for all methods, which is there only if it says something for the document. */
const ALL_METHODS = ['GET', 'PUT', 'POST', 'DELETE', 'PATCH'];

/**
 * The OpenAPI 3.1 document of a router's routes, as they are when it is called: those of mounted routers too, and none with
 * `openapi: false`.
 * @throws {TypeError} for wrong options
 * @throws {VelaError} `ERR_OPENAPI_SCHEMA` for a schema that cannot be told in JSON Schema
 * @example const document = openapi(router, { info: { title: 'Shop', version: '1.0.0' } });
 */
export function openapi(router: Router, options: OpenApiOptions): OpenApiDocument {
  requireRouter('openapi', router);
  return makeDocument(router.operations(), resolveOpenApiOptions('openapi', options));
}

/** @throws {TypeError} */
export function requireRouter(owner: string, router: unknown): void {
  if (!(router instanceof Router))
    throw new TypeError(`${owner}() takes a Router first; received ${describeValue(router)}`);
}

/** The document of routes, in their order; of two for one path and method the first counts, as in the router. */
export function makeDocument(operations: readonly RouteOperation[], terms: OpenApiTerms): OpenApiDocument {
  const components = new Components(terms);
  const paths = new Map<string, Record<string, JsonSchema>>();
  const known = new Map<string, PathTemplate>();
  const takeId = createIds();
  for (const route of operations) {
    const { contract, methods, path } = route;
    if (contract.openapi === false) continue;
    const isSilent = methods === undefined && Object.keys(contract.openapi).length === 0;
    const named = isSilent ? [] : (methods ?? ALL_METHODS).filter((method) => METHODS.includes(method));
    if (named.length === 0) continue;
    for (const template of listTemplates(path, known)) {
      const item = paths.get(template.template) ?? {};
      for (const method of named) {
        const key = method.toLowerCase();
        if (item[key] !== undefined) continue;
        item[key] = makeOperation(route, method, template, components, terms, takeId);
      }
      paths.set(template.template, item);
    }
  }
  const inPaths = Object.fromEntries(paths);
  const schemas = { ...components.listUsed([inPaths, terms.components]), ...terms.components.schemas };
  const all: Record<string, JsonSchema> =
    Object.keys(schemas).length === 0 ? { ...terms.components } : { ...terms.components, schemas };
  return {
    openapi: '3.1.0',
    ...terms.head,
    ...terms.tail,
    paths: inPaths,
    ...(Object.keys(all).length === 0 ? {} : { components: all }),
  };
}

/** Gives each operation an id of its own: a second one of the same name has a number. */
function createIds(): (id: string) => string {
  const taken = new Set<string>();
  return (id) => {
    let free = id;
    for (let n = 2; taken.has(free); n++) free = `${id}${n}`;
    taken.add(free);
    return free;
  };
}
