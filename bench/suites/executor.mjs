import { HASH_THREADS } from '../lib/executor-answers.mjs';
import { formatExecutor, formatExecutorOverview, summarizeExecutor } from '../lib/executor-table.mjs';
import { findGunicorn, startGunicorn } from '../lib/gunicorn-process.mjs';
import { estimateExecutor, measureExecutor } from '../lib/measure-executor.mjs';

const perSecond = { key: 'perSecond', title: 'calls/s', digits: 0 };
const cpu = { key: 'cpuUs', title: 'CPU µs', digits: 1 };
const latency = [
  { key: 'p50Us', title: 'p50 µs', digits: 0, isLessBetter: true },
  { key: 'p99Us', title: 'p99 µs', digits: 0 },
];
const live = [
  { key: 'p99Ms', title: 'p99 ms', digits: 1, isLessBetter: true },
  { key: 'p50Ms', title: 'p50 ms', digits: 2 },
  { key: 'maxMs', title: 'worst ms', digits: 1 },
  { key: 'slowPerSecond', title: 'slow ones/s', digits: 0 },
];

const rows = [
  {
    id: 'calls',
    title: 'A call that does nothing, one thread',
    kind: 'calls',
    inFlight: 64,
    baseline: 'piscina',
    columns: [perSecond, cpu, ...latency],
  },
  { id: 'alone', title: 'The same, one at a time', kind: 'calls', inFlight: 1, baseline: 'piscina', columns: [...latency, cpu] },
  ...[
    ['body1k', '1 KiB', 1024],
    ['body1m', '1 MiB', 1024 ** 2],
  ].map(([id, size, bodyBytes]) => ({
    id,
    title: `${size} to a thread and back, one at a time`,
    kind: 'calls',
    inFlight: 1,
    bodyBytes,
    baseline: 'bare',
    columns: [...latency, cpu],
  })),
  { id: 'wait4', title: 'A trivial route, while four handlers wait 50 ms each', kind: 'live', columns: live },
  { id: 'compute2', title: 'The same, while four compute 50 ms each on two threads', kind: 'live', columns: live },
  { id: 'compute4', title: 'The same, on four threads', kind: 'live', columns: live },
  {
    id: 'stream',
    title: '1 GiB from a generator',
    kind: 'stream',
    baseline: 'loop',
    columns: [
      { key: 'megabytesPerSecond', title: 'MB/s', digits: 0 },
      { key: 'cpuSeconds', title: 'CPU s', digits: 1 },
      { key: 'growthMib', title: 'memory + MiB', digits: 1 },
    ],
  },
  {
    id: 'hash',
    title: `scrypt in each request, ${HASH_THREADS} threads, 16 connections`,
    kind: 'hash',
    connections: 16,
    baseline: 'express',
    columns: [
      { key: 'perSecond', title: 'requests/s', digits: 1 },
      { key: 'p50Ms', title: 'p50 ms', digits: 0 },
      { key: 'p99Ms', title: 'p99 ms', digits: 0 },
    ],
  },
];

const bodies = ['body1k', 'body1m'];
const blocking = ['wait4', 'compute2', 'compute4', 'stream'];
const argsFor = (ids, args) => Object.fromEntries(ids.map((id) => [id, args]));

const servers = [
  { id: 'app', title: 'vela, an application', file: 'executor/calls-vela.mjs', rows: ['calls', 'alone', ...bodies] },
  {
    id: 'run',
    title: 'vela, executor.run()',
    file: 'executor/calls-vela.mjs',
    rows: ['calls', 'alone', ...bodies],
    args: argsFor(['calls', 'alone', ...bodies], ['run']),
  },
  {
    id: 'piscina',
    title: 'piscina',
    file: 'executor/calls-piscina.mjs',
    packages: ['piscina'],
    rows: ['calls', 'alone'],
    args: { calls: ['16'], alone: ['1'] },
    inFlight: { calls: 16 },
  },
  { id: 'bare', title: 'worker_threads, an ArrayBuffer', file: 'executor/calls-bare.mjs', rows: bodies },
  {
    id: 'thread',
    title: 'vela, in a thread',
    file: 'executor/http-vela.mjs',
    rows: [...blocking, 'hash'],
    args: argsFor([...blocking, 'hash'], ['thread']),
  },
  { id: 'loop', title: 'vela, on the loop', file: 'executor/http-vela.mjs', rows: ['wait4', 'compute2', 'stream', 'hash'] },
  { id: 'express', title: 'express and piscina', file: 'executor/express.mjs', packages: ['express', 'piscina'], rows: ['hash'] },
  { id: 'fastify', title: 'fastify-piscina', file: 'executor/fastify.mjs', packages: ['fastify', 'fastify-piscina'], rows: ['hash'] },
  { id: 'gunicorn', title: 'gunicorn, gthread', rows: ['hash'], start: startGunicorn },
].map((server) => ({ args: {}, packages: [], ...server }));

const full = { rounds: 7, seconds: 2, warmUpSeconds: 1 };

/** Finds gunicorn, which is no package of npm. */
async function setUp({ servers: chosen }) {
  for (const server of chosen.filter(({ id }) => id === 'gunicorn')) {
    const version = await findGunicorn();
    if (version === undefined) server.missing = 'not installed';
    else server.version = version;
  }
  return { tearDown: async () => {} };
}

/** Calls in threads, and what a server is like while they run. */
export const executor = {
  id: 'executor',
  title: 'Threads',
  rows,
  servers,
  full,
  quick: { ...full, rounds: 1, seconds: 1 },
  setUp,
  estimateSeconds: estimateExecutor,
  measureRow: measureExecutor,
  summarizeRow: summarizeExecutor,
  formatRow: formatExecutor,
  formatOverview: formatExecutorOverview,
  introduction: `What a call into a thread takes, and what it spares the others. An application's call has 30 request headers. The ratio is that
of the first figure, round by round; more is better. \`worker_threads, an ArrayBuffer\` hands a buffer over and back and does
nothing else: no request, no status, no headers. On the loop, a handler that blocks holds everybody.`,
  describeLoad: (plan) => [
    `${plan.rounds} rounds; in each, every one in a new order and a new process: ${plan.warmUpSeconds} s warm-up, ${plan.seconds} s measured`,
    'A trivial route is asked every 2 ms on a connection of its own; the generator shares the cores with the threads',
  ],
};
