/** Parameters of the query, found whatever their case, as on httpbin.org. */
import { BadRequest, type WsgiRequest } from 'vela';

/** What a number in the query may be. */
interface NumberRules {
  /** What it is when the query does not have it. */
  readonly fallback: number;
  readonly least: number;
  /** A larger one counts as this. */
  readonly most: number;
}

/** The first value of a parameter. */
export function findArg({ query }: WsgiRequest, name: string): string | undefined {
  for (const [key, value] of query) if (key.toLowerCase() === name) return value;
  return undefined;
}

/** A number, whole or not. @throws {BadRequest} for what is none, and for one that is too small */
export function readNumber(request: WsgiRequest, name: string, rules: NumberRules): number {
  return read(request, name, rules, /^\d{1,15}(?:\.\d{1,15})?$/, 'a number');
}

/** A whole number. @throws {BadRequest} for what is none, and for one that is too small */
export function readWhole(request: WsgiRequest, name: string, rules: NumberRules): number {
  return read(request, name, rules, /^\d{1,15}$/, 'a whole number');
}

/** What decides random bytes; undefined when they may be any. @throws {BadRequest} for what is no whole number */
export function findSeed(request: WsgiRequest): string | undefined {
  const seed = findArg(request, 'seed');
  if (seed !== undefined && !/^-?\d{1,20}$/.test(seed)) throw new BadRequest('"seed" must be a whole number');
  return seed;
}

function read(
  request: WsgiRequest,
  name: string,
  { fallback, least, most }: NumberRules,
  form: RegExp,
  what: string,
): number {
  const text = findArg(request, name);
  if (text === undefined) return fallback;
  const value = form.test(text) ? Number(text) : Number.NaN;
  // NaN is not less than anything.
  if (!(value >= least)) throw new BadRequest(`"${name}" must be ${what} from ${least}`);
  return Math.min(value, most);
}
