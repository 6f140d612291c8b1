import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import uWS from 'uWebSockets.js';
import { HELLO } from '../../lib/answers.mjs';

/** What secureHeaders sends, and cors for the origin of this row, in one text. */
const SAFE_HEADERS = [
  [
    'Content-Security-Policy',
    "default-src 'self';base-uri 'self';font-src 'self' https: data:;form-action 'self';frame-ancestors 'self';img-src 'self' data:;object-src 'none';script-src 'self';script-src-attr 'none';style-src 'self' https: 'unsafe-inline'",
  ],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Origin-Agent-Cluster', '?1'],
  ['Referrer-Policy', 'no-referrer'],
  ['X-Content-Type-Options', 'nosniff'],
  ['X-DNS-Prefetch-Control', 'off'],
  ['X-Download-Options', 'noopen'],
  ['X-Frame-Options', 'SAMEORIGIN'],
  ['X-Permitted-Cross-Domain-Policies', 'none'],
  ['X-XSS-Protection', '0'],
  ['Access-Control-Allow-Origin', 'https://app.example'],
  ['Vary', 'Origin'],
];
const safeBytes = Buffer.from(
  `text/plain\r\n${SAFE_HEADERS.map(([name, value]) => `${name}: ${value}`).join('\r\n')}`,
  'latin1',
);
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const GATHER_CHARS = 65_536;

/** The stack by hand: reads what requestId, accessLog, cors and secureHeaders read, and sends what they send. */
export function rawStack(isWith) {
  const app = uWS.App();
  const log = createWriteStream('/dev/null');
  let held = '';
  let ids = '';
  let used = 0;
  let second = -1;
  let time = '';

  function nextId() {
    if (used + 20 > ids.length) {
      ids = randomBytes(3072).toString('base64url');
      used = 0;
    }
    used += 20;
    return ids.slice(used - 20, used);
  }

  function findTime() {
    const now = Math.floor(Date.now() / 1000);
    if (now !== second) {
      const date = new Date(now * 1000);
      const two = (value) => String(value).padStart(2, '0');
      time = `[${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}:${date.toISOString().slice(11, 19)} +0000]`;
      second = now;
    }
    return time;
  }

  app.get('/*', (res, req) => {
    if (!isWith) {
      res.writeHeader('Content-Type', 'text/plain');
      res.end(HELLO);
      return;
    }
    const [a, b, c, d] = new Uint8Array(res.getRemoteAddress());
    const query = req.getQuery();
    const uri = query === undefined ? req.getUrl() : `${req.getUrl()}?${query}`;
    const referer = req.getHeader('referer') || '-';
    const agent = req.getHeader('user-agent') || '-';
    if (req.getHeader('origin') !== 'https://app.example') throw new Error('This row comes from one origin');
    res.writeHeader('Content-Type', safeBytes);
    res.writeHeader('X-Request-Id', nextId());
    res.end(HELLO);
    held += `${a}.${b}.${c}.${d} - - ${findTime()} "GET ${uri} HTTP/1.1" 200 ${HELLO.length} "${referer}" "${agent}"\n`;
    if (held.length < GATHER_CHARS) return;
    log.write(held);
    held = '';
  });
  return new Promise((resolve, reject) => {
    app.listen('127.0.0.1', 0, (token) =>
      token ? resolve(uWS.us_socket_local_port(token)) : reject(new Error('No port to listen on')),
    );
  });
}
