import { measureRow } from '../lib/measure.mjs';
import { ASKED } from '../lib/router-answers.mjs';
import { estimateSeconds } from '../lib/row-plan.mjs';
import { summarizeRow } from '../lib/summary.mjs';
import { formatOverview, formatRow } from '../lib/table.mjs';

const answer = {
  status: 200,
  headers: { 'content-type': /^application\/json\b/ },
  body: Buffer.from(JSON.stringify({ id: ASKED.id })),
};
const rows = [
  { id: 'routes', title: '100 routes, JSON with a parameter', baseline: 'raw' },
  { id: 'stack', title: 'Three middleware and 100 routes', baseline: 'raw' },
  { id: 'size', title: '10 routes and 1,000', baseline: 'vela-10' },
].map((row) => ({ ...row, pipelined: true, request: { method: 'GET', path: ASKED.path, headers: {}, bodyBytes: 0 }, answer }));

const compared = ['routes', 'stack'];
const servers = [
  { id: 'vela', title: 'vela', file: 'router/vela.mjs', rows: compared },
  { id: 'raw', title: 'raw uWebSockets.js', file: 'router/raw.mjs', packages: ['uWebSockets.js'], rows: compared },
  { id: 'hyper-express', title: 'hyper-express', file: 'router/hyper-express.mjs', packages: ['hyper-express'], rows: compared },
  {
    id: 'ultimate-express',
    title: 'ultimate-express',
    file: 'router/ultimate-express.mjs',
    packages: ['ultimate-express'],
    rows: compared,
  },
  { id: 'fastify', title: 'fastify', file: 'router/fastify.mjs', packages: ['fastify'], rows: compared },
  { id: 'hono', title: 'hono on node-server', file: 'router/hono.mjs', packages: ['hono', '@hono/node-server'], rows: compared },
  { id: 'node', title: 'node:http and find-my-way', file: 'router/node.mjs', packages: ['find-my-way'], rows: compared },
  { id: 'vela-10', title: 'vela, 10 routes', file: 'router/vela.mjs', args: ['10'], rows: ['size'] },
  { id: 'vela-1000', title: 'vela, 1,000 routes', file: 'router/vela.mjs', args: ['1000'], rows: ['size'] },
].map((server) => ({ args: [], packages: [], ...server }));

const full = { rounds: 40, seconds: 0.3, warmUpSeconds: 0.1 };

/** Routed requests over sockets, beside hand-written uWebSockets.js with its own router. */
export const router = {
  id: 'router',
  title: 'Routed requests',
  rows,
  servers,
  full,
  quick: { ...full, rounds: 5 },
  estimateSeconds,
  measureRow,
  summarizeRow: (measured) => summarizeRow(measured, measured.row.baseline),
  formatRow: (summary) => formatRow(summary, summary.row.baseline),
  formatOverview,
  introduction: `CPU time per request of the server process (all threads, user and system) beside hand-written uWebSockets.js with its own
router, which is 1.00; in \`size\` beside vela with 10 routes. More is better. One route is without parameters, the others have
one each; a route with a parameter is asked for, and answers with it in JSON.`,
  describeLoad: (plan) => [
    `${plan.rounds} rounds; in each, every server in a new order: ${plan.warmUpSeconds} s warm-up, ${plan.seconds} s window`,
    `${plan.connections} connections${plan.pipeline > 1 ? `, ${plan.pipeline} requests at once on each` : ''}, one wrk thread`,
  ],
};
