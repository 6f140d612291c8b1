import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onCores } from './cores.mjs';
import { shuffle } from './measure.mjs';
import { startModule, withTimeout } from './processes.mjs';
import { HOSTILE_PATHS } from './route-tables.mjs';

/** Building the table, checking what is found, and batches that are not measured. */
const START_SECONDS = 1;
/** What is not done after this long is given up: a path that hangs its router, a table that it cannot build. */
const TIMEOUT_MS = 60_000;

export function estimateRouters({ rows, servers, rounds, seconds, warmUpSeconds }) {
  return Math.ceil(rows.length * servers.length * rounds * (START_SECONDS + seconds + warmUpSeconds));
}

/** Measures one table: in each round every router, in a new order and each in a new process. */
export async function measureRouters(row, plan, report) {
  const results = plan.servers.map((server) => ({ server, windows: [] }));
  for (let round = 1; round <= plan.rounds; round++) {
    for (const { server, windows } of shuffle(results)) windows.push(await measureOnce(server, row, plan));
    const latest = results.map(({ server, windows }) => `${server.id} ${formatWindow(windows.at(-1))}`);
    report(`${row.id}: round ${round} of ${plan.rounds}, ${row.isHostile ? 'most µs' : 'ns'}: ${latest.join(', ')}`);
  }
  return { row, results };
}

/** @returns {Promise<{ nanoseconds?: number, pathsUs?: Record<string, number> }>} Infinity for paths that took too long */
async function measureOnce(server, row, { seconds, warmUpSeconds, cores }) {
  const file = fileURLToPath(new URL(`../servers/${server.file}`, import.meta.url));
  const settings = JSON.stringify({ row: { table: row.table, size: row.size }, warmUpSeconds, seconds });
  const [execPath, ...execArgv] = onCores(cores?.servers, [process.execPath]);
  const child = startModule(file, [settings, ...server.args], { execPath, execArgv, stdio: ['ignore', 2, 2, 'ipc'] });
  const window = row.isHostile ? { pathsUs: {} } : {};
  child.on('message', (message) => {
    if (message.path === undefined) Object.assign(window, message);
    else window.pathsUs[message.path] = message.us;
  });
  const [code] = await withTimeout(once(child, 'exit'), TIMEOUT_MS, () => {
    child.kill('SIGKILL');
    return new Error(`${server.title}, row "${row.id}": not done after ${TIMEOUT_MS / 1000} s`);
  }).catch((error) => {
    if (row.isHostile) return [0];
    throw error;
  });
  if (code !== 0) throw new Error(`${server.title}, row "${row.id}": ended with ${code}; its output is above`);
  if (row.isHostile) for (const { id } of HOSTILE_PATHS) window.pathsUs[id] ??= Number.POSITIVE_INFINITY;
  return window;
}

function formatWindow({ nanoseconds, pathsUs }) {
  return (nanoseconds ?? Math.max(...Object.values(pathsUs))).toFixed(0);
}
