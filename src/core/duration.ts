/** The longest that a timer waits, in ms, some 24 days: one that is told more ends at once. */
export const LONGEST_TIMER_MS = 2_147_483_647;

/** The longest age that every client understands, in s (RFC 9111 §1.2.2): some 68 years. */
export const LONGEST_AGE_SECONDS = 2_147_483_647;

/** The same in ms. */
export const LONGEST_AGE_MS = LONGEST_AGE_SECONDS * 1000;

/** True for a number from `least` to `most`, which NaN and texts are not. */
export function isWithin(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && value >= least && value <= most;
}
