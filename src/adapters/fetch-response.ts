import type { Body, Chunk, Environ, HeaderPair } from '../core/contract.js';
import { isHopByHop } from '../core/response-head.js';
import { uncheckedResponse, type WsgiResponse } from '../core/wsgi-response.js';
import { FetchBody } from './fetch-body.js';
import { bodyUsedError, networkError, responseError } from './fetch-errors.js';
import { isResponse, type ResponseParts, takeLight } from './light-response.js';

/** What fetch() has undone in the body when it gives a response. */
const DECODED = /^\s*(?:(?:x-)?gzip|deflate|br)\s*(?:,|$)/i;
/** How many names are remembered. */
const REMEMBERED = 1024;
const dropped = new Map<string, boolean>();

/** The content of a response to HEAD whose length nobody has said: no other content is as long as is not known. */
const UNCOUNTED: Body = {
  async *[Symbol.asyncIterator]() {
    yield ' ';
  },
};

type Read = IteratorResult<Chunk, undefined>;

/** Makes a response of what a fetch handler has given. @throws {VelaError} `ERR_FETCH_RESPONSE`, `ERR_FETCH_BODY_USED` */
export function toWsgiResponse(environ: Environ, given: unknown): WsgiResponse | Promise<WsgiResponse> {
  if (typeof given !== 'object' || given === null) throw responseError(given);
  const parts = takeLight(given);
  if (parts !== undefined) return fromParts(environ, parts);
  if (!isResponse(given)) throw responseError(given);
  return fromPlatform(environ, given);
}

function fromParts(
  environ: Environ,
  { status, headers, body }: ResponseParts,
): WsgiResponse | Promise<WsgiResponse> {
  const kept = keepEndToEnd(headers);
  if (body === null) return withoutBody(environ, status, kept);
  if (typeof body === 'string' || body instanceof Uint8Array) return uncheckedResponse(status, kept, body);
  if (body.locked) throw bodyUsedError();
  return fromStream(environ, status, kept, body);
}

function withoutBody(environ: Environ, status: number, headers: HeaderPair[]): WsgiResponse {
  const isUncounted = environ.REQUEST_METHOD === 'HEAD' && !headers.some(([name]) => isLength(name));
  return uncheckedResponse(status, headers, isUncounted ? UNCOUNTED : '');
}

/** Of these only the stream can be had, and not what it was made of. */
function fromPlatform(environ: Environ, response: Response): WsgiResponse | Promise<WsgiResponse> {
  const { status, body } = response;
  if (response.type === 'error') throw networkError();
  if (response.bodyUsed || body?.locked === true) throw bodyUsedError();
  const headers = listHeaders(response);
  if (body === null) return withoutBody(environ, status, headers);
  return fromStream(environ, status, headers, body);
}

function fromStream(
  environ: Environ,
  status: number,
  headers: HeaderPair[],
  body: ReadableStream<Uint8Array>,
): WsgiResponse | Promise<WsgiResponse> {
  const reader = body.getReader();
  if (headers.some(([name]) => isLength(name)))
    return uncheckedResponse(status, headers, new FetchBody(reader, environ));
  return readAhead(environ, status, headers, reader);
}

function listHeaders(response: Response): HeaderPair[] {
  const pairs = keepEndToEnd([...response.headers] as HeaderPair[]);
  const coding = response.url === '' ? null : response.headers.get('content-encoding');
  if (coding === null || !DECODED.test(coding)) return pairs;
  return pairs.filter(([name]) => name !== 'content-encoding' && !isLength(name));
}

/** A body that is there already is one chunk and an end: it goes as a whole, with its length. */
async function readAhead(
  environ: Environ,
  status: number,
  headers: HeaderPair[],
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<WsgiResponse> {
  const first = reader.read() as Promise<Read>;
  const chunk = await soon(first);
  if (chunk?.done === true) return uncheckedResponse(status, headers, '');
  const ahead = [first];
  if (chunk !== undefined) {
    const second = reader.read() as Promise<Read>;
    if ((await soon(second))?.done === true) return uncheckedResponse(status, headers, chunk.value);
    ahead.push(second);
  }
  return uncheckedResponse(status, headers, new FetchBody(reader, environ, ahead));
}

/** What a promise comes to within this turn of the loop; undefined for nothing. */
function soon(read: Promise<Read>): Promise<Read | undefined> {
  return new Promise((resolve) => {
    const timer = setImmediate(resolve, undefined);
    const end = (value?: Read) => {
      clearImmediate(timer);
      resolve(value);
    };
    // An error is heard by whoever asks for the chunk.
    read.then(end, () => end());
  });
}

/** Headers of the connection are the server's, whatever a handler, or the server that it has asked, says. */
function keepEndToEnd(headers: HeaderPair[]): HeaderPair[] {
  for (let i = 0; i < headers.length; i++) {
    const [name] = headers[i] as HeaderPair;
    if (dropped.get(name) ?? learn(name)) return headers.filter((pair) => !learn(pair[0]));
  }
  return headers;
}

function learn(name: string): boolean {
  const isDropped = isHopByHop(name.toLowerCase());
  if (dropped.size < REMEMBERED) dropped.set(name, isDropped);
  return isDropped;
}

function isLength(name: string): boolean {
  return name.length === 14 && name.toLowerCase() === 'content-length';
}
