import { ACCEPT, CHUNK, CHUNK_COUNT, FIXED_HEADERS, HELLO, LARGE, USER_AGENT } from './answers.mjs';

const text = { 'content-type': /^text\/plain\b/ };
const binary = { 'content-type': /^application\/octet-stream\b/ };
const stream = Buffer.concat(new Array(CHUNK_COUNT).fill(CHUNK));

/** With the Host header that the client adds, twelve. */
const browserHeaders = {
  'User-Agent': USER_AGENT,
  Accept: ACCEPT,
  'Accept-Encoding': 'gzip, deflate, br, zstd',
  'Accept-Language': 'en-GB,en;q=0.9,de;q=0.8',
  'Cache-Control': 'max-age=0',
  Cookie: 'session=0123456789abcdef; theme=dark',
  DNT: '1',
  Referer: 'http://localhost/start',
  'Sec-Fetch-Dest': 'document',
  'Sec-Fetch-Mode': 'navigate',
  'Upgrade-Insecure-Requests': '1',
};

const eightHeaders = Object.fromEntries(
  [...FIXED_HEADERS, ['X-Request-Id', /^request-\d+$/]].map(([name, value]) => [name.toLowerCase(), value]),
);
eightHeaders['content-type'] = text['content-type'];

/**
 * The rows of the table. A row with `countBytes` counts requests by the bytes that arrived, since many answers are
 * still under way when its window closes. `minimumSeconds` and `maximumConnections` bound its load. Only rows answered in the callback can be `pipelined`: uWebSockets.js closes
 * a connection that pipelines behind an answer that is pending.
 */
export const rows = [
  { id: 'hello', title: 'Hello, answered at once', pipelined: true, answer: { headers: text, body: HELLO } },
  { id: 'middleware', title: 'Hello behind three middleware', pipelined: true, answer: { headers: text, body: HELLO } },
  {
    id: 'async',
    title: 'Async hello, 12 request headers, two read after the await',
    request: { headers: browserHeaders },
    answer: { headers: text, body: HELLO },
  },
  {
    id: 'post',
    title: 'POST 1 KiB, echoed once the body is there',
    request: { method: 'POST', headers: { 'Content-Type': 'application/octet-stream' }, bodyBytes: 1024 },
    answer: { headers: binary, body: 'x'.repeat(1024) },
  },
  { id: 'headers', title: 'Eight response headers', pipelined: true, answer: { headers: eightHeaders, body: HELLO } },
  {
    id: 'large',
    title: '1 MiB body in one buffer',
    countBytes: true,
    minimumSeconds: 1.2,
    maximumConnections: 16,
    answer: { headers: binary, body: LARGE },
  },
  {
    id: 'stream',
    title: '64 MiB streamed in chunks of 64 KiB',
    countBytes: true,
    minimumSeconds: 1.2,
    maximumConnections: 8,
    answer: { headers: binary, body: stream },
  },
].map(({ request = {}, answer, ...row }) => ({
  ...row,
  request: { method: 'GET', path: '', headers: {}, bodyBytes: 0, ...request },
  answer: { status: 200, ...answer, body: Buffer.from(answer.body) },
}));
