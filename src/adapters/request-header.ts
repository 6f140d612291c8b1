import type { Environ } from '../core/contract.js';
import { LazyEnviron } from '../core/environ.js';
import { environKeys, innerEnviron } from '../core/environ-keys.js';
import { TOKEN } from '../core/http-syntax.js';
import { fieldKey, fieldName } from '../core/request-fields.js';

/** How many names are remembered. */
const REMEMBERED = 1024;
const keys = new Map<string, `HTTP_${string}`>();

/** The value of a request header, as middleware has left it. @param name - in lower case */
export function readHeader(environ: Environ, name: string): string | undefined {
  if (name === 'content-type') return environ.CONTENT_TYPE || undefined;
  if (name === 'content-length') return environ.CONTENT_LENGTH || undefined;
  const value = LazyEnviron.readField(environ, keys.get(name) ?? learn(name), name);
  return value === undefined ? undefined : toByteText(value);
}

function learn(name: string): `HTTP_${string}` {
  const key = fieldKey(name) as `HTTP_${string}`;
  if (keys.size < REMEMBERED) keys.set(name, key);
  return key;
}

/** The headers that a request has, each once: name, value. */
export function listRequestHeaders(environ: Environ): [name: string, value: string][] {
  const inner = innerEnviron(environ);
  const host = LazyEnviron.hostOf(inner);
  const assigned = host === undefined ? environKeys(environ) : LazyEnviron.assignedKeys(inner);
  const names = new Set(host?.headerNames());
  for (const key of assigned) {
    const name = fieldName(key);
    if (name !== undefined) names.add(name);
  }
  names.add('content-type').add('content-length');
  return [...names].flatMap((name): [string, string][] => {
    const value = TOKEN.test(name) ? readHeader(environ, name) : undefined;
    return value === undefined ? [] : [[name, value]];
  });
}

/** The headers of fetch hold bytes: text beyond ISO-8859-1 was UTF-8. */
function toByteText(value: string): string {
  for (let i = 0; i < value.length; i++)
    if (value.charCodeAt(i) > 255) return Buffer.from(value).toString('latin1');
  return value;
}
