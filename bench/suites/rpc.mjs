import { measureRow } from '../lib/measure.mjs';
import { estimateSeconds } from '../lib/row-plan.mjs';
import { MESSAGES } from '../lib/rpc-answers.mjs';
import { summarizeRow } from '../lib/summary.mjs';
import { formatOverview, formatRow } from '../lib/table.mjs';

const rows = [
  { id: 'add', title: 'The sum of two numbers' },
  { id: 'echo', title: 'An object of 1 KiB, there and back' },
  { id: 'batch', title: 'A batch of ten sums' },
].map((row) => {
  const [message, answer] = MESSAGES[row.id].map((value) => JSON.stringify(value));
  return {
    ...row,
    request: {
      method: 'POST',
      path: '',
      headers: { 'Content-Type': 'application/json' },
      body: message,
      bodyBytes: Buffer.byteLength(message),
    },
    answer: {
      status: 200,
      headers: { 'content-type': /^application\/json\b/ },
      body: Buffer.from(answer),
      // Members of objects have no order.
      parse: (bytes) => JSON.parse(bytes.toString()),
    },
  };
});

const servers = [
  { id: 'vela', title: 'vela', file: 'rpc/vela.mjs' },
  { id: 'vela-node', title: 'vela on node:http', file: 'rpc/vela.mjs', args: ['node'] },
  { id: 'raw', title: 'raw uWebSockets.js', file: 'rpc/raw.mjs', packages: ['uWebSockets.js'] },
  { id: 'jayson', title: 'jayson', file: 'rpc/jayson.mjs', packages: ['jayson'] },
].map((server) => ({ args: [], packages: [], ...server }));

const full = { rounds: 40, seconds: 0.3, warmUpSeconds: 0.1 };

/** JSON-RPC over HTTP, beside hand-written uWebSockets.js and jayson. */
export const rpc = {
  id: 'rpc',
  title: 'JSON-RPC',
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
1.00: it reads the body, parses it, calls the method, and checks nothing. More is better.`,
  describeLoad: (plan) => [
    `${plan.rounds} rounds; in each, every server in a new order: ${plan.warmUpSeconds} s warm-up, ${plan.seconds} s window`,
    `${plan.connections} connections, one wrk thread`,
  ],
};
