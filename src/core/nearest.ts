/** More letters than this are no slip of the hand. */
const FARTHEST = 2;

/** The known name that a wrong one may have been meant for; undefined when none is near. */
export function findNearest(given: string, known: readonly string[]): string | undefined {
  const plain = simplify(given);
  let nearest: string | undefined;
  let least = Math.min(FARTHEST, Math.floor(given.length / 3)) + 1;
  for (const name of known) {
    const simple = simplify(name);
    // So many letters are put in or taken out at least: what comes from clients may be long.
    if (Math.abs(plain.length - simple.length) >= least) continue;
    const distance = countEdits(plain, simple);
    if (distance < least) {
      nearest = name;
      least = distance;
    }
  }
  return nearest;
}

/** `log_level`, `log-level` and `LogLevel` are `logLevel`. */
function simplify(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, '');
}

/** How many letters must be put in, taken out, changed or exchanged with the next (optimal string alignment). */
function countEdits(from: string, to: string): number {
  let before: number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const change = (row[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1);
      let least = Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, change);
      if (from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1])
        least = Math.min(least, (before[j - 2] ?? least) + 1);
      next.push(least);
    }
    before = row;
    row = next;
  }
  return row[to.length] as number;
}
