import Negotiator from 'negotiator';
import type { Environ, HeaderPair } from './contract.js';
import { cutList } from './cut-list.js';
import { formatError, toError, VelaError } from './errors.js';
import { escapeHtml } from './escape-html.js';
import { HttpError, type HttpErrorDetail } from './http-error.js';
import { tellError } from './request-channels.js';
import { findReason } from './status.js';
import { WsgiResponse } from './wsgi-response.js';

/** What is told of errors whose text is not meant for the client. */
const GENERIC_MESSAGE = 'An exception has occurred while evaluating your request.';
const NOT_FOUND_MESSAGE = 'Cannot find what you are looking for.';
const MEDIA_TYPES = ['text/plain', 'text/html', 'application/json'];

/** An error as it is shown: `stack`, with causes, only in debug. */
export interface ErrorPage {
  readonly status: number;
  readonly reason: string;
  /** What may be told to the client. */
  readonly message: string;
  readonly details: readonly HttpErrorDetail[];
  readonly stack: string | undefined;
}

const pages = new WeakMap<WsgiResponse, ErrorPage>();

/** What a response shows that was made of an error, or because nothing handled the request; undefined for all others. */
export function findErrorPage(response: WsgiResponse): ErrorPage | undefined {
  return pages.get(response);
}

/**
 * The response to an error, and its log line: the one place where errors become responses.
 *
 * An HttpError gives status, headers and text; any other error with an integer `status` from 400 to 599 gives that
 * status; all others are 500. Status 500 and above is logged as an error, the rest, and all that fails after the request
 * has ended, at debug level.
 */
export function errorResponse(environ: Environ, thrown: unknown): WsgiResponse {
  const error = toError(thrown);
  const status = findStatus(error);
  logError(environ, error, status);
  tellError(environ, error, status);
  if (status < 400) return new WsgiResponse({ status, headers: findHeaders(error) });
  const page: ErrorPage = {
    status,
    reason: findReason(status),
    message: findMessage(error, status),
    details: error instanceof HttpError ? error.details : [],
    stack: environ['vela.cfg'].debug && status >= 500 ? formatError(error) : undefined,
  };
  return renderPage(environ, page, findHeaders(error));
}

/** The response when nothing handled a request. */
export function notFoundResponse(environ: Environ): WsgiResponse {
  return renderPage(
    environ,
    { status: 404, reason: 'Not Found', message: NOT_FOUND_MESSAGE, details: [], stack: undefined },
    [],
  );
}

function findStatus(error: Error): number {
  if (error instanceof HttpError) return error.status;
  const status = 'status' in error ? error.status : undefined;
  const isKnown = typeof status === 'number' && Number.isInteger(status) && status >= 400 && status <= 599;
  return isKnown ? status : 500;
}

function findHeaders(error: Error): HeaderPair[] {
  return error instanceof HttpError ? error.headers : [];
}

function findMessage(error: Error, status: number): string {
  if (error instanceof HttpError) return error.message;
  if (status === 404) return NOT_FOUND_MESSAGE;
  return status < 500 ? findReason(status) : GENERIC_MESSAGE;
}

function logError(environ: Environ, error: Error, status: number): void {
  const details = {
    requestId: environ['vela.request_id'],
    method: environ.REQUEST_METHOD,
    uri: environ.RAW_URI,
    status,
    err: error,
  };
  // What fails because the request has ended is a matter of course: nobody may fill the log by leaving.
  if (status >= 500 && !environ['vela.signal'].aborted) environ['vela.logger'].error(details, error.message);
  else environ['vela.logger'].debug(details, error.message);
}

function renderPage(environ: Environ, page: ErrorPage, headers: HeaderPair[]): WsgiResponse {
  const type = chooseType(environ);
  const content =
    type === 'text/html'
      ? renderHtml(page)
      : type === 'application/json'
        ? renderJson(page)
        : renderText(page);
  const contentType = type === 'application/json' ? type : `${type}; charset=utf-8`;
  const response = new WsgiResponse({ status: page.status, content, contentType, headers });
  pages.set(response, page);
  return response;
}

function chooseType(environ: Environ): string {
  let accept: string | undefined;
  try {
    accept = environ.HTTP_ACCEPT;
  } catch (error) {
    // A handler that declares its headers, and not this one, has error pages in plain text.
    if (!(error instanceof VelaError)) throw error;
  }
  if (accept === undefined) return 'text/plain';
  return new Negotiator({ headers: { accept: cutList(accept) } }).mediaType(MEDIA_TYPES) ?? 'text/plain';
}

function renderText({ status, reason, message, details, stack }: ErrorPage): string {
  if (stack !== undefined) return `${status} ${reason}\n\n${stack}\n`;
  const lines = details.map((detail) => `${detail.path === '' ? '' : `${detail.path}: `}${detail.message}\n`);
  return `${message}\n${lines.join('')}`;
}

function renderJson({ status, message, details, stack }: ErrorPage): string {
  return JSON.stringify({
    status,
    message,
    ...(details.length === 0 ? {} : { details: details.map(({ path, message }) => ({ path, message })) }),
    ...(stack === undefined ? {} : { stack: stack.split('\n') }),
  });
}

function renderHtml({ status, reason, message, details, stack }: ErrorPage): string {
  const title = `${status} ${escapeHtml(reason)}`;
  const items = details.map(
    (detail) => `<li><code>${escapeHtml(detail.path)}</code> ${escapeHtml(detail.message)}\n`,
  );
  const list = items.length === 0 ? '' : `\n<ul>\n${items.join('')}</ul>`;
  const trace = stack === undefined ? '' : `\n<pre>${escapeHtml(stack)}</pre>`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${title}</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;margin:4rem auto;max-width:60rem;padding:0 1rem}pre{overflow:auto;padding:1rem;background:#f4f4f5}</style>
<h1>${title}</h1>
<p>${escapeHtml(message)}</p>${list}${trace}
</html>
`;
}
