import { createUploadFolder } from '../lib/upload-folder.mjs';
import { BIG, estimateUploads, measureUploads, SMALL } from '../lib/measure-uploads.mjs';
import { formatUploads, formatUploadsOverview, summarizeUploads } from '../lib/upload-table.mjs';

const BASELINE = 'fastify-multipart';

const rows = [
  { id: 'away', title: '100 MiB, read and thrown away', mode: 'away', upload: SMALL },
  { id: 'saved', title: '100 MiB, saved to disk', mode: 'saved', upload: SMALL },
  { id: 'away-1g', title: '1 GiB, read and thrown away', mode: 'away', upload: BIG, share: 0.4 },
  { id: 'saved-1g', title: '1 GiB, saved to disk', mode: 'saved', upload: BIG, share: 0.4 },
];
const away = ['away', 'away-1g'];
const saved = ['saved', 'saved-1g'];

const servers = [
  { id: 'vela', title: 'vela', file: 'multipart/vela.mjs', args: ['uws'] },
  { id: 'vela-node', title: 'vela on node:http', file: 'multipart/vela.mjs', args: ['node'] },
  {
    id: BASELINE,
    title: '@fastify/multipart',
    file: 'multipart/fastify.mjs',
    packages: ['@fastify/multipart', 'fastify'],
  },
  { id: 'multer', title: 'multer in express', file: 'multipart/multer.mjs', rows: saved, packages: ['multer', 'express'] },
  { id: 'none', title: 'node:http, nothing parsed', file: 'multipart/node.mjs', rows: away },
].map((server) => ({ args: [], packages: [], ...server }));

const full = { rounds: 20, seconds: 1, warmUpSeconds: 1 };

/** Uploads of one file in a form, beside @fastify/multipart. */
export const multipart = {
  id: 'multipart',
  title: 'Uploads',
  rows,
  servers,
  full,
  quick: { ...full, rounds: 4 },
  setUp: createUploadFolder,
  estimateSeconds: estimateUploads,
  measureRow: measureUploads,
  summarizeRow: (measured) => summarizeUploads(measured, BASELINE),
  formatRow: (summary) => formatUploads(summary, '@fastify/multipart'),
  formatOverview: formatUploadsOverview,
  introduction: `A form with one file, on one connection. MB/s beside @fastify/multipart, which is 1.00: a server at 2.00 takes half the time.
More is better. What \`saved\` costs is mostly the kernel's: on this machine the same 512 MiB, written by nothing but a loop, took
110 to 940 ms of CPU time, so read the least beside the median.`,
  describeLoad: (plan) => [
    `${plan.rounds} rounds (fewer for 1 GiB); in each, one upload to every server in a new order`,
    'The sender is a process of its own that writes a prepared buffer to a socket; "nothing parsed" shows what it can do',
  ],
};
