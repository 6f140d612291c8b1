import { measureRow } from '../lib/measure.mjs';
import { estimateSeconds } from '../lib/row-plan.mjs';
import { rows } from '../lib/rows.mjs';
import { servers } from '../lib/servers.mjs';
import { summarizeRow } from '../lib/summary.mjs';
import { formatOverview, formatRow } from '../lib/table.mjs';

// Many short windows, because the machine's own speed drifts over seconds: four copies of raw in the hello row came out
// within 3 % of each other this way, and within 10 % with 9 rounds of 2 s, which take as long.
const full = { rounds: 40, seconds: 0.3, warmUpSeconds: 0.1 };

/** What a server itself costs, beside hand-written uWebSockets.js. */
export const core = {
  id: 'core',
  title: 'Servers',
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
1.00: a server at 0.50 spends twice the CPU time on the same work. More is better.`,
  describeLoad: (plan) => [
    `${plan.rounds} rounds (fewer and longer for large and stream); in each, every server in a new order: ${plan.warmUpSeconds} s warm-up, ${plan.seconds} s window`,
    `${plan.connections} connections (large: at most 16, stream: at most 8)${plan.pipeline > 1 ? `, ${plan.pipeline} requests at once on each` : ''}, one wrk thread`,
  ],
};
