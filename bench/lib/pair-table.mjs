/** Servers in pairs: the same program on its own server, and on another, which names the first as its `pair`. */
import { describe, median } from './summary.mjs';
import { formatCpu, formatNumber, formatRange, formatTable } from './table.mjs';

/** Medians over rounds, and ratios of each pair round by round. */
export function summarizePairs({ row, results }) {
  const windowsOf = (id) => results.find(({ server }) => server.id === id)?.windows ?? [];
  const pairs = results
    .filter(({ server, windows }) => server.pair !== undefined && windows.length > 0 && windowsOf(server.pair).length > 0)
    .map(({ server, windows }) => {
      const own = windowsOf(server.pair);
      return {
        server,
        ownCpuUs: median(own.map(({ cpuUs }) => cpuUs)),
        cpuUs: median(windows.map(({ cpuUs }) => cpuUs)),
        ownRequests: median(own.map(({ requestsPerSecond }) => requestsPerSecond)),
        requests: median(windows.map(({ requestsPerSecond }) => requestsPerSecond)),
        ratio: describe(windows.map(({ cpuUs }, round) => own[round].cpuUs / cpuUs)),
      };
    });
  return { row, pairs };
}

export function formatPairs({ row, pairs }) {
  const columns = ['program', 'own server, CPU µs', 'on Vela', 'times', 'middle half of rounds', 'own server, requests/s', 'on Vela'];
  const cells = pairs.map(({ server, ownCpuUs, cpuUs, ratio, ownRequests, requests }) => [
    server.title,
    formatCpu(ownCpuUs),
    formatCpu(cpuUs),
    formatNumber(ratio.median, 2),
    formatRange(ratio),
    formatCount(ownRequests),
    formatCount(requests),
  ]);
  return `### ${row.title} (\`${row.id}\`)\n\n${formatTable(columns, cells)}\n`;
}

export function formatPairsOverview(summaries) {
  const titles = new Map(summaries.flatMap(({ pairs }) => pairs.map(({ server }) => [server.id, server.title])));
  const cells = [...titles].map(([id, title]) => [
    title,
    ...summaries.map(({ pairs }) => formatNumber(pairs.find(({ server }) => server.id === id)?.ratio.median, 2)),
  ]);
  return formatTable(['program', ...summaries.map(({ row }) => row.id)], cells);
}

const formatCount = (count) => formatNumber(count, count < 1000 ? 1 : 0);
