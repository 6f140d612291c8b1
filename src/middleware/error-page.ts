import type { Environ } from '../core/contract.js';
import { type ErrorPage, findErrorPage } from '../core/error-response.js';
import {
  describeValue,
  isThenable,
  refuseUnknown,
  requireOptions,
  requireRecord,
  toError,
  VelaError,
} from '../core/errors.js';
import { escapeHtml } from '../core/escape-html.js';
import type { ResponseMiddleware } from '../core/wsgi-handler.js';
import type { WsgiResponse } from '../core/wsgi-response.js';
import { requestOf } from '../request/wsgi-request.js';
import { Html } from '../response/html.js';

/** What a page is made of. */
export interface ErrorPageContext extends ErrorPage {
  readonly environ: Environ;
  readonly requestId: string;
}

/**
 * Makes a page. For `text/html` give `` html`...` ``, which escapes; a text is escaped as a whole. For JSON types give a
 * value, for others a text.
 */
export type ErrorRenderer = (context: ErrorPageContext) => unknown;

/** Options of {@link errorPage}. */
export interface ErrorPageOptions {
  /**
   * Renderers by status, `404`, by class, `'4xx'` and `'5xx'`, or `'default'`, and by media type:
   * `{ 404: { 'text/html': render } }`. The first type is that of clients that take any.
   */
  pages: Readonly<Record<string, Readonly<Record<string, ErrorRenderer>>>>;
}

const OWNER = 'errorPage';

/**
 * Response middleware: gives error responses, and the 404 when nothing handled a request, pages of your own. A response that
 * a handler made itself stays as it is, and so does one for which there is no renderer that the client takes. A renderer
 * that fails is logged, and the page is Vela's.
 * @example
 * const pages = { 404: { 'text/html': ({ message }) => html`<h1>Not here</h1><p>${message}</p>` } };
 * new WsgiHandler([app], { responseMiddleware: [errorPage({ pages })] });
 */
export function errorPage(options: ErrorPageOptions): ResponseMiddleware {
  const { pages, ...unknown } = requireOptions(OWNER, options);
  refuseUnknown(OWNER, unknown, ['pages']);
  const known = checkPages(pages);

  const errorPageMiddleware: ResponseMiddleware = (environ, response) => {
    const page = findErrorPage(response);
    if (page === undefined) return undefined;
    try {
      const renderers =
        known.get(String(page.status)) ??
        known.get(page.status < 500 ? '4xx' : '5xx') ??
        known.get('default');
      const type = renderers && chooseType(environ, [...renderers.keys()]);
      const render = type === undefined ? undefined : renderers?.get(type);
      if (type === undefined || render === undefined) return undefined;
      const requestId = environ['vela.request_id'];
      const made = render({ ...page, environ, requestId });
      if (!isThenable(made) && !(made instanceof Html && !isReady(made))) {
        replace(response, type, toText(type, made));
        return undefined;
      }
      return finish(environ, response, type, made);
    } catch (error) {
      report(environ, error);
      return undefined;
    }
  };
  errorPageMiddleware.runsOn = 'response';
  return errorPageMiddleware;
}

function checkPages(pages: unknown): ReadonlyMap<string, ReadonlyMap<string, ErrorRenderer>> {
  const known = new Map<string, ReadonlyMap<string, ErrorRenderer>>();
  for (const [status, renderers] of Object.entries(
    requireRecord('errorPage()', 'pages', "404: { 'text/html': render }", pages as object),
  )) {
    if (!/^(?:[45]\d\d|[45]xx|default)$/.test(status))
      throw new TypeError(
        `Option "pages" of errorPage() has pages for 400 to 599, '4xx', '5xx' and 'default'; received ${describeValue(status)}`,
      );
    const byType = Object.entries(
      requireRecord('errorPage()', `pages.${status}`, "'text/html': render", renderers as object),
    );
    for (const [type, render] of byType) {
      if (/^[a-z]+\/[a-z0-9.+-]+$/.test(type) && typeof render === 'function') continue;
      throw new TypeError(
        `Option "pages.${status}" of errorPage() has a function for a media type, such as 'text/html'; received ${describeValue(render)} for ${describeValue(type)}`,
      );
    }
    known.set(status, new Map(byType as [string, ErrorRenderer][]));
  }
  return known;
}

/** What a client takes that says nothing, or whose headers are gone, is the first. */
function chooseType(environ: Environ, types: string[]): string | undefined {
  try {
    if (environ.HTTP_ACCEPT === undefined) return types[0];
    return requestOf(environ).accepts(...types);
  } catch (error) {
    if (error instanceof VelaError) return types[0];
    throw error;
  }
}

async function finish(environ: Environ, response: WsgiResponse, type: string, made: unknown): Promise<void> {
  try {
    const settled: unknown = await made;
    replace(
      response,
      type,
      toText(type, settled instanceof Html ? new Html([await settled.render()]) : settled),
    );
  } catch (error) {
    report(environ, error);
  }
}

function isReady(page: Html): boolean {
  for (const part of page) if (typeof part !== 'string') return false;
  return true;
}

/** @throws {TypeError} for what is no page */
function toText(type: string, made: unknown): string {
  if (type === 'text/html') {
    if (made instanceof Html) return [...page(made)].join('');
    if (typeof made === 'string') return escapeHtml(made);
  } else if (/[/+]json$/.test(type)) {
    const text = JSON.stringify(made) as string | undefined;
    if (text !== undefined) return text;
  } else if (typeof made === 'string') {
    return made;
  }
  throw new TypeError(`A renderer of errorPage() returned ${describeValue(made)} for ${type}`);
}

function* page(made: Html): Generator<string> {
  for (const part of made) if (typeof part === 'string') yield part;
}

function replace(response: WsgiResponse, type: string, text: string): void {
  response.content = text;
  response.setHeader('Content-Type', /[/+]json$/.test(type) ? type : `${type}; charset=utf-8`);
  response.deleteHeader('Content-Length');
}

function report(environ: Environ, thrown: unknown): void {
  const error = toError(thrown);
  environ['vela.logger'].error(
    { requestId: environ['vela.request_id'], err: error },
    `errorPage could not make a page: ${error.message}`,
  );
}
