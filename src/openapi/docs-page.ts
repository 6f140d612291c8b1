import { type Html, html } from '../response/html.js';
import type { OpenApiServer } from './document.js';

/** What the docs page is served with; all of it lies in the folder of the page's name. */
export const DOCS_ASSETS = {
  script: 'swagger-ui-bundle.js',
  style: 'swagger-ui.css',
  start: 'start.js',
} as const;

/** Starts Swagger UI: a file of its own, as a page with a strict policy runs no inline script. */
export const START_SCRIPT = `'use strict';
{
  const url = new URL(document.currentScript.dataset.url, location.href).href;
  // Without a validator: it would send the document to a site of Swagger's.
  SwaggerUIBundle({ url, dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null });
}
`;

/**
 * The page of Swagger UI. Its links are relative, so that they hold wherever the routes are mounted.
 * @param folder - from the page to what it loads: `docs` or `.`
 * @param documentUrl - from the page to the document
 */
export function docsPage(title: string, folder: string, documentUrl: string): Html {
  const { script, style, start } = DOCS_ASSETS;
  return html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${folder}/${style}">
<div id="swagger-ui"></div>
<script src="${folder}/${script}"></script>
<script src="${folder}/${start}" data-url="${documentUrl}"></script>
</html>
`;
}

/**
 * What the page may do: run the scripts of this site, and call the servers that the document names. Swagger UI sets styles
 * inline.
 */
export function docsPolicy(servers: readonly OpenApiServer[] = []): string {
  const origins = servers.flatMap(({ url }) => (/^https?:\/\/[\w.:-]+/i.exec(url) ?? [])[0] ?? []);
  return [
    "default-src 'none'",
    "base-uri 'none'",
    `connect-src ${[...new Set(["'self'", ...origins])].join(' ')}`,
    "form-action 'none'",
    "frame-ancestors 'self'",
    "img-src 'self' data:",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
  ].join(';');
}
