import type { Dirent } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { Http404 } from '../core/http-error.js';
import { WsgiResponse } from '../core/wsgi-response.js';
import { type Html, html } from '../response/html.js';
import type { MediaTerms } from './media-options.js';
import { withFolder } from './open-file.js';

/** More names than this are not shown. */
const MAX_NAMES = 1000;
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/**
 * A page with what a folder has, as far as it would be sent. Links are left out, as they may lead elsewhere.
 * @throws {HttpError} 404 when the folder is gone
 */
export async function listFolder(
  terms: MediaTerms,
  place: string,
  segments: readonly string[],
): Promise<WsgiResponse> {
  const path = segments.map((segment) => `/${segment}`).join('');
  const found = await withFolder(place, terms.root, (open) => readNames(terms, open, path));
  if (found === undefined) throw new Http404();
  const { names, isWhole } = found;
  return new WsgiResponse({
    content: renderPage(`${path}/`, segments.length > 0, names, isWhole),
    headers: [
      ['Cache-Control', 'no-cache'],
      ['X-Content-Type-Options', 'nosniff'],
      ['Content-Security-Policy', POLICY],
      ...terms.headers.filter(([name]) => name.toLowerCase() !== 'content-security-policy'),
    ],
  });
}

async function readNames(
  terms: MediaTerms,
  place: string,
  path: string,
): Promise<{ names: string[]; isWhole: boolean }> {
  const folders: string[] = [];
  const files: string[] = [];
  let isWhole = true;
  // Left early, the loop closes the folder.
  for await (const entry of await opendir(place)) {
    if (!isShown(terms, entry, path)) continue;
    isWhole = folders.length + files.length < MAX_NAMES;
    if (!isWhole) break;
    if (entry.isDirectory()) folders.push(`${entry.name}/`);
    else files.push(entry.name);
  }
  return { names: [...folders.sort(), ...files.sort()], isWhole };
}

function isShown(terms: MediaTerms, entry: Dirent, path: string): boolean {
  const { name } = entry;
  if ((name.startsWith('.') && !terms.servesDotfiles) || /[\\\p{Cc}\ufffd]/u.test(name)) return false;
  return entry.isDirectory() || (entry.isFile() && terms.isServed(`${path}/${name}`));
}

function renderPage(path: string, hasParent: boolean, names: readonly string[], isWhole: boolean): Html {
  const items = names.map((name) => html`<li><a href="./${encodeName(name)}">${name}</a>\n`);
  return html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${path}</title>
<style>body{font:1rem/1.6 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}</style>
<h1>${path}</h1>
<ul>
${hasParent && html`<li><a href="../">../</a>\n`}${items}</ul>
${!isWhole && html`<p>Only ${MAX_NAMES} names are shown.</p>\n`}</html>
`;
}

/** A name as part of a URL; the slash of a folder stays. */
function encodeName(name: string): string {
  return name.split('/').map(encodeURIComponent).join('/');
}
