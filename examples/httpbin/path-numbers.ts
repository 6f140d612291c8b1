/** Converters for numbers in paths: what they do not take is no such path, so 404. */

/** A whole number; a larger one than `most` counts as that. */
export function atMost(most: number): (text: string) => number | undefined {
  return (text) => (/^\d{1,15}$/.test(text) ? Math.min(Number(text), most) : undefined);
}

/** A whole number from `least` to `most`, and no other. */
export function between(least: number, most: number): (text: string) => number | undefined {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    return value >= least && value <= most ? value : undefined;
  };
}
