import { join } from 'node:path';
import type { MiddlewareFunction } from '../core/contract.js';
import { describeValue, requireOptions } from '../core/errors.js';
import { HttpError } from '../core/http-error.js';
import { WsgiResponse } from '../core/wsgi-response.js';
import { evaluatePreconditions, readPreconditions } from '../response/preconditions.js';
import { Router } from '../router/router.js';
import { fileResponse } from '../static/file-response.js';
import { DOCS_ASSETS, docsPage, docsPolicy, START_SCRIPT } from './docs-page.js';
import { requireRouter } from './openapi.js';
import { type OpenApiOptions, resolveOpenApiOptions } from './openapi-options.js';
import { ServedDocument } from './served-document.js';
import { findSwaggerUi } from './swagger-ui.js';

/** Options of {@link openapiRoutes}. */
export interface OpenApiRoutesOptions extends OpenApiOptions {
  /** Where the document is. @defaultValue `/openapi.json` */
  path?: string;
  /** Where people read it, in Swagger UI; false for no page. @defaultValue `/docs` */
  docs?: string | false;
}

/** Not for the document itself. */
const HIDDEN = { openapi: false } as const;
const CACHE: [string, string] = ['Cache-Control', 'no-cache'];

/**
 * Routes that serve the OpenAPI document of a router, `/openapi.json`, and a page that shows it, `/docs`: a router of their
 * own, for the same WsgiHandler or to be mounted. A document that cannot be made stops the server from starting. The page needs
 * the package swagger-ui-dist, and loads nothing from elsewhere.
 * @throws {TypeError} for wrong options
 * @throws {VelaError} `ERR_OPENAPI_UI_MISSING`
 * @example new WsgiHandler([openapiRoutes(router, { info: { title: 'Shop', version: '1.0.0' } }), router]);
 */
export function openapiRoutes(router: Router, options: OpenApiRoutesOptions): Router {
  requireRouter('openapiRoutes', router);
  const { path = '/openapi.json', docs = '/docs', ...rest } = requireOptions('openapiRoutes', options);
  requirePath('path', path);
  const terms = resolveOpenApiOptions('openapiRoutes', rest);
  const served = new ServedDocument(router, terms);
  const makeAtStart: MiddlewareFunction = () => undefined;
  makeAtStart.start = () => void served.document;
  const routes = new Router().get(path, { ...HIDDEN, middleware: [makeAtStart] }, ({ environ }) => {
    const { text, etag } = served.read(environ.SCRIPT_NAME);
    const headers: [string, string][] = [['ETag', etag], CACHE];
    const status = evaluatePreconditions(readPreconditions(environ), { etag });
    if (status === 412) throw new HttpError(412);
    return status === undefined
      ? new WsgiResponse({ content: text, contentType: 'application/json', headers })
      : new WsgiResponse({ status, headers });
  });
  if (docs !== false) addDocs(routes, requirePath('docs', docs), path, terms.head);
  return routes;
}

function addDocs(
  routes: Router,
  docs: string,
  path: string,
  { info, servers }: Pick<OpenApiOptions, 'info' | 'servers'>,
): void {
  const folder = findSwaggerUi();
  const segments = docs.split('/');
  const name = segments.at(-1) as string;
  const policy: [string, string] = ['Content-Security-Policy', docsPolicy(servers)];
  routes.get(docs, HIDDEN, ({ environ }) => {
    // One slash more at the end, and all that is relative is one folder lower.
    const isFolder = environ['vela.raw_path'].endsWith('/');
    const up = '../'.repeat(segments.length - (isFolder ? 1 : 2));
    const content = docsPage(info.title, isFolder ? '.' : `./${name}`, `${up || './'}${path.slice(1)}`);
    return new WsgiResponse({ content, headers: [policy, CACHE] });
  });
  for (const file of [DOCS_ASSETS.script, DOCS_ASSETS.style])
    routes.get(`${docs}/${file}`, HIDDEN, ({ environ }) => fileResponse(environ, join(folder, file)));
  routes.get(
    `${docs}/${DOCS_ASSETS.start}`,
    HIDDEN,
    () => new WsgiResponse({ content: START_SCRIPT, contentType: 'text/javascript', headers: [CACHE] }),
  );
}

function requirePath(option: string, path: unknown): string {
  if (typeof path === 'string' && /^(?:\/[\w.~-]+)+$/.test(path)) return path;
  throw new TypeError(
    `Option "${option}" of openapiRoutes must be a path such as '/${option}', without parameters; received ${describeValue(path)}`,
  );
}
