import { HELLO } from '../lib/answers.mjs';
import { measureRow } from '../lib/measure.mjs';
import { formatDifferences, summarizeDifferences } from '../lib/middleware-table.mjs';
import { TEXT_16K, TEXT_1K, USER } from '../lib/middleware-texts.mjs';
import { estimateSeconds } from '../lib/row-plan.mjs';

const stack = {
  'x-request-id': /^[\w-]{20}$/,
  'access-control-allow-origin': 'https://app.example',
  'content-security-policy': /^default-src/,
};
const origin = { Origin: 'https://app.example' };
const forwarded = { 'X-Forwarded-For': '203.0.113.9', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'app.example' };
const credentials = Buffer.from(`${USER.name}:${USER.password}`).toString('base64');
const compressed = { 'Accept-Encoding': 'gzip, deflate, br' };
const post = { method: 'POST', bodyBytes: 16 };
const sameSite = { 'Sec-Fetch-Site': 'same-origin', Origin: 'https://app.example' };

/** `adds` are headers that must be there with the middleware and not without it. */
const rows = [
  { id: 'nothing', title: 'nothing, for comparison' },
  { id: 'requestId', title: 'requestId', adds: { 'x-request-id': stack['x-request-id'] } },
  { id: 'accessLog', title: 'accessLog to /dev/null' },
  { id: 'cors', title: 'cors, simple request', headers: origin, adds: { vary: 'Origin', 'access-control-allow-origin': origin.Origin } },
  { id: 'secureHeaders', title: 'secureHeaders', adds: { 'content-security-policy': /^default-src/, 'referrer-policy': 'no-referrer' } },
  { id: 'stack', title: 'requestId, accessLog, cors and secureHeaders', headers: origin, adds: stack },
  { id: 'rawStack', title: 'the same, by hand on uWebSockets.js alone', headers: origin, adds: stack },
  { id: 'proxyHeaders', title: 'proxyHeaders, three headers taken', headers: forwarded },
  { id: 'timeout', title: 'timeout' },
  { id: 'cleanPath', title: 'cleanPath' },
  { id: 'bodyLimit', title: 'bodyLimit, POST of 16 bytes', ...post },
  { id: 'serverTiming', title: 'serverTiming', adds: { 'server-timing': /^total;dur=/ } },
  { id: 'health', title: 'health, another path' },
  { id: 'prometheusMetrics', title: 'prometheusMetrics, without a route' },
  { id: 'mount', title: 'mount', path: 'shop' },
  { id: 'csrf', title: 'csrf, POST of 16 bytes from the same site', headers: sameSite, ...post },
  { id: 'rateLimit', title: 'rateLimit', adds: { ratelimit: /^"default";r=\d+;t=\d+$/ } },
  { id: 'authenticate', title: 'authenticate, basic', headers: { Authorization: `Basic ${credentials}` } },
  { id: 'session', title: 'session, read from the sealed cookie', findHeaders: findCookie, adds: { vary: 'Cookie' } },
  { id: 'etag', title: 'etag', adds: { etag: /^"/ } },
  { id: 'errorPage', title: 'errorPage, no error' },
  { id: 'compress1k', title: 'compress, 1 KiB of text', headers: compressed, body: TEXT_1K, adds: { 'content-encoding': 'br' } },
  { id: 'compress16k', title: 'compress, 16 KiB of text', headers: compressed, body: TEXT_16K, adds: { 'content-encoding': 'br' } },
].map(({ method = 'GET', path = '', headers = {}, bodyBytes = 0, body = HELLO, adds = {}, ...row }) => ({
  ...row,
  request: { method, path, headers, bodyBytes },
  findAnswer: ({ id }) => ({
    status: 200,
    headers: { 'content-type': /^text\/plain\b/, ...(id === 'with' ? adds : withoutAny(adds)) },
    body: Buffer.from(body),
  }),
}));

const servers = [
  { id: 'without', title: 'without', file: 'middleware/vela.mjs', args: ['without'], packages: [] },
  { id: 'with', title: 'with', file: 'middleware/vela.mjs', args: ['with'], packages: [] },
];

const full = { rounds: 24, seconds: 0.25, warmUpSeconds: 0.1 };

/** What each middleware adds to a request. */
export const middleware = {
  id: 'middleware',
  title: 'Middleware',
  rows,
  servers,
  full,
  quick: { ...full, rounds: 3 },
  estimateSeconds,
  measureRow,
  summarizeRow: summarizeDifferences,
  formatOverview: formatDifferences,
  introduction: `CPU time that each middleware adds to a request, on uWebSockets.js. The first line, where nothing is added, shows what a
difference means: what is not larger is none. The application answers \`Hello World!\`, of one header, in the callback; for
session, etag, errorPage and compress it returns a WsgiResponse (to session it does so behind an await).`,
  describeLoad: (plan) => [
    `${plan.rounds} rounds; in each, the same application with and without, one after the other: ${plan.warmUpSeconds} s warm-up, ${plan.seconds} s window`,
    `${plan.connections} connections, one wrk thread`,
  ],
};

function withoutAny(adds) {
  return Object.fromEntries(Object.keys(adds).map((name) => [name, undefined]));
}

/** Logs in at the server with sessions; both servers are sent the cookie. */
async function findCookie(_one, _row, started) {
  const { url } = started.find(({ server }) => server.id === 'with') ?? started[0];
  const [cookie] = (await fetch(`${url}login`)).headers.getSetCookie();
  return cookie === undefined ? {} : { Cookie: cookie.slice(0, cookie.indexOf(';')) };
}
