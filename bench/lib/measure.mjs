import { setTimeout as sleep } from 'node:timers/promises';
import { planRow } from './row-plan.mjs';
import { startServer } from './server-process.mjs';
import { verify } from './verify.mjs';
import { load } from './wrk.mjs';

/** Load before the first round, so that the compiler has seen the row's code. */
const FIRST_WARM_UP_SECONDS = 1;

/** A window in which the machine stood still is repeated. */
const ATTEMPTS = 3;

/** Time for a server to see the warm-up's connections close before its CPU time is read. */
const SETTLE_MS = 50;

/**
 * Measures one row: starts its servers, checks their answers, then loads each in every round, in a new order.
 * @param {(text: string) => void} report takes progress
 * @returns {Promise<{ row: object, results: { server: object, windows: object[] }[] }>} windows in the order of rounds
 */
export async function measureRow(row, plan, report) {
  const { servers, rounds, seconds, warmUpSeconds, ...settings } = planRow(row, plan);
  const started = [];
  try {
    for (const server of servers.filter(({ missing }) => missing === undefined)) {
      started.push({ ...(await (server.start ?? startServer)(server, row, settings)), windows: [] });
    }
    for (const one of started) {
      const { server } = one;
      one.request = await findRequest(one, row, started);
      const headBytes = await verify(one, row);
      report(`${row.id}: ${server.title} answers rightly, with ${headBytes} bytes of head`);
    }
    for (const one of started) await warmUp(one, row, { ...settings, seconds: FIRST_WARM_UP_SECONDS });
    for (let round = 1; round <= rounds; round++) {
      for (const one of shuffle(started)) {
        await warmUp(one, row, { ...settings, seconds: warmUpSeconds });
        one.windows.push(await measureWindow(one, row, { ...settings, seconds }));
      }
      const latest = started.map(({ server, windows }) => `${server.id} ${windows.at(-1).cpuUs.toFixed(1)}`);
      report(`${row.id}: round ${round} of ${rounds}, µs: ${latest.join(', ')}`);
    }
    const windowsOf = (server) => started.find((one) => one.server === server)?.windows ?? [];
    return { row, results: servers.map((server) => ({ server, windows: windowsOf(server) })) };
  } finally {
    for (const one of started) await one.stop();
  }
}

/** The row's request, with what is known only once the servers run: a tag, a cookie. */
async function findRequest(one, row, started) {
  const { findHeaders, request } = row;
  if (findHeaders === undefined) return request;
  return { ...request, headers: { ...request.headers, ...(await findHeaders(one, row, started)) } };
}

async function warmUp(one, row, settings) {
  await loadServer(one, row, settings);
  await sleep(SETTLE_MS);
}

async function measureWindow(one, row, settings) {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const window = await tryWindow(one, row, settings);
    if (window !== undefined) return window;
  }
  throw new Error(`${one.server.title}, row "${row.id}": no answer in ${ATTEMPTS} windows`);
}

async function tryWindow(one, row, settings) {
  const before = await one.readUsage();
  const { requests, bytes, durationUs, p99Us } = await loadServer(one, row, settings);
  const after = await one.readUsage();
  const count = row.countBytes ? bytes / row.answer.body.length : requests;
  if (count === 0) return undefined;
  return {
    cpuUs: (after.cpuUs - before.cpuUs) / count,
    requestsPerSecond: count / (durationUs / 1e6),
    // Without a whole answer in the window there is no latency to state; with pipelining, wrk's is that of no request.
    p99Ms: requests > 0 && settings.pipeline === 1 ? p99Us / 1000 : undefined,
  };
}

async function loadServer({ server, url, request }, row, settings) {
  try {
    return await load(url + request.path, request, settings);
  } catch (error) {
    throw new Error(`${server.title}, row "${row.id}": ${error.message}`, { cause: error });
  }
}

export function shuffle(list) {
  const order = [...list];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}
