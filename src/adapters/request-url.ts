import type { Environ } from '../core/contract.js';
import { LazyEnviron } from '../core/environ.js';
import { BadRequest } from '../core/http-error.js';

/** Of these a URL keeps all as they are, where no segment begins with a dot. */
const PLAIN = /^\/[\w\-.~!$&()*+,;=:@%/?]*$/;
const DOTS = /\/\.|%2e/i;

/** The last origin: most requests have the same. */
let lastScheme = '';
let lastHost = '';
let lastOrigin = '';

/**
 * The URL of a request, as the client sent it and in the spelling of `URL`: what leads to this application is part of it.
 * @throws {BadRequest} for a Host that is none
 */
export function readUrl(environ: Environ): string {
  const host =
    LazyEnviron.readField(environ, 'HTTP_HOST', 'host') ?? `${environ.SERVER_NAME}:${environ.SERVER_PORT}`;
  const scheme = environ['wsgi.url_scheme'];
  const origin = host === lastHost && scheme === lastScheme ? lastOrigin : learn(scheme, host);
  const target = readTarget(environ);
  if (PLAIN.test(target) && !DOTS.test(target)) return origin + target;
  return parse(`${origin}${target.startsWith('/') ? '' : '/'}${target.replaceAll('#', '%23')}`).href;
}

function readTarget(environ: Environ): string {
  const { SCRIPT_NAME, QUERY_STRING } = environ;
  const rest = environ['vela.raw_path'];
  const path = SCRIPT_NAME === '' ? rest : encodeURI(SCRIPT_NAME) + rest;
  return QUERY_STRING === '' ? path : `${path}?${QUERY_STRING}`;
}

function learn(scheme: string, host: string): string {
  const { origin } = parse(`${scheme}://${host}`);
  lastScheme = scheme;
  lastHost = host;
  lastOrigin = origin;
  return origin;
}

function parse(text: string): URL {
  if (!URL.canParse(text)) throw new BadRequest('The header Host has no valid host');
  return new URL(text);
}
