import { executor } from './executor.mjs';

const latency = [
  { key: 'p50Us', title: 'p50 µs', digits: 0, isLessBetter: true },
  { key: 'p99Us', title: 'p99 µs', digits: 0 },
  { key: 'cpuUs', title: 'CPU µs here', digits: 1 },
];
const throughput = [
  { key: 'perSecond', title: 'messages/s', digits: 0 },
  { key: 'cpuUs', title: 'CPU µs here', digits: 1 },
];
const kinds = ['process', 'thread'];
const rows = kinds.flatMap((kind) => [
  { id: `${kind}1`, title: `To a ${kind} and back, one at a time`, inFlight: 1, columns: latency },
  { id: `${kind}64`, title: `To a ${kind} and back, 64 under way`, inFlight: 64, columns: throughput },
]);
const args = Object.fromEntries(rows.map(({ id }) => [id, [id.replace(/\d+/, '')]]));
const ids = rows.map(({ id }) => id);

/** Messages between actors. */
export const actors = {
  ...executor,
  id: 'actors',
  title: 'Actors',
  rows: rows.map((row) => ({ ...row, kind: 'calls', baseline: 'plain' })),
  servers: [
    { id: 'vela', title: 'vela, send()', file: 'actors/vela.mjs', packages: [], rows: ids, args },
    { id: 'plain', title: 'by hand', file: 'actors/plain.mjs', packages: [], rows: ids, args },
  ],
  setUp: async () => ({ tearDown: async () => {} }),
  introduction: `A short text to an actor and back, beside \`child_process\` (advanced serialization) and \`worker_threads\` by hand, with
tickets to tell answers apart and nothing else. The ratio is that of the first figure, round by round; more is better.`,
  describeLoad: (plan) => [
    `${plan.rounds} rounds; in each, both in a new order and a new process: ${plan.warmUpSeconds} s warm-up, ${plan.seconds} s measured`,
  ],
};
