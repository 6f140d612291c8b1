import { estimateRouters, measureRouters } from '../lib/measure-routers.mjs';
import { formatRouters, formatRoutersOverview, summarizeRouters } from '../lib/router-table.mjs';

const BASELINE = 'vela';

const rows = [
  { id: 'github', title: "GitHub's API, 203 routes", table: 'github' },
  ...[10, 100, 1000, 10_000].flatMap((size) => {
    const count = size.toLocaleString('en-US');
    return [
      { id: `spread${size}`, title: `${count} routes`, table: 'spread', size },
      { id: `prefix${size}`, title: `${count} routes below one prefix`, table: 'prefix', size },
    ];
  }),
  { id: 'hostile', title: "Hostile paths of 8 KiB, GitHub's table and three routes more", table: 'hostile', isHostile: true },
];

const servers = [
  { id: 'vela', title: 'vela', file: 'router-memory/vela.mjs' },
  { id: 'vela-strict', title: 'vela, sensitive, no trailing slash', file: 'router-memory/vela.mjs', args: ['strict'] },
  { id: 'find-my-way', title: 'find-my-way', file: 'router-memory/find-my-way.mjs', packages: ['find-my-way'] },
  { id: 'memoirist', title: 'memoirist', file: 'router-memory/memoirist.mjs', packages: ['memoirist'] },
  { id: 'rou3', title: 'rou3', file: 'router-memory/rou3.mjs', packages: ['rou3'] },
  { id: 'hono-regexp', title: 'hono RegExpRouter', file: 'router-memory/hono-regexp.mjs', packages: ['hono'] },
  { id: 'hono-trie', title: 'hono TrieRouter', file: 'router-memory/hono-trie.mjs', packages: ['hono'] },
  { id: 'path-to-regexp', title: 'path-to-regexp, one by one', file: 'router-memory/path-to-regexp.mjs', packages: ['path-to-regexp'] },
].map((server) => ({ args: [], packages: [], ...server }));

const full = { rounds: 11, seconds: 0.3, warmUpSeconds: 0.2 };

/** From a method and a path to a handler and parameters, without a server. */
export const routerMemory = {
  id: 'router-memory',
  title: 'Routers in memory',
  hasLoad: false,
  rows,
  servers,
  full,
  quick: { ...full, rounds: 2 },
  estimateSeconds: estimateRouters,
  measureRow: measureRouters,
  summarizeRow: (measured) => summarizeRouters(measured, BASELINE),
  formatRow: (summary) => formatRouters(summary, BASELINE),
  formatOverview: formatRoutersOverview,
  introduction: `CPU time of a match: from a method and a path to a handler and an object of parameters. Less is better in the first table; in
those below it vela is 1.00, and a router at 0.50 takes twice as long. Paths are texts that no router has seen before, as from
a socket. vela and path-to-regexp take upper and lower case and one slash more at the end, the others do not.`,
  describeLoad: (plan) => [
    `${plan.rounds} rounds; in each, every router in a new order and a new process: ${plan.warmUpSeconds} s warm-up, ${plan.seconds} s measured`,
  ],
};
