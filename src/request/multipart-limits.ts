import { refuseUnknown, requireOptions } from '../core/errors.js';
import { checkLimit } from './check-limit.js';

/** How much a multipart body may hold; what is more is 413. */
export interface MultipartLimits {
  /** Parts of any kind. @defaultValue 1,000 */
  parts?: number;
  /** Parts that are no files. @defaultValue 1,000 */
  fields?: number;
  /** Parts that are files. @defaultValue 20 */
  files?: number;
  /** Bytes of a part's name. @defaultValue 1 KiB */
  fieldNameBytes?: number;
  /** Bytes of a part that is no file. @defaultValue 1 MiB */
  fieldBytes?: number;
  /** Bytes of a file. @defaultValue no limit but that of the whole body */
  fileBytes?: number;
  /** Header lines of a part, 1,000 at the most; together they may have 16 KiB, beyond which is 400. @defaultValue 20 */
  headerPairs?: number;
  /** Bytes of the whole body. @defaultValue no limit but the server's `maxBodyBytes`, 16 MiB */
  totalBytes?: number;
}

/** Limits with everything filled in. */
export type ResolvedLimits = Readonly<Required<MultipartLimits>>;

const DEFAULTS: ResolvedLimits = {
  parts: 1000,
  fields: 1000,
  files: 20,
  fieldNameBytes: 1024,
  fieldBytes: 1_048_576,
  fileBytes: Number.POSITIVE_INFINITY,
  headerPairs: 20,
  totalBytes: Number.POSITIVE_INFINITY,
};
/** busboy leaves out what comes after 2,000. */
const MAX_HEADER_PAIRS = 1000;

/** @throws {TypeError} for an unknown limit, and for one that is no whole number */
export function resolveLimits(limits: MultipartLimits = {}): ResolvedLimits {
  const given = requireOptions('limits', limits);
  const names = Object.keys(DEFAULTS) as (keyof ResolvedLimits)[];
  const unknown = Object.keys(given).filter((key) => !(names as string[]).includes(key));
  refuseUnknown('limits', Object.fromEntries(unknown.map((key) => [key, true])), names);
  const resolved = { ...DEFAULTS };
  for (const name of names) resolved[name] = checkLimit(name, given[name], DEFAULTS[name]);
  if (resolved.headerPairs > MAX_HEADER_PAIRS)
    throw new TypeError(
      `Option "headerPairs" must be from 0 to ${MAX_HEADER_PAIRS}; received ${resolved.headerPairs}`,
    );
  return resolved;
}
