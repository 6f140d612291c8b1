const columns = ['server', 'CPU µs a request', 'requests/s', 'p99 ms', 'raw = 1.00', 'middle half of rounds'];

/** Formats a summarized row as a Markdown table with a heading. */
export function formatRow({ row, lines }) {
  const cells = lines.map(({ server, cpuUs, requestsPerSecond, p99Ms, ratio }) => [
    server.title,
    formatCpu(cpuUs),
    formatNumber(requestsPerSecond, requestsPerSecond < 1000 ? 1 : 0),
    formatNumber(p99Ms, 2),
    formatNumber(ratio?.median, 2),
    ratio ? `${formatNumber(ratio.low, 2)} to ${formatNumber(ratio.high, 2)}` : '–',
  ]);
  return `### ${row.title} (\`${row.id}\`)\n\n${formatTable(columns, cells)}\n`;
}

/** Formats the ratios of all rows as one Markdown table, a line a server. */
export function formatOverview(summaries) {
  const servers = new Map(summaries.flatMap(({ lines }) => lines.map(({ server }) => [server.id, server])));
  const cells = [...servers.values()].map((server) => [server.title, ...summaries.map((summary) => findRatio(summary, server))]);
  return formatTable(['server', ...summaries.map(({ row }) => row.id)], cells);
}

function findRatio({ lines }, server) {
  return formatNumber(lines.find((line) => line.server.id === server.id)?.ratio?.median, 2);
}

function formatTable(head, rows) {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column].length)));
  const formatLine = (cells) =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join(' | ')} |`;
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [formatLine(head), `| ${rule.join(' | ')} |`, ...rows.map(formatLine)].join('\n');
}

function formatCpu(cpuUs) {
  return formatNumber(cpuUs, cpuUs < 100 ? 2 : 0);
}

function formatNumber(value, digits) {
  if (value === undefined) return '–';
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
