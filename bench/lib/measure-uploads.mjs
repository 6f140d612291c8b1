import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { onCores } from './cores.mjs';
import { shuffle } from './measure.mjs';
import { readMemory, resetPeak } from './memory.mjs';
import { startModule, withTimeout } from './processes.mjs';
import { startServer } from './server-process.mjs';
import { emptyUploads, listUploads } from './upload-folder.mjs';
import { BLOCK, hashBlocks } from './upload-form.mjs';

const UPLOAD_TIMEOUT_MS = 120_000;
const START_TIMEOUT_MS = 20_000;
/** Uploads before the first round, so that the compiler has seen the code and memory has grown to its usual size. */
const FIRST_UPLOADS = 2;

/** Sizes of uploads, in blocks of 4 MiB; what one takes, for the estimate. */
export const SMALL = { blocks: 25, seconds: 0.6 };
export const BIG = { blocks: 256, seconds: 5 };

/** Measures one row: starts its servers, checks every byte of an upload, then sends one to each in every round. */
export async function measureUploads(row, plan, report) {
  const { servers, rounds } = planUploads(row, plan);
  const started = [];
  const sender = await startSender(plan.cores);
  try {
    for (const server of servers) started.push({ ...(await startServer(server, row, plan)), windows: [] });
    for (const one of started) {
      await verifyUpload(one, row, { sender, folder: plan.folder });
      report(`${row.id}: ${one.server.title} takes every byte`);
    }
    for (const one of started) {
      for (let turn = 0; turn < FIRST_UPLOADS; turn++) await measureOne(one, row, { sender, folder: plan.folder });
    }
    for (let round = 1; round <= rounds; round++) {
      for (const one of shuffle(started)) {
        one.windows.push(await measureOne(one, row, { sender, folder: plan.folder }));
      }
      const latest = started.map(({ server, windows }) => `${server.id} ${windows.at(-1).megabytesPerSecond.toFixed(0)}`);
      report(`${row.id}: round ${round} of ${rounds}, MB/s: ${latest.join(', ')}`);
    }
    return { row, results: started.map(({ server, windows }) => ({ server, windows })) };
  } finally {
    sender.stop();
    for (const one of started) await one.stop();
  }
}

export function estimateUploads(plan) {
  const perRow = plan.rows.map((row) => {
    const { servers, rounds } = planUploads(row, plan);
    return servers.length * (1 + (rounds + FIRST_UPLOADS + 1) * row.upload.seconds);
  });
  return Math.ceil(perRow.reduce((sum, one) => sum + one, 0));
}

function planUploads(row, plan) {
  return {
    servers: plan.servers.filter((server) => server.rows?.includes(row.id) ?? true),
    rounds: Math.max(1, Math.round(plan.rounds * (row.share ?? 1))),
  };
}

/** Asks for a hash of what was thrown away; what was saved is read. */
async function verifyUpload(one, row, { sender, folder }) {
  const { blocks } = row.upload;
  const { sha256 } = await sender.send(one, '/checked', blocks);
  const [path, ...others] = await listUploads(folder);
  const found = row.mode === 'saved' && path !== undefined ? await hashFile(path) : sha256;
  await emptyUploads(folder);
  if (others.length > 0) throw new Error(`${one.server.title}, row "${row.id}": saved more than one file`);
  // A server that parses nothing has no file to hash.
  if (one.server.id === 'none') return;
  if (found !== hashBlocks(blocks)) throw new Error(`${one.server.title}, row "${row.id}": other bytes arrived`);
}

async function hashFile(path) {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

async function measureOne(one, row, { sender, folder }) {
  const memory = await resetPeak(one.pid);
  const before = await one.readUsage();
  const { ms } = await sender.send(one, '/', row.upload.blocks);
  const after = await one.readUsage();
  const peak = await readMemory(one.pid, 'VmHWM');
  await emptyUploads(folder);
  return {
    cpuMs: (after.cpuUs - before.cpuUs) / 1000,
    megabytesPerSecond: (row.upload.blocks * BLOCK.length) / 1e6 / (ms / 1000),
    growthBytes: memory === undefined ? undefined : Math.max(0, peak - memory),
  };
}

async function startSender(cores) {
  const [execPath, ...execArgv] = onCores(cores?.generator, [process.execPath]);
  const child = startModule(fileURLToPath(new URL('uploader.mjs', import.meta.url)), [], {
    execPath,
    execArgv,
    stdio: ['ignore', 2, 2, 'ipc'],
  });
  await withTimeout(once(child, 'message'), START_TIMEOUT_MS, () => new Error('The sender did not start'));
  return { send: (one, path, blocks) => sendForm(child, one, { path, blocks }), stop: () => child.kill('SIGKILL') };
}

/** @returns the answer's fields, and `ms`, the time that the upload took */
async function sendForm(child, { server, url }, { path, blocks }) {
  const report = once(child, 'message');
  child.send({ port: new URL(url).port, path, blocks });
  const timedOut = () => new Error(`${server.title} did not take an upload in ${UPLOAD_TIMEOUT_MS / 1000} s`);
  const [{ ms, text, error }] = await withTimeout(report, UPLOAD_TIMEOUT_MS, timedOut);
  if (error !== undefined || !text.startsWith('200 ')) throw new Error(`${server.title}: ${error ?? text}`);
  const answer = JSON.parse(text.slice(4));
  const wanted = blocks * BLOCK.length;
  if (answer.bytes !== wanted) throw new Error(`${server.title} took ${answer.bytes} bytes of ${wanted}`);
  return { ms, ...answer };
}
