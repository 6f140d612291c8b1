import { measureRow } from '../lib/measure.mjs';
import { estimateSeconds } from '../lib/row-plan.mjs';
import { rows } from '../lib/rows.mjs';
import { formatPairs, formatPairsOverview, summarizePairs } from '../lib/pair-table.mjs';

const preload = new URL('../../dist/http/register.js', import.meta.url).href;

/** The same program, whose servers are Vela's. */
const onVela = (server) => ({ ...server, id: `${server.id}-vela`, title: `${server.title}, on Vela`, nodeArgs: ['--import', preload], pair: server.id });

const own = [
  { id: 'node', title: 'node:http', file: 'node.mjs' },
  { id: 'express', title: 'express', file: 'express.mjs', packages: ['express'] },
  { id: 'koa', title: 'koa', file: 'koa.mjs', packages: ['koa'] },
  { id: 'fastify', title: 'fastify', file: 'fastify.mjs', packages: ['fastify'] },
  { id: 'hono', title: 'hono on node-server', file: 'hono.mjs', packages: ['hono', '@hono/node-server'] },
];

const servers = [
  ...own.flatMap((server) => (server.id === 'hono' ? [server] : [server, onVela(server)])),
  { id: 'hono-vela', title: 'hono by fromFetch', file: 'adapters/hono-vela.mjs', packages: ['hono'], pair: 'hono' },
  { id: 'hono-node-gateway', title: 'hono by fromFetch, node gateway', file: 'adapters/hono-vela.mjs', args: ['node'], pair: 'hono' },
].map((server) => ({ args: [], packages: [], ...server }));

const upload = {
  id: 'upload',
  title: 'POST 1 MiB, counted as it comes',
  maximumConnections: 8,
  minimumSeconds: 1.2,
  request: { method: 'POST', path: '', headers: { 'Content-Type': 'application/octet-stream' }, bodyBytes: 1 << 20 },
  answer: { status: 200, headers: { 'content-type': /^text\/plain\b/ }, body: Buffer.from(String(1 << 20)) },
};

const full = { rounds: 20, seconds: 0.3, warmUpSeconds: 0.1 };

/** Applications of frameworks, on their own servers and on Vela's. */
export const adapters = {
  id: 'adapters',
  title: 'Adapters',
  rows: [...rows, upload],
  servers,
  full,
  quick: { ...full, rounds: 5 },
  estimateSeconds,
  measureRow,
  summarizeRow: summarizePairs,
  formatRow: formatPairs,
  formatOverview: formatPairsOverview,
  introduction: `CPU time per request of the server process (all threads, user and system), of the same program on its own server and on
Vela's: by \`--import vela/http/register\`, or by \`fromFetch\`. How many times as much its own server takes, round by round: more is better, and above 1.00 Vela
takes less. The rows are those of [Servers](#servers), and an upload.`,
  describeLoad: (plan) => [
    `${plan.rounds} rounds (fewer and longer for large, stream and upload); in each, every server in a new order: ${plan.warmUpSeconds} s warm-up, ${plan.seconds} s window`,
    `${plan.connections} connections (large: at most 16, stream and upload: at most 8), one wrk thread`,
  ],
};
