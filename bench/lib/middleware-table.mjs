import { describe, median } from './summary.mjs';
import { formatNumber, formatRange, formatTable } from './table.mjs';

const head = ['middleware', 'without, µs', 'adds, µs', 'middle half of rounds'];

/** The difference with and without, round by round. */
export function summarizeDifferences({ row, results }) {
  const [without, withIt] = ['without', 'with'].map((id) => results.find(({ server }) => server.id === id)?.windows ?? []);
  const differences = withIt.flatMap(({ cpuUs }, round) => (without[round] ? [cpuUs - without[round].cpuUs] : []));
  return { row, cpuUs: median(without.map((window) => window.cpuUs)), added: describe(differences) };
}

/** A line a middleware. */
export function formatDifferences(summaries) {
  const cells = summaries.map(({ row, cpuUs, added }) => [
    row.title,
    formatNumber(cpuUs, 2),
    formatNumber(added.median, 2),
    formatRange(added),
  ]);
  return formatTable(head, cells);
}
