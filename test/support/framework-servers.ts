/** Runs a flow against a server, and keeps what it answered in a form that can be compared. */
import { gunzipSync } from 'node:zlib';
import type { Ask, AskOptions, Flow } from './framework-flows.js';
import { Wire, type WireResponse } from './wire.js';

/** An answer without what is of the connection. */
export interface Answer {
  readonly request: string;
  readonly statusLine: string;
  /** In order but for cookies, which are last; as spelt. Without Date and Content-Length, and without headers of the connection. */
  readonly headers: readonly string[];
  readonly length: string | undefined;
  readonly framing: WireResponse['framing'];
  readonly isComplete: boolean;
  readonly body: Buffer;
}

const OF_CONNECTION = ['date', 'connection', 'keep-alive', 'transfer-encoding', 'content-length'];
const DEADLINE_MS = 10_000;

export async function runFlow(url: string, flow: Flow): Promise<Answer[]> {
  const { hostname: host, port } = new URL(url);
  const cookies = new Map<string, string>();
  const answers: Answer[] = [];
  const ask: Ask = async (path, options = {}) => {
    const response = await send({ host, port: Number(port) }, path, options, cookies);
    keepCookies(response, cookies);
    answers.push(
      toAnswer(
        `${options.method ?? 'GET'} ${path} ${JSON.stringify(options.headers ?? {})}${options.isChunked ? ' chunked' : ''}`,
        response,
      ),
    );
    return response;
  };
  await flow(ask);
  return answers;
}

async function send(
  address: { host: string; port: number },
  path: string,
  { method = 'GET', headers = {}, body, isChunked = false }: AskOptions,
  cookies: ReadonlyMap<string, string>,
): Promise<WireResponse> {
  const wire = await Wire.open(address);
  const bytes = Buffer.from(body ?? '');
  const lines = Object.entries({ host: 'app.example', ...headers, ...framing(method, bytes, isChunked) });
  if (cookies.size > 0) lines.push(['cookie', [...cookies].map((one) => one.join('=')).join('; ')]);
  wire.write(
    `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
  );
  if (isChunked) {
    const half = bytes.length >> 1;
    for (const piece of [bytes.subarray(0, half), bytes.subarray(half)]) {
      wire.write(`${piece.length.toString(16)}\r\n`);
      wire.write(piece);
      wire.write('\r\n');
    }
    wire.write('0\r\n\r\n');
  } else if (bytes.length > 0) wire.write(bytes);
  try {
    return await wire.response({ method, deadlineMs: DEADLINE_MS });
  } catch (error) {
    throw new Error(`${method} ${path} ${JSON.stringify(headers)}`, { cause: error });
  } finally {
    wire.destroy();
  }
}

function framing(method: string, body: Buffer, isChunked: boolean): Record<string, string> {
  if (isChunked) return { 'transfer-encoding': 'chunked' };
  return body.length > 0 || method === 'POST' || method === 'PUT'
    ? { 'content-length': String(body.length) }
    : {};
}

function keepCookies({ headers }: WireResponse, cookies: Map<string, string>): void {
  for (const [name, value] of headers) {
    if (name.toLowerCase() !== 'set-cookie') continue;
    const [, key = '', text = ''] = /^([^=]+)=([^;]*)/.exec(value) ?? [];
    if (text === '') cookies.delete(key);
    else cookies.set(key, text);
  }
}

function toAnswer(request: string, response: WireResponse): Answer {
  const { status, reason, headers, framing, isComplete, body } = response;
  return {
    request,
    statusLine: `${status} ${reason}`,
    headers: cookiesLast(headers.filter(([name]) => !OF_CONNECTION.includes(name.toLowerCase()))).map(toLine),
    length: headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1],
    framing,
    isComplete,
    body: decodeEvents(headers, Buffer.from(body)),
  };
}

/** As @hono/node-server puts them, wherever they stand in the response. */
function cookiesLast(headers: WireResponse['headers']): WireResponse['headers'] {
  const isCookie = ([name]: WireResponse['headers'][number]) => name.toLowerCase() === 'set-cookie';
  return [...headers.filter((one) => !isCookie(one)), ...headers.filter(isCookie)];
}

/** Events that are compressed as they come are cut by time. */
function decodeEvents(headers: WireResponse['headers'], body: Buffer): Buffer {
  const isGzip = headers.some(
    ([name, value]) => name.toLowerCase() === 'content-encoding' && value === 'gzip',
  );
  const hasEvents = headers.some(([, value]) => value.startsWith('text/event-stream'));
  return isGzip && hasEvents ? gunzipSync(body) : body;
}

/** The ids that express-session makes are random. */
function toLine([name, value]: readonly [string, string]): string {
  return `${name}: ${value.replace(/^(connect\.sid=s%3A)[^;]+/, '$1<id>')}`;
}
