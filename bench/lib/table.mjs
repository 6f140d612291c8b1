/** Formats a summarized row as a Markdown table with a heading. */
export function formatRow({ row, lines }, baseline) {
  const columns = ['server', 'CPU µs a request', 'requests/s', 'p99 ms', `${baseline} = 1.00`, 'middle half of rounds'];
  const cells = lines.map(({ server, cpuUs, requestsPerSecond, p99Ms, ratio }) => [
    formatTitle(server),
    formatCpu(cpuUs),
    formatNumber(requestsPerSecond, requestsPerSecond < 1000 ? 1 : 0),
    formatNumber(p99Ms, 2),
    formatNumber(ratio?.median, 2),
    formatRange(ratio),
  ]);
  return `### ${row.title} (\`${row.id}\`)\n\n${formatTable(columns, cells)}\n`;
}

/** Formats the ratios of all rows as one Markdown table, a line a server. */
export function formatOverview(summaries) {
  const servers = new Map(summaries.flatMap(({ lines }) => lines.map(({ server }) => [server.id, server])));
  const cells = [...servers.values()].map((server) => [formatTitle(server), ...summaries.map((summary) => findRatio(summary, server))]);
  return formatTable(['server', ...summaries.map(({ row }) => row.id)], cells);
}

function findRatio({ lines }, server) {
  return formatNumber(lines.find((line) => line.server.id === server.id)?.ratio?.median, 2);
}

/** Formats lines of cells, the first of each to the left and the others to the right. */
export function formatTable(head, rows) {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column].length)));
  const formatLine = (cells) =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join(' | ')} |`;
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [formatLine(head), `| ${rule.join(' | ')} |`, ...rows.map(formatLine)].join('\n');
}

export function formatTitle({ title, missing }) {
  return missing === undefined ? title : `${title} (${missing})`;
}

export function formatRange(range, digits = 2) {
  if (range?.low === undefined) return '–';
  return `${formatNumber(range.low, digits)} to ${formatNumber(range.high, digits)}`;
}

export function formatCpu(cpuUs) {
  return formatNumber(cpuUs, cpuUs < 100 ? 2 : 0);
}

export function formatNumber(value, digits) {
  if (value === undefined) return '–';
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
