/** Longest time that a timer can wait, 2^31 - 1 ms. */
const LONGEST_MS = 2_147_483_647;

/** Waits for a promise that never rejects, but not longer than so many ms; Infinity for as long as it takes. */
export async function waitAtMost(promise: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    if (ms !== Number.POSITIVE_INFINITY) timer = setTimeout(resolve, Math.min(LONGEST_MS, Math.max(0, ms)));
  });
  await Promise.race([promise, late]);
  clearTimeout(timer);
}
