/** Waves that add up, of one second and slower: a function of time, so that all workers show the same. */
const WAVES = [
  { seconds: 1.3, height: 0.25 },
  { seconds: 3.7, height: 0.5 },
  { seconds: 11, height: 1 },
];

/** @param at - in seconds */
export function signal(at: number): number {
  return WAVES.reduce((sum, { seconds, height }) => sum + height * Math.sin((2 * Math.PI * at) / seconds), 0);
}
