import { HOSTILE_PATHS } from './route-tables.mjs';
import { describe, median } from './summary.mjs';
import { formatNumber, formatRange, formatTable } from './table.mjs';

/** Medians over rounds, and ratios to the baseline round by round. */
export function summarizeRouters({ row, results }, baseline) {
  const base = results.find(({ server }) => server.id === baseline);
  const lines = results.map(({ server, windows }) => {
    if (row.isHostile) return { server, pathsUs: HOSTILE_PATHS.map(({ id }) => median(windows.map(({ pathsUs }) => pathsUs[id]))) };
    return {
      server,
      nanoseconds: median(windows.map((window) => window.nanoseconds)),
      ratio: base && describe(windows.map(({ nanoseconds }, round) => base.windows[round].nanoseconds / nanoseconds)),
    };
  });
  return { row, lines };
}

export function formatRouters({ row, lines }, baseline) {
  return `### ${row.title} (\`${row.id}\`)\n\n${row.isHostile ? formatHostile(lines) : formatMatches(lines, baseline)}\n`;
}

/** Nanoseconds a match in all tables, a line a router. */
export function formatRoutersOverview(summaries) {
  const tables = summaries.filter(({ row }) => !row.isHostile);
  const servers = new Map(tables.flatMap(({ lines }) => lines.map(({ server }) => [server.id, server])));
  const cells = [...servers.values()].map(({ id, title }) => [
    title,
    ...tables.map(({ lines }) => formatNumber(lines.find(({ server }) => server.id === id)?.nanoseconds, 0)),
  ]);
  return formatTable(['ns a match', ...tables.map(({ row }) => row.id)], cells);
}

function formatMatches(lines, baseline) {
  const head = ['router', 'ns a match', 'matches/s', `${baseline} = 1.00`, 'middle half of rounds'];
  const cells = lines.map(({ server, nanoseconds, ratio }) => [
    server.title,
    formatNumber(nanoseconds, 0),
    formatNumber(1e9 / nanoseconds, 0),
    formatNumber(ratio?.median, 2),
    formatRange(ratio),
  ]);
  return formatTable(head, cells);
}

function formatHostile(lines) {
  const head = ['µs a call', 'most', ...HOSTILE_PATHS.map(({ title }) => title)];
  const cells = lines.map(({ server, pathsUs }) => [server.title, ...[Math.max(...pathsUs), ...pathsUs].map(formatUs)]);
  return formatTable(head, cells);
}

function formatUs(us) {
  return Number.isFinite(us) ? formatNumber(us, us < 10 ? 1 : 0) : 'hangs';
}
