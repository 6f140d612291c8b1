import { describe, median } from './summary.mjs';
import { formatNumber, formatRange, formatTable, formatTitle } from './table.mjs';

/** Medians over rounds, and how the first figure stands to the row's baseline, round by round: more is better. */
export function summarizeExecutor({ row, results }) {
  const base = results.find(({ server }) => server.id === row.baseline);
  const [{ key, isLessBetter = false }] = row.columns;
  const lines = results.map(({ server, windows }) => ({
    server,
    figures: row.columns.map((column) => median(windows.map((window) => window[column.key]).filter((value) => value !== undefined))),
    ratio:
      base &&
      describe(
        windows.map((window, round) => {
          const other = base.windows[round][key];
          return isLessBetter ? other / window[key] : window[key] / other;
        }),
      ),
  }));
  return { row, lines };
}

export function formatExecutor({ row, lines }) {
  const base = lines.find(({ server }) => server.id === row.baseline)?.server.title;
  const ratios = base === undefined ? [] : [`${base} = 1.00`, 'middle half'];
  const cells = lines.map(({ server, figures, ratio }) => [
    titleIn(row, server),
    ...figures.map((figure, at) => formatNumber(figure, row.columns[at].digits)),
    ...(base === undefined ? [] : [formatNumber(ratio?.median, 2), formatRange(ratio)]),
  ]);
  return `### ${row.title} (\`${row.id}\`)\n\n${formatTable(['', ...row.columns.map(({ title }) => title), ...ratios], cells)}\n`;
}

/** The first figure of every row, a line a server. */
export function formatExecutorOverview(summaries) {
  const cells = summaries.flatMap(({ row, lines }) =>
    lines.map(({ server, figures, ratio }) => [
      `${row.title}: ${titleIn(row, server)}`,
      `${formatNumber(figures[0], row.columns[0].digits)} ${row.columns[0].title}`,
      formatNumber(ratio?.median, 2),
    ]),
  );
  return formatTable(['', 'median', 'ratio'], cells);
}

function titleIn(row, server) {
  const inFlight = server.inFlight?.[row.id];
  return inFlight === undefined ? formatTitle(server) : `${formatTitle(server)}, ${inFlight} in flight`;
}
