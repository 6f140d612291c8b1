import type { ConnectionInfo, Environ } from '../core/contract.js';
import { LazyEnviron } from '../core/environ.js';
import { environKeys, innerEnviron } from '../core/environ-keys.js';
import { fieldName } from '../core/request-fields.js';
import { splitPrefix } from './mounted-target.js';
import type { NodeRequest } from './node-internals.js';

/** Puts what a request says of itself into an IncomingMessage. */
export function fillRequest(request: NodeRequest, environ: Environ): void {
  const isOld = environ.SERVER_PROTOCOL === 'HTTP/1.0';
  request.httpVersionMajor = 1;
  request.httpVersionMinor = isOld ? 0 : 1;
  request.httpVersion = isOld ? '1.0' : '1.1';
  request.method = environ.REQUEST_METHOD;
  const url = targetOf(environ);
  request.url = url;
  if (environ.SCRIPT_NAME !== '') tellPrefix(request, url, environ.RAW_URI);
  const lines = readLines(environ);
  request._addHeaderLines(lines, lines.length);
}

/** As Express and Connect tell what they mount where it is; redirects of static files, and links, are made of it. */
function tellPrefix(request: NodeRequest, url: string, originalUrl: string): void {
  const { prefix } = splitPrefix({ url, originalUrl });
  Object.assign(request, { originalUrl, baseUrl: prefix });
}

/** False where no body comes at all. */
export function isBodyExpected(environ: Environ): boolean {
  const host = LazyEnviron.hostOf(innerEnviron(environ));
  return host === undefined ? environ.CONTENT_LENGTH !== '0' : host.bodyBytes !== 0;
}

/** Undefined once it cannot be told any more. */
export function findConnection(environ: Environ): ConnectionInfo | undefined {
  try {
    return environ['vela.connection'];
  } catch {
    return undefined;
  }
}

/** Below a prefix the rest, as routers of node:http do it; middleware may have changed it. */
function targetOf(environ: Environ): string {
  const host = LazyEnviron.hostOf(innerEnviron(environ));
  const path = environ['vela.raw_path'];
  if (host !== undefined && path === host.path && environ.SCRIPT_NAME === '') return environ.RAW_URI;
  const query = environ.QUERY_STRING;
  const rest = path.startsWith('/') ? path : `/${path}`;
  return query === '' ? rest : `${rest}?${query}`;
}

/** The header lines, with what middleware has put in their place. */
function readLines(environ: Environ): string[] {
  const inner = innerEnviron(environ);
  const host = LazyEnviron.hostOf(inner);
  if (host === undefined)
    return environKeys(environ).flatMap((key) => {
      const name = fieldName(key);
      return name === undefined ? [] : [name, String(environ[key])];
    });
  const lines = host.fields() as string[];
  const assigned = LazyEnviron.assignedKeys(inner).filter((key) => fieldName(key) !== undefined);
  if (assigned.length === 0) return lines.slice();
  const names = new Set(assigned.map((key) => fieldName(key)));
  const kept = lines.flatMap((name, i) =>
    i % 2 === 0 && !names.has(name) ? [name, lines[i + 1] as string] : [],
  );
  const given = assigned.filter((key) => environ[key] !== undefined);
  return [...kept, ...given.flatMap((key) => [fieldName(key) as string, String(environ[key])])];
}
