import { measureRow } from '../lib/measure.mjs';
import { estimateSeconds } from '../lib/row-plan.mjs';
import { rows } from '../lib/rows.mjs';
import { summarizeRow } from '../lib/summary.mjs';
import { formatOverview, formatRow } from '../lib/table.mjs';

/** Each framework on its own server and on Vela's: one line a pair. */
const servers = [
  { id: 'raw', title: 'raw uWebSockets.js', file: 'raw.mjs', packages: ['uWebSockets.js'] },
  { id: 'hono', title: 'hono by fromFetch', file: 'adapters/hono-vela.mjs', packages: ['hono'] },
  { id: 'hono-node-gateway', title: 'hono by fromFetch, node gateway', file: 'adapters/hono-vela.mjs', args: ['node'] },
  { id: 'hono-node-server', title: 'hono on node-server', file: 'hono.mjs', packages: ['hono', '@hono/node-server'] },
].map((server) => ({ args: [], packages: [], ...server }));

const full = { rounds: 40, seconds: 0.3, warmUpSeconds: 0.1 };

/** Applications of frameworks, by Vela's adapters and on their own servers. */
export const adapters = {
  id: 'adapters',
  title: 'Adapters',
  rows,
  servers,
  full,
  quick: { ...full, rounds: 5 },
  estimateSeconds,
  measureRow,
  summarizeRow: (measured) => summarizeRow(measured, 'raw'),
  formatRow: (summary) => formatRow(summary, 'raw'),
  formatOverview,
  introduction: `CPU time per request of the server process (all threads, user and system) beside hand-written uWebSockets.js, which is
1.00. More is better. The rows are those of [Servers](#servers); the same application of a framework is served by Vela's
adapter and by the framework's own server.`,
  describeLoad: (plan) => [
    `${plan.rounds} rounds (fewer and longer for large and stream); in each, every server in a new order: ${plan.warmUpSeconds} s warm-up, ${plan.seconds} s window`,
    `${plan.connections} connections (large: at most 16, stream: at most 8)${plan.pipeline > 1 ? `, ${plan.pipeline} requests at once on each` : ''}, one wrk thread`,
  ],
};
