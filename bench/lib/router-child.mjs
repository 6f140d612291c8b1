import { buildTable, HOSTILE_PATHS } from './route-tables.mjs';

/** Calls that a hostile path gets at the most, and for how long. */
const HOSTILE_CALLS = 200;
const HOSTILE_MS = 50;

/** Keeps what was found, so that the compiler cannot leave out making it. */
let kept;

/**
 * Checks what a router finds in the row's table, then measures it. The parent gets messages `{ nanoseconds }` a match, or
 * `{ path, us }` for each hostile path.
 * @param {object} router
 * @param {(routes: { method: string, path: string, handler: () => number }[]) => (method: string, path: string) => unknown} router.build
 * gives what finds handler and parameters, undefined or null for none
 * @param {(found: unknown) => { handler: () => number, params: object }} router.read
 * @param {boolean} [router.holdsMixed] it can hold several parameters in a segment
 */
export async function runRouter({ build, read, holdsMixed = false }) {
  process.once('disconnect', () => process.exit(1));
  const { row, warmUpSeconds, seconds } = JSON.parse(process.argv[2]);
  const { routes, nextBatch } = buildTable(row);
  const held = routes.filter(({ isMixed }) => holdsMixed || !isMixed);
  const match = build(held.map((route, index) => ({ ...route, handler: () => index })));
  verify(match, read, nextBatch());
  runFor(warmUpSeconds, match, nextBatch);
  if (row.table === 'hostile') for (const path of HOSTILE_PATHS) process.send({ path: path.id, us: measureHostile(match, path) });
  else process.send({ nanoseconds: runFor(seconds, match, nextBatch) });
  process.removeAllListeners('disconnect');
  process.disconnect();
}

/** @throws when a request finds another handler or other parameters than it was made from */
function verify(match, read, { methods, paths, shapes, values }) {
  for (const [i, { index, names }] of shapes.entries()) {
    const found = match(methods[i], paths[i]) ?? undefined;
    const { handler, params } = found === undefined ? { params: {} } : read(found);
    const wanted = index === -1 ? {} : Object.fromEntries(names.map((name, place) => [name, values[i][place]]));
    const isRight = (handler?.() ?? -1) === index && JSON.stringify(sort(params)) === JSON.stringify(sort(wanted));
    if (isRight) continue;
    const got = `${handler?.()} ${JSON.stringify(params)}`;
    throw new Error(`${methods[i]} ${paths[i]} finds ${got}, wanted ${index} ${JSON.stringify(wanted)}`);
  }
}

function sort(params) {
  return Object.fromEntries(Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** CPU time of a match in nanoseconds, in batches for some seconds. What is thrown away is collected on the router's account. */
function runFor(seconds, match, nextBatch) {
  let cpuUs = 0;
  let count = 0;
  while (cpuUs < seconds * 1e6) {
    const { methods, paths } = nextBatch();
    const before = process.cpuUsage();
    for (let i = 0; i < paths.length; i++) kept = match(methods[i], paths[i]);
    const { user, system } = process.cpuUsage(before);
    cpuUs += user + system;
    count += paths.length;
  }
  return (1000 * cpuUs) / count;
}

/** Microseconds of a call: the median, by the clock. */
function measureHostile(match, { path }) {
  const times = [];
  const start = performance.now();
  while (times.length < HOSTILE_CALLS && (times.length < 3 || performance.now() - start < HOSTILE_MS)) {
    const text = Buffer.from(path, 'latin1').latin1Slice();
    const before = performance.now();
    kept = match('GET', text);
    times.push(1000 * (performance.now() - before));
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)];
}
