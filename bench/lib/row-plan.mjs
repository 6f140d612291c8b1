/** Connecting, reading usage and settling, beside the load itself. */
const OVERHEAD_SECONDS = 0.15;

/** Starting a server, checking its answers and its first warm-up. */
const START_SECONDS = 1.7;

/**
 * Gives a row's rounds, window and connections. Rows that move much data have a least window, as what lies in socket
 * buffers when it closes would count; they get fewer rounds for it.
 */
export function planRow(row, plan) {
  const seconds = Math.max(plan.seconds, row.minimumSeconds ?? 0);
  return {
    seconds,
    warmUpSeconds: plan.warmUpSeconds,
    rounds: Math.min(plan.rounds, Math.max(3, Math.round((plan.rounds * plan.seconds) / seconds))),
    connections: Math.min(plan.connections, row.maximumConnections ?? Infinity),
    pipeline: plan.pipeline,
    cores: plan.cores,
    folder: plan.folder,
    servers: plan.servers.filter((server) => server.rows?.includes(row.id) ?? true),
  };
}

/** Estimates how long all rows take. */
export function estimateSeconds(plan) {
  const perRow = plan.rows.map((row) => {
    const { seconds, warmUpSeconds, rounds, servers } = planRow(row, plan);
    return servers.length * (START_SECONDS + rounds * (warmUpSeconds + seconds + OVERHEAD_SECONDS));
  });
  return Math.ceil(perRow.reduce((sum, one) => sum + one, 0));
}
