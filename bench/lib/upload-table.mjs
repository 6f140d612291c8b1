import { describe, median } from './summary.mjs';
import { formatNumber, formatRange, formatTable } from './table.mjs';

/** Medians over rounds, and ratios to the baseline round by round. */
export function summarizeUploads({ row, results }, baseline) {
  const base = results.find(({ server }) => server.id === baseline);
  const lines = results.map(({ server, windows }) => {
    const growths = windows.map(({ growthBytes }) => growthBytes).filter((bytes) => bytes !== undefined);
    return {
      server,
      cpuMs: median(windows.map(({ cpuMs }) => cpuMs)),
      leastCpuMs: Math.min(...windows.map(({ cpuMs }) => cpuMs)),
      megabytesPerSecond: median(windows.map((window) => window.megabytesPerSecond)),
      growthBytes: growths.length > 0 ? Math.max(...growths) : undefined,
      speed: base && describe(windows.map((window, round) => window.megabytesPerSecond / base.windows[round].megabytesPerSecond)),
      cpuRatio: base && median(windows.map((window, round) => base.windows[round].cpuMs / window.cpuMs)),
    };
  });
  return { row, lines };
}

export function formatUploads({ row, lines }, baseline) {
  const head = ['server', 'MB/s', `${baseline} = 1.00`, 'middle half', 'CPU ms', 'least', 'by CPU', 'memory + MiB'];
  const cells = lines.map(({ server, megabytesPerSecond, speed, cpuMs, leastCpuMs, cpuRatio, growthBytes }) => [
    server.title,
    formatNumber(megabytesPerSecond, 0),
    formatNumber(speed?.median, 2),
    formatRange(speed),
    formatNumber(cpuMs, 0),
    formatNumber(leastCpuMs, 0),
    formatNumber(cpuRatio, 2),
    formatNumber(growthBytes && growthBytes / (1 << 20), 1),
  ]);
  return `### ${row.title} (\`${row.id}\`)\n\n${formatTable(head, cells)}\n`;
}

/** Speeds of all rows, a line a server. */
export function formatUploadsOverview(summaries) {
  const servers = new Map(summaries.flatMap(({ lines }) => lines.map(({ server }) => [server.id, server])));
  const cells = [...servers.values()].map(({ id, title }) => [
    title,
    ...summaries.map(({ lines }) => formatNumber(lines.find(({ server }) => server.id === id)?.speed?.median, 2)),
  ]);
  return formatTable(['server', ...summaries.map(({ row }) => row.id)], cells);
}
