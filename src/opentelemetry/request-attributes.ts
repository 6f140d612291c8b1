import type { Attributes } from '@opentelemetry/api';
import type { Environ } from '../core/contract.js';
import { HttpError } from '../core/http-error.js';
import type { TraceSettings } from './trace-options.js';

const OTHER = '_OTHER';
const HOST = /^(\[[^\]]*\]|[^:]+)(?::(\d{1,5}))?$/;

/** The method by its name, if that is known: whoever asks can invent as many as they like. */
export function nameMethod(environ: Environ, { knownMethods }: TraceSettings): string {
  const { REQUEST_METHOD } = environ;
  return knownMethods.has(REQUEST_METHOD) ? REQUEST_METHOD : OTHER;
}

/**
 * The name of a span: the method, and the route where one is known; never the path, of which there are too many.
 * @see {@link https://opentelemetry.io/docs/specs/semconv/http/http-spans/#name | names of HTTP spans}
 */
export function nameSpan(method: string, route: string | undefined): string {
  const name = method === OTHER ? 'HTTP' : method;
  return route === undefined ? name : `${name} ${route}`;
}

/**
 * What the semantic conventions want of a request, as far as it is known at its beginning.
 * @see {@link https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server-span | HTTP server spans}
 */
export function readAttributes(environ: Environ, method: string, settings: TraceSettings): Attributes {
  const { path, query } = splitTarget(environ);
  const protocol = environ.SERVER_PROTOCOL;
  const attributes: Attributes = {
    'http.request.method': method,
    'url.scheme': environ['wsgi.url_scheme'],
    'url.path': path,
    'network.protocol.name': 'http',
    'network.protocol.version': protocol.startsWith('HTTP/') ? protocol.slice(5) : protocol,
  };
  addServer(attributes, environ);
  addClient(attributes, environ);
  if (method === OTHER) attributes['http.request.method_original'] = environ.REQUEST_METHOD;
  if (query !== '') attributes['url.query'] = settings.redact(query);
  const { remoteAddress, remotePort } = environ['vela.connection'];
  if (remoteAddress !== '') attributes['network.peer.address'] = remoteAddress;
  if (remotePort !== undefined) attributes['network.peer.port'] = remotePort;
  const agent = environ.HTTP_USER_AGENT;
  if (agent !== undefined) attributes['user_agent.original'] = agent;
  for (const [key, attribute] of settings.requestHeaders) {
    const value = readHeader(environ, key);
    if (typeof value === 'string' && value !== '') attributes[attribute] = [value];
  }
  return attributes;
}

/** What has been assigned since, as `proxyHeaders` does: whom the client says it reached, and who it is. */
export function readChanged(environ: Environ): Attributes {
  const attributes: Attributes = {};
  if (Object.hasOwn(environ, 'wsgi.url_scheme')) attributes['url.scheme'] = environ['wsgi.url_scheme'];
  if (Object.hasOwn(environ, 'HTTP_HOST')) addServer(attributes, environ);
  if (Object.hasOwn(environ, 'REMOTE_ADDR')) addClient(attributes, environ);
  return attributes;
}

function addServer(attributes: Attributes, environ: Environ): void {
  const [, host, port] = HOST.exec(String(readHeader(environ, 'HTTP_HOST') ?? '')) ?? [];
  if (host === undefined) {
    attributes['server.address'] = environ.SERVER_NAME;
    attributes['server.port'] = Number(environ.SERVER_PORT);
    return;
  }
  const usualPort = environ['wsgi.url_scheme'] === 'https' ? 443 : 80;
  attributes['server.address'] = host.startsWith('[') ? host.slice(1, -1) : host;
  attributes['server.port'] = port === undefined ? usualPort : Number(port);
}

function addClient(attributes: Attributes, environ: Environ): void {
  const client = environ.REMOTE_ADDR;
  if (client !== '') attributes['client.address'] = client;
}

/** Path and query as the client sent them, whatever a mount or a rewrite made of them. */
function splitTarget(environ: Environ): { path: string; query: string } {
  const target = environ.RAW_URI;
  if (!target.startsWith('/')) return { path: environ['vela.raw_path'], query: readQuery(environ) };
  const mark = target.indexOf('?');
  return mark === -1
    ? { path: target, query: '' }
    : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

/** A Host that is none is told to whoever needs it, by 400. */
function readHeader(environ: Environ, key: string): unknown {
  try {
    return environ[key];
  } catch (error) {
    if (error instanceof HttpError) return undefined;
    throw error;
  }
}

/** Of a target in absolute form. */
function readQuery(environ: Environ): string {
  try {
    return environ.QUERY_STRING;
  } catch (error) {
    // Too long: whoever needs it answers 414.
    if (error instanceof HttpError) return '';
    throw error;
  }
}
