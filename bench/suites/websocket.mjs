import { formatExecutor, formatExecutorOverview, summarizeExecutor } from '../lib/executor-table.mjs';
import { estimateWebSockets, measureWebSockets } from '../lib/measure-websockets.mjs';

const columns = [
  { key: 'cpuUs', title: 'CPU µs', digits: 2, isLessBetter: true },
  { key: 'perSecond', title: 'messages/s', digits: 0 },
];
const echo = (id, size, messageBytes, connections) => ({
  id,
  title: `Echo of ${size}, ${connections} connections`,
  messageBytes,
  connections,
  senders: connections,
  columns,
});
const fan = (connections) => ({
  id: `fan${connections}`,
  title: `64 B to ${connections} subscribers, for each of them`,
  messageBytes: 64,
  connections,
  senders: 1,
  columns,
});
const rows = [
  echo('echo64', '64 B', 64, 64),
  echo('echo16k', '16 KiB', 16_384, 16),
  fan(100),
  fan(1000),
  {
    id: 'idle',
    title: '10,000 idle connections',
    messageBytes: 64,
    connections: 10_000,
    senders: 0,
    columns: [{ key: 'mib', title: 'resident MiB', digits: 1, isLessBetter: true }],
  },
].map((row) => ({ ...row, baseline: 'raw' }));

const full = { rounds: 7, seconds: 2, warmUpSeconds: 1 };

/** WebSockets: messages there and back, and to many. */
export const webSocket = {
  id: 'websocket',
  title: 'WebSockets',
  rows,
  servers: [
    { id: 'vela', title: 'vela', file: 'websocket/vela.mjs', args: ['uws'], packages: [] },
    { id: 'raw', title: 'raw uWebSockets.js', file: 'websocket/raw.mjs', args: [], packages: ['uWebSockets.js'] },
    { id: 'vela-node', title: 'vela, node gateway', file: 'websocket/vela.mjs', args: ['node'], packages: [] },
    { id: 'ws', title: 'ws', file: 'websocket/ws.mjs', args: [], packages: ['ws'] },
  ],
  full,
  quick: { ...full, rounds: 1, seconds: 1 },
  estimateSeconds: estimateWebSockets,
  measureRow: measureWebSockets,
  summarizeRow: summarizeExecutor,
  formatRow: formatExecutor,
  formatOverview: formatExecutorOverview,
  introduction: `CPU time of the server for a message that it gets and sends back, or sends to one of many. The ratio is that of the first figure,
round by round; more is better. The generator writes frames itself, in a process of its own.`,
  describeLoad: (plan) => [
    `${plan.rounds} rounds; in each, every one in a new order and a new process: ${plan.warmUpSeconds} s warm-up, ${plan.seconds} s measured`,
    'Of an echo each connection has one message under way; of a broadcast its one sender has two',
  ],
};
