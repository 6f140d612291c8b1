import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { HASHED, STREAM } from './executor-answers.mjs';
import { shuffle } from './measure.mjs';
import { readMemory, resetPeak } from './memory.mjs';
import { startModule, withTimeout } from './processes.mjs';
import { startServer } from './server-process.mjs';
import { load } from './wrk.mjs';

/** Starting a process, and what is not measured. */
const START_SECONDS = 1;
const CHILD_TIMEOUT_MS = 60_000;
const STREAM_TIMEOUT_MS = 120_000;
const STREAM_SECONDS = 6;
/** Handlers that block at once, and how often the trivial route is asked. */
const SLOW = 4;
const QUICK_EVERY_MS = 2;

const measures = { calls: measureCalls, live: measureLive, stream: measureStream, hash: measureHash };

export function estimateExecutor(plan) {
  const seconds = plan.rows.map((row) => {
    const { servers, rounds } = planRow(row, plan);
    const each = row.kind === 'stream' ? STREAM_SECONDS : plan.seconds + plan.warmUpSeconds;
    return servers.length * rounds * (START_SECONDS + each);
  });
  return Math.ceil(seconds.reduce((sum, one) => sum + one, 0));
}

/** Measures one row: in each round every server, in a new order and each in a new process. */
export async function measureExecutor(row, plan, report) {
  const { servers, rounds } = planRow(row, plan);
  const results = servers.map((server) => ({ server, windows: [] }));
  for (let round = 1; round <= rounds; round++) {
    for (const { server, windows } of shuffle(results)) windows.push(await measures[row.kind](server, row, plan));
    const { key } = row.columns[0];
    const latest = results.map(({ server, windows }) => `${server.id} ${windows.at(-1)[key].toFixed(1)}`);
    report(`${row.id}: round ${round} of ${rounds}, ${row.columns[0].title}: ${latest.join(', ')}`);
  }
  return { row, results };
}

function planRow(row, plan) {
  const servers = plan.servers.filter((server) => server.rows.includes(row.id) && server.missing === undefined);
  return { servers, rounds: Math.max(1, Math.round(plan.rounds * (row.share ?? 1))) };
}

/** Calls without a socket, in a process that measures itself. */
async function measureCalls(server, row, { seconds, warmUpSeconds }) {
  const file = fileURLToPath(new URL(`../servers/${server.file}`, import.meta.url));
  const inFlight = server.inFlight?.[row.id] ?? row.inFlight;
  const settings = JSON.stringify({ row: { bodyBytes: row.bodyBytes ?? 0 }, inFlight, seconds, warmUpSeconds });
  const child = startModule(file, [settings, ...(server.args[row.id] ?? [])], { stdio: ['ignore', 2, 2, 'ipc'] });
  const figures = once(child, 'message').then(([message]) => message);
  const ended = once(child, 'exit').then(([code]) => {
    if (code !== 0) throw new Error(`${server.title}, row "${row.id}": ended with ${code}; its output is above`);
  });
  return await withTimeout(
    Promise.all([figures, ended]).then(([message]) => message),
    CHILD_TIMEOUT_MS,
    () => {
      child.kill('SIGKILL');
      return new Error(`${server.title}, row "${row.id}": not done after ${CHILD_TIMEOUT_MS / 1000} s`);
    },
  );
}

async function withServer(server, row, use) {
  const started = await (server.start ?? startServer)({ ...server, args: server.args[row.id] ?? [] }, row, {});
  try {
    return await use(started);
  } finally {
    await started.stop();
  }
}

/** The latency of a trivial route while handlers block. */
function measureLive(server, row, { seconds, warmUpSeconds }) {
  return withServer(server, row, async ({ url }) => {
    const agent = new Agent({ keepAlive: true });
    const slowAgent = new Agent({ keepAlive: true });
    let isOver = false;
    let slowCount = 0;
    const keepSlow = async () => {
      while (!isOver) {
        await ask(`${url}slow`, slowAgent);
        slowCount++;
      }
    };
    const slow = Promise.all(Array.from({ length: SLOW }, keepSlow));
    try {
      await sleep(warmUpSeconds * 1000);
      const latencies = [];
      const countBefore = slowCount;
      const beganMs = performance.now();
      while (performance.now() < beganMs + seconds * 1000) {
        const askedMs = performance.now();
        await ask(`${url}quick`, agent);
        latencies.push(performance.now() - askedMs);
        await sleep(QUICK_EVERY_MS);
      }
      latencies.sort((one, other) => one - other);
      const at = (share) => latencies[Math.floor(share * (latencies.length - 1))];
      const slowPerSecond = ((slowCount - countBefore) / (performance.now() - beganMs)) * 1000;
      return { p99Ms: at(0.99), p50Ms: at(0.5), maxMs: latencies.at(-1), slowPerSecond };
    } finally {
      isOver = true;
      await slow.catch(() => {});
      agent.destroy();
      slowAgent.destroy();
    }
  });
}

async function ask(url, agent) {
  const [response] = await once(get(url, { agent }), 'response');
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += part;
  if (response.statusCode !== 200) throw new Error(`${url} answered ${response.statusCode}: ${text}`);
  return text;
}

/** A gibibyte over one connection, to a reader that only counts. */
function measureStream(server, row) {
  return withServer(server, row, async ({ url, pid, readUsage }) => {
    // Once before, so that memory has its usual size.
    await readStream(url);
    const memory = await resetPeak(pid);
    const before = await readUsage();
    const beganMs = performance.now();
    await readStream(url);
    const seconds = (performance.now() - beganMs) / 1000;
    const after = await readUsage();
    const growth = memory === undefined ? undefined : Math.max(0, (await readMemory(pid, 'VmHWM')) - memory) / 1024 ** 2;
    return {
      megabytesPerSecond: STREAM.bytes / 1e6 / seconds,
      cpuSeconds: (after.cpuUs - before.cpuUs) / 1e6,
      growthMib: growth,
    };
  });
}

async function readStream(url) {
  const { port } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.write('GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const read = new Promise((resolve, reject) => {
    let bytes = 0;
    let tail = '';
    socket.on('data', (part) => {
      bytes += part.length;
      tail = (tail + part.toString('latin1', Math.max(0, part.length - 5))).slice(-5);
      if (tail === '0\r\n\r\n') resolve(bytes);
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`The stream ended after ${bytes} bytes`)));
  });
  try {
    const bytes = await withTimeout(read, STREAM_TIMEOUT_MS, () => new Error('The stream did not end in time'));
    if (bytes < STREAM.bytes) throw new Error(`The stream had ${bytes} bytes`);
  } finally {
    socket.destroy();
  }
}

/** Requests that each compute. */
function measureHash(server, row, { seconds, warmUpSeconds }) {
  return withServer(server, row, async ({ url }) => {
    const agent = new Agent();
    const { hash } = JSON.parse(await ask(`${url}hash`, agent));
    if (hash !== HASHED) throw new Error(`${server.title} answers with another hash: ${hash}`);
    const request = { method: 'GET', headers: {}, bodyBytes: 0 };
    const settings = { connections: row.connections, pipeline: 1 };
    await load(`${url}hash`, request, { ...settings, seconds: warmUpSeconds });
    const { requests, durationUs, p50Us, p99Us } = await load(`${url}hash`, request, { ...settings, seconds });
    return { perSecond: requests / (durationUs / 1e6), p50Ms: p50Us / 1000, p99Ms: p99Us / 1000 };
  });
}
