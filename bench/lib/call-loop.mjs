/** Most latencies that are kept; beyond it every one takes the place of an earlier one. */
const KEPT = 1_000_000;

/**
 * Calls again and again, so that some are always under way, and tells how long they took.
 * @param {() => Promise<unknown>} call
 * @param {{ inFlight: number, seconds: number, warmUpSeconds: number }} settings
 * @returns {Promise<{ perSecond: number, cpuUs: number, p50Us: number, p99Us: number }>} CPU time of all threads
 */
export async function measureCalls(call, { inFlight, seconds, warmUpSeconds }) {
  await callFor(call, inFlight, warmUpSeconds);
  const cpu = process.cpuUsage();
  const { count, elapsedMs, latencies } = await callFor(call, inFlight, seconds);
  const { user, system } = process.cpuUsage(cpu);
  latencies.sort();
  const at = (share) => latencies[Math.floor(share * (latencies.length - 1))] * 1000;
  return { perSecond: (count / elapsedMs) * 1000, cpuUs: (user + system) / count, p50Us: at(0.5), p99Us: at(0.99) };
}

async function callFor(call, inFlight, seconds) {
  const kept = new Float64Array(KEPT);
  let count = 0;
  const beganMs = performance.now();
  const endMs = beganMs + seconds * 1000;
  const callOn = async () => {
    for (let at = performance.now(); at < endMs; ) {
      await call();
      const now = performance.now();
      kept[count % KEPT] = now - at;
      count++;
      at = now;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, callOn));
  return { count, elapsedMs: performance.now() - beganMs, latencies: kept.subarray(0, Math.min(count, KEPT)) };
}
