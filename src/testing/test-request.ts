import { METHODS } from 'node:http';
import type { Chunk } from '../core/contract.js';
import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import { TOKEN } from '../core/http-syntax.js';
import type { RequestBody } from '../gateway/memory-transport.js';

/** One request of a {@link TestClient}. */
export interface TestRequest {
  /** @defaultValue GET, or POST with a body */
  method?: string;
  /** Header lines: an object, or pairs where a name is repeated. */
  headers?: Record<string, string> | readonly (readonly [string, string])[];
  /**
   * Text and bytes are sent with a Content-Length, anything iterable chunked. URLSearchParams are a form, and FormData a
   * multipart one, with its Content-Type.
   */
  body?: string | Uint8Array | RequestBody | URLSearchParams | FormData;
  /** Sent as JSON; instead of `body`. */
  json?: unknown;
  /** Aborting it is the client going away. */
  signal?: AbortSignal;
}

/** A request with everything filled in. */
export interface PreparedRequest {
  method: string;
  /** Undecoded. */
  path: string;
  query: string | undefined;
  /** Names in lower case. */
  headers: [string, string][];
  body: RequestBody;
  /** -1 when it is not known. */
  bodyBytes: number;
  signal: AbortSignal | undefined;
}

const OWNER = 'A request of testClient';
/** A request line that has one of these is refused by servers, or never sent by clients. */
const UNSENDABLE = /[\0-\x20\x7f#]/;
const KNOWN = ['method', 'headers', 'body', 'json', 'signal'] as const;

/**
 * Checks a request and fills it in.
 * @param findCookie - the Cookie header for a path
 * @throws {TypeError} that names what is wrong
 */
export function prepareRequest(
  target: string,
  request: TestRequest,
  findCookie: (path: string) => string | undefined,
): PreparedRequest {
  const { path, query } = splitTarget(target);
  const { method, headers = {}, body, json, signal, ...unknown } = requireOptions(OWNER, request);
  refuseUnknown(OWNER, unknown, KNOWN);
  if (method !== undefined && !METHODS.includes(method)) {
    throw wrong('method', "a method that servers know, such as 'GET', in upper case", method);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw wrong('signal', 'an AbortSignal', signal);
  }
  const { content, type } = json === undefined ? resolveBody(body) : encodeJson(json, body);
  const given = resolveHeaders(headers);
  const add = (name: string, value: string) => {
    if (!given.some((pair) => pair[0] === name)) given.push([name, value]);
  };
  const cookie = findCookie(path);
  add('host', 'testserver');
  if (cookie !== undefined) add('cookie', cookie);
  if (type !== undefined) add('content-type', type);
  const isWhole = typeof content === 'string' || content instanceof Uint8Array;
  if (isWhole) add('content-length', String(Buffer.byteLength(content)));
  else if (content !== undefined) add('transfer-encoding', 'chunked');
  return {
    method: method ?? (content === undefined ? 'GET' : 'POST'),
    path,
    query,
    headers: given,
    body: content === undefined ? [] : isWhole ? [content as Chunk] : content,
    bodyBytes: content === undefined ? 0 : isWhole ? Buffer.byteLength(content) : -1,
    signal,
  };
}

function splitTarget(target: string): { path: string; query: string | undefined } {
  if (typeof target !== 'string' || !/^(?:\/|\*$)/.test(target)) {
    throw new TypeError(
      `${OWNER} takes a target that begins with "/", such as '/path?a=1', without scheme and host; received ${describeValue(target)}`,
    );
  }
  if (UNSENDABLE.test(target)) {
    throw new TypeError(
      `${OWNER} takes a target as it is sent, without blanks, control characters and fragment; received ${describeValue(target)}: encode what stands in it, '/a%20b'`,
    );
  }
  const path = target.split('?', 1)[0] as string;
  return { path, query: path === target ? undefined : target.slice(path.length + 1) };
}

function resolveHeaders(headers: NonNullable<TestRequest['headers']>): [string, string][] {
  if (typeof headers !== 'object' || headers === null) {
    throw wrong('headers', "an object, { 'X-A': 'b' }, or pairs, [['X-A', 'b']]", headers);
  }
  const pairs: readonly unknown[] = Array.isArray(headers) ? headers : Object.entries(headers);
  return pairs.map((pair) => {
    if (!Array.isArray(pair) || pair.length !== 2) throw wrong('headers', "pairs, [['X-A', 'b']]", pair);
    const [name, value] = pair as [unknown, unknown];
    if (typeof name !== 'string' || !TOKEN.test(name)) throw wrong('headers', "names such as 'X-A'", name);
    if (typeof value !== 'string' || /[\r\n\0]/.test(value)) {
      throw wrong('headers', `text as the value of ${name}, '5' and not 5, in one line`, value);
    }
    return [name.toLowerCase(), value];
  });
}

/** A body as it is sent, and the Content-Type that it has of itself. */
interface Content {
  readonly content: string | Uint8Array | RequestBody | undefined;
  readonly type?: string;
}

function resolveBody(body: TestRequest['body']): Content {
  if (body === undefined || typeof body === 'string') return { content: body };
  if (body instanceof URLSearchParams)
    return { content: body.toString(), type: 'application/x-www-form-urlencoded' };
  if (body instanceof FormData) return encodeForm(body);
  if (typeof body === 'object' && body !== null && (Symbol.iterator in body || Symbol.asyncIterator in body))
    return { content: body };
  throw wrong('body', 'text, bytes or an iterable of these, and an object as "json"', body);
}

/** Multipart, with a boundary, as fetch sends it. */
function encodeForm(form: FormData): Content {
  const { headers, body } = new Response(form);
  return { content: body ?? '', type: headers.get('content-type') ?? '' };
}

function encodeJson(json: unknown, body: unknown): Content {
  if (body !== undefined) throw new TypeError(`${OWNER} takes either "body" or "json"; received both`);
  const text = JSON.stringify(json) as string | undefined;
  if (text === undefined) throw wrong('json', 'a value that JSON has', json);
  return { content: text, type: 'application/json' };
}

function wrong(name: string, expected: string, received: unknown): TypeError {
  return new TypeError(`${OWNER} takes as "${name}" ${expected}; received ${describeValue(received)}`);
}
