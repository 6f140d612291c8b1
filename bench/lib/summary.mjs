/** Turns a row's windows into the numbers of the table: medians over rounds, and ratios to the baseline round by round. */
export function summarizeRow({ row, results }, baseline) {
  const base = results.find(({ server, windows }) => server.id === baseline && windows.length > 0);
  const lines = results.map(({ server, windows }) => ({
    server,
    cpuUs: median(windows.map((window) => window.cpuUs)),
    requestsPerSecond: median(windows.map((window) => window.requestsPerSecond)),
    p99Ms: median(windows.map((window) => window.p99Ms).filter((value) => value !== undefined)),
    ratio: base && describe(windows.map((window, round) => base.windows[round].cpuUs / window.cpuUs)),
  }));
  return { row, lines };
}

/** The median and the middle half. */
export function describe(values) {
  return { median: median(values), low: quantile(values, 0.25), high: quantile(values, 0.75) };
}

export function median(values) {
  return quantile(values, 0.5);
}

/** Linear between the two nearest values; undefined for an empty list. */
function quantile(values, share) {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)];
  const above = sorted[Math.ceil(place)];
  return below + (above - below) * (place - Math.floor(place));
}
