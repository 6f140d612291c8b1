import { createHash } from 'node:crypto';
import { BUCKETS_MS } from '../executor/executor-metrics.js';

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --accent: #2b6cb0; --bad: #c53030 }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 1.5rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100% }
th, td { text-align: right; padding: .35rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; font-variant-numeric: tabular-nums }
th:first-child, td:first-child { text-align: left }
th { font-weight: 600 }
svg { width: 8rem; height: 1.6rem; vertical-align: middle }
polyline { fill: none; stroke: var(--accent); stroke-width: 1.5 }
.bad { color: var(--bad); font-weight: 600 }
#state { min-height: 1.5rem }
`;

/** Asks once a second, and keeps a minute of each worker's requests. */
const SCRIPT = `
const SECONDS = 60;
const BUCKETS = ${JSON.stringify(BUCKETS_MS)};
const rates = new Map();
const last = new Map();
const MiB = (bytes) => (bytes / 1048576).toFixed(1) + ' MiB';
const time = (seconds) => seconds < 120 ? seconds.toFixed(0) + ' s' : seconds < 7200 ? (seconds / 60).toFixed(0) + ' min' : (seconds / 3600).toFixed(1) + ' h';
const ms = (value) => value.toFixed(value < 10 ? 1 : 0) + ' ms';

function element(name, text, kind) {
  const made = document.createElement(name);
  if (text instanceof Node) made.append(text);
  else made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function table(heads, rows) {
  const made = element('table', '');
  const head = element('tr', '');
  head.append(...heads.map((one) => element('th', one)));
  made.append(head, ...rows.map((cells) => {
    const row = element('tr', '');
    row.append(...cells.map((cell) => Array.isArray(cell) ? element('td', ...cell) : element('td', cell)));
    return row;
  }));
  const box = element('div', made, 'scroll');
  return box;
}

function rateOf(id, requests) {
  const now = performance.now();
  const before = last.get(id);
  last.set(id, { now, requests });
  const list = rates.get(id) ?? [];
  rates.set(id, list);
  if (before) list.push(Math.max(0, (requests - before.requests) / (now - before.now) * 1000));
  while (list.length > SECONDS) list.shift();
  return list;
}

function plot(list) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 100 20');
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', 'requests a second in the last minute');
  const most = Math.max(1, ...list);
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'polyline');
  line.setAttribute('points', list.map((rate, at) => (100 - (list.length - 1 - at) * 100 / (SECONDS - 1)).toFixed(1) + ',' + (19 - 18 * rate / most).toFixed(1)).join(' '));
  svg.append(line);
  return svg;
}

function rowOf({ actor, system, extra }) {
  const list = rateOf(actor.id, extra.requests ?? 0);
  const lag = system.eventLoop.lagMs;
  return [
    actor.name, actor.processId, time(actor.uptimeSeconds),
    extra.requests === undefined ? '–' : extra.requests.toLocaleString(), list.length ? list.at(-1).toFixed(0) : '–', plot(list),
    extra.connections ?? '–', system.cpu.percent.toFixed(0) + ' %', MiB(system.memory.rssBytes), [ms(lag), lag > 100 ? 'bad' : ''], actor.state,
  ];
}

/** The bound that a part of all calls stays below. */
function within({ counts, count }, part) {
  if (count === 0) return '–';
  let seen = 0;
  const at = counts.findIndex((one) => (seen += one) >= part * count);
  return at < BUCKETS.length ? '≤ ' + BUCKETS[at] + ' ms' : '> ' + BUCKETS.at(-1) + ' ms';
}

function executorsOf({ actor, extra }) {
  return (extra.executors ?? []).map((one) => [
    actor.name + ', ' + one.name, one.busyThreads + ' of ' + one.threads, one.waiting, one.running, one.completed.toLocaleString(),
    one.refused, one.timedOut, one.lostThreads,
    within(one.wait, 0.5), within(one.wait, 0.99), within(one.run, 0.5), within(one.run, 0.99), (one.utilization * 100).toFixed(0) + ' %',
  ]);
}

function draw(info) {
  const parts = [];
  for (const [name, monitor] of Object.entries(info.monitors ?? {})) {
    const serving = monitor.workers.length > 0 ? monitor.workers : [monitor];
    parts.push(element('h2', name));
    parts.push(table(['Worker', 'Process', 'Up', 'Requests', 'a second', 'last minute', 'Connections', 'CPU', 'Memory', 'Loop lag', 'State'], serving.map(rowOf)));
    const executors = serving.flatMap(executorsOf);
    if (executors.length) {
      parts.push(element('h2', name + ': threads'));
      parts.push(table(['Executor', 'Busy', 'Waiting', 'Running', 'Done', 'Refused', 'Timed out', 'Lost threads', 'Waits p50', 'p99', 'Runs p50', 'p99', 'Used'], executors));
    }
  }
  if (info.workers?.length) {
    parts.push(element('h2', 'Other actors'));
    parts.push(table(['Actor', 'Process', 'Up', 'CPU', 'Memory', 'State'], info.workers.map(({ actor, system }) => [actor.name, actor.processId, time(actor.uptimeSeconds), system.cpu.percent.toFixed(0) + ' %', MiB(system.memory.rssBytes), actor.state])));
  }
  document.querySelector('main').replaceChildren(...parts);
  const { actor, system } = info;
  document.querySelector('#state').textContent = 'Main process ' + actor.processId + ', up ' + time(actor.uptimeSeconds) + ', ' + MiB(system.memory.rssBytes) + '; load ' + system.machine.loadAverage.toFixed(2) + ' on ' + system.machine.cores + ' cores';
  document.querySelector('#state').className = '';
}

async function look() {
  try {
    const answer = await fetch('info', { cache: 'no-store' });
    if (!answer.ok) throw new Error(answer.status);
    draw(await answer.json());
  } catch {
    document.querySelector('#state').textContent = 'The program does not answer.';
    document.querySelector('#state').className = 'bad';
  }
  setTimeout(look, 1000);
}
look();
`;

const TEXT = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Vela</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<h1>Vela</h1>
<p id="state" role="status"></p>
<main></main>
<script>${SCRIPT}</script>
</body>
</html>
`;

const POLICY = `default-src 'none'; connect-src 'self'; img-src data:; style-src ${hash(STYLE)}; script-src ${hash(SCRIPT)}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** The page, and the Content-Security-Policy that lets it run and nothing else. */
export function adminPage(): { readonly text: string; readonly policy: string } {
  return { text: TEXT, policy: POLICY };
}

function hash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
