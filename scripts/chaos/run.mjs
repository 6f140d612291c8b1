/**
 * Kills, reloads, scales, hangs and stops a server with workers while clients use it, and holds against the results what
 * docs/applications.md promises: `npm run chaos -- [--short] [SCENARIO...]`. Takes about two minutes, the short form half a
 * minute. The processes that it ends are its own.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { request, startLoad } from './clients.mjs';
import { HOST, isAlive, startServer, until } from './server.mjs';

const SELF = fileURLToPath(import.meta.url);
const TIMEOUT_MS = 3000;

await main(process.argv.slice(2));

async function main(args) {
  const isShort = args.includes('--short');
  const names = args.filter((arg) => !arg.startsWith('--'));
  const scenarios = { kill, reload, migrate, loop, stop, orphans };
  const chosen = names.length > 0 ? names : Object.keys(scenarios);
  let missed = 0;
  for (const name of chosen) {
    const scenario = scenarios[name];
    if (scenario === undefined)
      throw new Error(`There is no scenario "${name}"; there are ${Object.keys(scenarios).join(', ')}`);
    for (const { what, value, most, unit = '' } of await scenario(isShort)) {
      const isGood = most === undefined || value <= most;
      if (!isGood) missed++;
      const bound = most === undefined ? '' : ` (${isGood ? 'at most' : 'MORE THAN'} ${most}${unit})`;
      console.log(`${name.padEnd(8)} ${what}: ${value}${unit}${bound}`);
    }
  }
  console.log(missed === 0 ? 'ok' : `${missed} not reached`);
  process.exitCode = missed === 0 ? 0 : 1;
}

/** Workers die by kill -9, one every two seconds. */
async function kill(isShort) {
  const server = await startServer(['-w', '3']);
  const load = startLoad(server.port);
  await load.settled();
  const recoveries = [];
  let allowed = 0;
  for (let round = 0; round < (isShort ? 3 : 10); round++) {
    const victims = server.workers();
    const victim = victims[Math.floor(Math.random() * victims.length)];
    allowed += load.connectionsTo(victim);
    const sinceMs = performance.now();
    process.kill(victim, 'SIGKILL');
    await until('a new worker answers', () =>
      [...load.pids].some((pid) => !victims.includes(pid) && load.firstSeenMs(pid) > sinceMs),
    );
    recoveries.push(performance.now() - sinceMs);
    await sleep(Math.max(0, 2000 - (performance.now() - sinceMs)));
  }
  const { answered, failures } = await load.stop();
  await server.stop();
  recoveries.sort((a, b) => a - b);
  return [
    { what: 'requests answered', value: answered },
    {
      what: `requests failed, of ${allowed} connections to those that were killed`,
      value: failures.length,
      most: allowed,
    },
    {
      what: 'until a new worker answers, p95',
      value: Math.round(recoveries[Math.ceil(0.95 * recoveries.length) - 1]),
      most: 2000,
      unit: ' ms',
    },
  ];
}

/** HUP five times, TTIN and TTOU five times. */
async function reload(isShort, mostFailures = 10) {
  const results = [];
  for (const gateway of ['uws', 'node']) {
    const server = await startServer(['-w', '2', '--gateway', gateway]);
    const load = startLoad(server.port);
    await load.settled();
    const rounds = isShort ? 2 : 5;
    for (let round = 1; round <= rounds; round++) {
      const before = server.workers();
      process.kill(server.pid, 'SIGHUP');
      await until(
        'it is reloaded',
        () =>
          server.count('vela: reloaded') === round && server.workers().every((pid) => !before.includes(pid)),
      );
    }
    for (let round = 1; round <= rounds; round++) {
      process.kill(server.pid, 'SIGTTIN');
      await until(
        'there are three',
        () => server.workers().length === 3 && server.workers().every((pid) => load.pids.has(pid)),
      );
      process.kill(server.pid, 'SIGTTOU');
      await until('there are two', () => server.workers().length === 2);
    }
    const { answered, failures, retried } = await load.stop();
    await server.stop();
    results.push(
      { what: `${gateway}: requests answered`, value: answered },
      {
        what: `${gateway}: closed before a byte of the answer, on a connection that was kept`,
        value: retried,
      },
      {
        what: `${gateway}: requests failed${describeFailures(failures)}`,
        value: failures.length,
        most: gateway === 'node' ? 0 : mostFailures,
      },
    );
  }
  return results;
}

