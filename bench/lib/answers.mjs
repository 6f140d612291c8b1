/** What every server answers, row by row. Each server is handed the same bytes and does the rest itself. */

export const HELLO = 'Hello World!\n';

export const LIMIT_BYTES = 1 << 20;

/** Body of the `large` row: 1 MiB in one buffer. */
export const LARGE = Buffer.alloc(1 << 20, 'large body\n');

/** One chunk of the `stream` row: 64 KiB. */
export const CHUNK = Buffer.alloc(64 << 10, 'stream chunk\n');

/** 1,024 chunks of 64 KiB make 64 MiB. */
export const CHUNK_COUNT = 1024;

export async function* chunks() {
  for (let sent = 0; sent < CHUNK_COUNT; sent++) yield CHUNK;
}

/** The two request headers that the `async` row reads after its await; another value there is answered 400. */
export const USER_AGENT = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36';
export const ACCEPT = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

/** Seven of the eight headers of the `headers` row; the eighth, X-Request-Id, differs with each request. */
export const FIXED_HEADERS = [
  ['Content-Type', 'text/plain'],
  ['Cache-Control', 'private, max-age=60'],
  ['Referrer-Policy', 'no-referrer'],
  ['Strict-Transport-Security', 'max-age=31536000'],
  ['Vary', 'Accept-Encoding'],
  ['X-Content-Type-Options', 'nosniff'],
  ['X-Frame-Options', 'DENY'],
];

let requestCount = 0;

export function nextRequestId() {
  requestCount += 1;
  return `request-${requestCount}`;
}
