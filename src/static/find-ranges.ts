import parseRange from 'range-parser';

/** A part of a file, in bytes: both ends belong to it. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The ranges that a Range header asks for, those that overlap or touch made one, in the order asked for (RFC 9110 §14.2).
 * @param maxRanges - more of them in the header, and it is left out of account, as one that is malformed
 * @returns `whole` to leave it out of account, `none` when the file has nothing of it: 416
 */
export function findRanges(
  header: string,
  size: number,
  maxRanges: number,
): readonly ByteRange[] | 'whole' | 'none' {
  const equals = header.indexOf('=');
  if (equals === -1 || size === 0 || header.slice(0, equals).trim().toLowerCase() !== 'bytes') return 'whole';
  const specs = header.slice(equals + 1).split(',', maxRanges + 1);
  if (specs.length > maxRanges) return 'whole';
  const ranges = parseRange(size, `bytes=${specs.map((spec) => clampSuffix(spec, size)).join(',')}`, {
    combine: true,
  });
  if (ranges === -2) return 'whole';
  return ranges === -1 ? 'none' : ranges;
}

/** The last 100 bytes of 50 are all of them (§14.1.2); range-parser takes them for none. */
function clampSuffix(spec: string, size: number): string {
  const match = /^\s*-(\d+)\s*$/.exec(spec);
  return match !== null && Number(match[1]) > size ? '0-' : spec;
}