/** The same in a network namespace with net.ipv4.tcp_migrate_req=1, where that may be made. */
async function migrate(isShort) {
  if (process.env.CHAOS_INSIDE !== undefined) return reload(isShort, 0);
  const setUp = 'ip link set lo up && sysctl -qw net.ipv4.tcp_migrate_req=1';
  if (spawnSync('unshare', ['-n', 'sh', '-c', setUp]).status !== 0)
    return [{ what: 'not tried: no network namespace can be made here', value: '' }];
  const command = `${setUp} && exec "$0" "$@"`;
  const args = [SELF, ...(isShort ? ['--short'] : []), 'migrate'];
  const env = { ...process.env, CHAOS_INSIDE: '1' };
  const { status } = spawnSync('unshare', ['-n', 'sh', '-c', command, process.execPath, ...args], {
    stdio: 'inherit',
    env,
  });
  return [{ what: 'scenarios in the namespace that were not reached', value: status, most: 0 }];
}

/** A handler that never returns. */
async function loop() {
  const server = await startServer(['-w', '2', '--worker-timeout-ms', String(TIMEOUT_MS)]);
  const load = startLoad(server.port, 4, 0);
  await load.settled();
  const sinceMs = performance.now();
  const before = server.workers();
  const [outcome] = await Promise.all([
    request(server.port, '/loop').catch(({ message }) => message),
    sleep(1000),
  ]);
  const heldMs = performance.now() - sinceMs;
  await until(
    'another one is there',
    () => server.workers().length === 2 && server.workers().some((pid) => !before.includes(pid)),
  );
  const { answered } = await load.stop();
  await server.stop();
  return [
    {
      what: `held until it was killed (${outcome})`,
      value: Math.round(heldMs),
      most: TIMEOUT_MS + 3000,
      unit: ' ms',
    },
    {
      what: 'the log does not name the request',
      value: server.log().includes('"request":"GET /loop"') ? 0 : 1,
      most: 0,
    },
    { what: 'requests answered meanwhile', value: answered },
  ];
}

/** TERM with a request of two seconds, a connection without one, and a stream. */
async function stop() {
  const server = await startServer(['-w', '2']);
  const idle = connect(server.port, HOST);
  idle.on('error', () => {});
  idle.write('GET / HTTP/1.1\r\nHost: chaos\r\n\r\n');
  await once(idle, 'data');
  const ended = once(idle.resume(), 'close');
  const slow = request(server.port, '/slow', true);
  const stream = request(server.port, '/stream');
  await sleep(300);
  const code = await server.stop();
  const [slowly, streamed] = await Promise.all([slow, stream]);
  await ended;
  const isWhole = slowly.body === 'slow' && streamed.body.endsWith('19\n');
  return [
    { what: 'answers that are not whole', value: isWhole ? 0 : 1, most: 0 },
    {
      what: 'answers that do not say Connection: close',
      value: /connection: close/i.test(slowly.head) ? 0 : 1,
      most: 0,
    },
    { what: 'exit code', value: code, most: 0 },
  ];
}

/** The main process dies by kill -9. */
async function orphans() {
  const server = await startServer(['-w', '3']);
  const workers = server.workers();
  request(server.port, '/loop').catch(() => {});
  await sleep(300);
  const sinceMs = performance.now();
  process.kill(server.pid, 'SIGKILL');
  await until('the workers are gone', () => !workers.some(isAlive));
  await until('the port is free', () => canListen(server.port));
  const goneMs = performance.now() - sinceMs;
  return [
    {
      what: 'until the last worker is gone and the port is free',
      value: Math.round(goneMs),
      most: 5000,
      unit: ' ms',
    },
  ];
}

/** A socket of a process whose threads are still going is closed with the last of them. */
async function canListen(port) {
  const probe = createServer();
  const isFree = await new Promise((resolve) => {
    probe.once('error', () => resolve(false)).listen(port, HOST, () => resolve(true));
  });
  if (isFree) await new Promise((resolve) => probe.close(resolve));
  return isFree;
}

function describeFailures(failures) {
  const counts = {};
  for (const one of failures) counts[one] = (counts[one] ?? 0) + 1;
  const each = Object.entries(counts).map(([why, count]) => `${count} ${why}`);
  return each.length === 0 ? '' : `, ${each.join(', ')}`;
}
