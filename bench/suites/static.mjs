import { createStaticFiles, STATIC_FILES } from '../lib/static-files.mjs';
import { measureRow } from '../lib/measure.mjs';
import { findNginx, startNginx } from '../lib/nginx-process.mjs';
import { estimateSeconds } from '../lib/row-plan.mjs';
import { summarizeRow } from '../lib/summary.mjs';
import { formatOverview, formatRow } from '../lib/table.mjs';

const BASELINE = 'fastify-static';
const binary = { 'content-type': /^application\/octet-stream$/, 'cache-control': 'public, max-age=0', etag: /^(W\/)?"/ };
const [small, middle, large] = STATIC_FILES;
const get = { method: 'GET', headers: {}, bodyBytes: 0 };

const rows = [
  { id: '1k', title: 'File of 1 KiB', file: small },
  { id: '304', title: 'File of 1 KiB that the client has: If-None-Match, 304', file: small, isKept: true },
  { id: '100k', title: 'File of 100 KiB', file: middle, countBytes: true, minimumSeconds: 0.6 },
  { id: '10m', title: 'File of 10 MiB', file: large, countBytes: true, minimumSeconds: 1.2, maximumConnections: 16 },
].map(({ file, isKept, ...row }) => ({
  ...row,
  request: { ...get, path: file.name },
  findHeaders: isKept ? findTag : undefined,
  answer: isKept
    ? { status: 304, headers: { etag: binary.etag }, body: Buffer.alloc(0) }
    : { status: 200, headers: binary, body: file.bytes },
}));

const servers = [
  { id: 'vela', title: 'vela', file: 'static/vela.mjs', args: ['uws'] },
  { id: 'vela-node', title: 'vela on node:http', file: 'static/vela.mjs', args: ['node'] },
  { id: BASELINE, title: '@fastify/static', file: 'static/fastify.mjs', packages: ['@fastify/static', 'fastify'] },
  { id: 'serve-static', title: 'serve-static in express', file: 'static/express.mjs', packages: ['serve-static', 'express'] },
  { id: 'nginx', title: 'nginx', start: startNginx },
].map((server) => ({ args: [], packages: [], ...server }));

const full = { rounds: 30, seconds: 0.3, warmUpSeconds: 0.1 };

/** Files, beside @fastify/static. */
export const staticFiles = {
  id: 'static',
  title: 'Static files',
  rows,
  servers,
  full,
  quick: { ...full, rounds: 3 },
  estimateSeconds,
  async setUp(plan) {
    const nginx = plan.servers.find(({ id }) => id === 'nginx');
    const version = nginx && (await findNginx());
    if (nginx) Object.assign(nginx, version ? { version } : { missing: 'not installed' });
    return createStaticFiles();
  },
  measureRow,
  summarizeRow: (measured) => summarizeRow(measured, BASELINE),
  formatRow: (summary) => formatRow(summary, '@fastify/static'),
  formatOverview,
  introduction: `CPU time per request beside @fastify/static, which is 1.00: a server at 2.00 spends half the CPU time on the same file. More
is better. vela keeps files of up to 64 KiB in memory and looks at them once a second; the others look at the file, and read
it, for each request.`,
  describeLoad: (plan) => [
    `${plan.rounds} rounds (fewer and longer for 100k and 10m); in each, every server in a new order: ${plan.warmUpSeconds} s warm-up, ${plan.seconds} s window`,
    `${plan.connections} connections (10m: at most 16), one wrk thread; files in the page cache`,
  ],
};

/** Asks for the file once, to have its tag. */
async function findTag({ url }, row) {
  const response = await fetch(url + row.request.path);
  await response.arrayBuffer();
  return { 'If-None-Match': response.headers.get('etag') };
}
