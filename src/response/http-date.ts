const DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)';
const MONTH = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)';
const TIME = '\\d{2}:\\d{2}:\\d{2}';
const FIXED = new RegExp(`^${DAY}, \\d{2} ${MONTH} \\d{4} ${TIME} GMT$`);
const RFC_850 = new RegExp(
  `^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, \\d{2}-${MONTH}-\\d{2} ${TIME} GMT$`,
);
const ASCTIME = new RegExp(`^${DAY} ${MONTH} [ \\d]\\d ${TIME} \\d{4}$`);
/** The last moment that the format has: 9999-12-31T23:59:59Z. */
const LAST_MS = 253_402_300_799_000;

/** A date in one of the three forms of RFC 9110 §5.6.7, in seconds since the epoch; undefined for anything else. */
export function parseHttpDate(text: string): number | undefined {
  const ms = FIXED.test(text) || RFC_850.test(text) ? Date.parse(text) : parseAsctime(text);
  return Number.isNaN(ms) ? undefined : ms / 1000;
}

/** A moment as HTTP states it, in whole seconds; undefined for one before 1970 or after 9999. */
export function formatHttpDate(ms: number): string | undefined {
  return ms >= 0 && ms <= LAST_MS ? new Date(ms).toUTCString() : undefined;
}

function parseAsctime(text: string): number {
  return ASCTIME.test(text) ? Date.parse(`${text} GMT`) : Number.NaN;
}
