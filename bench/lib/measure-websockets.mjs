import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onCores } from './cores.mjs';
import { shuffle } from './measure.mjs';
import { readMemory } from './memory.mjs';
import { startModule, withTimeout } from './processes.mjs';
import { startServer } from './server-process.mjs';

const START_SECONDS = 3;
const TIMEOUT_MS = 60_000;
/** After it, what the handshakes left is collected. */
const IDLE_SECONDS = 3;
const loader = fileURLToPath(new URL('./websocket-load.mjs', import.meta.url));

export function estimateWebSockets({ rows, servers, rounds, seconds, warmUpSeconds }) {
  const each = START_SECONDS + seconds + warmUpSeconds;
  return Math.ceil(rows.length * servers.length * rounds * each);
}

/** Measures one row: in each round every server, in a new order and each in a new process. */
export async function measureWebSockets(row, plan, report) {
  const servers = plan.servers.filter(({ missing }) => missing === undefined);
  const results = servers.map((server) => ({ server, windows: [] }));
  for (let round = 1; round <= plan.rounds; round++) {
    for (const { server, windows } of shuffle(results)) windows.push(await measureWindow(server, row, plan));
    const { key, digits } = row.columns[0];
    const latest = results.map(({ server, windows }) => `${server.id} ${windows.at(-1)[key].toFixed(digits)}`);
    report(`${row.id}: round ${round} of ${plan.rounds}, ${row.columns[0].title}: ${latest.join(', ')}`);
  }
  return { row, results };
}

async function measureWindow(server, row, plan) {
  const started = await startServer(server, row, { cores: plan.cores });
  const load = startLoad(new URL(started.url).port, row, plan.cores);
  try {
    await answer(load);
    return row.senders === 0 ? await measureIdle(started) : await measureMessages(started, load, plan);
  } finally {
    load.kill('SIGKILL');
    await started.stop();
  }
}

async function measureMessages({ readUsage }, load, { seconds, warmUpSeconds }) {
  load.send({ seconds: warmUpSeconds });
  await answer(load);
  const before = await readUsage();
  load.send({ seconds });
  const { count, elapsedMs } = await answer(load);
  const after = await readUsage();
  if (count === 0) throw new Error('No message came back');
  return { cpuUs: (after.cpuUs - before.cpuUs) / count, perSecond: (count / elapsedMs) * 1000 };
}

async function measureIdle({ pid }) {
  await sleep(IDLE_SECONDS * 1000);
  return { mib: (await readMemory(pid, 'VmRSS')) / 1024 ** 2 };
}

function startLoad(port, { connections, messageBytes, senders }, cores) {
  const [execPath, ...execArgv] = onCores(cores?.generator, [process.execPath]);
  const settings = JSON.stringify({ port: Number(port), connections, messageBytes, senders });
  return startModule(loader, [settings], { execPath, execArgv, stdio: ['ignore', 2, 2, 'ipc'] });
}

function answer(load) {
  const message = once(load, 'message').then(([value]) => value);
  const end = once(load, 'exit').then(([code]) => Promise.reject(new Error(`The load generator ended with ${code}`)));
  message.catch(() => {});
  end.catch(() => {});
  return withTimeout(Promise.race([message, end]), TIMEOUT_MS, () => new Error('The load generator did not answer in time'));
}
