import { compile, type ParamData } from 'path-to-regexp';
import { describeValue } from '../core/errors.js';
import type { Converter } from './converters.js';
import { patternNames } from './path-pattern.js';
import type { Route } from './route.js';

/** What a parameter of a URL may be given as; a wildcard is a list of segments. */
export type UrlParams = Readonly<Record<string, string | number | readonly (string | number)[] | undefined>>;

/** What a query may be made of: repeated names are lists, undefined ones are left out. */
export type UrlQuery = Readonly<
  Record<string, string | number | boolean | readonly (string | number | boolean)[] | undefined>
>;

/**
 * The path that a route has with these parameters, escaped, and a query. Parameters of its host may be there too.
 * @throws {TypeError} for a parameter that is missing, empty or not in the pattern, and for one that its converter does not take
 */
export function buildUrl({ pattern, site, converters }: Route, params: UrlParams, query: UrlQuery): string {
  const known = patternNames(pattern.tokens);
  const more = site?.hosts.flatMap(({ names }) => names) ?? [];
  const unknown = Object.keys(params).find((name) => !known.includes(name) && !more.includes(name));
  if (unknown !== undefined)
    throw new TypeError(`The path '${pattern.source}' has no parameter "${unknown}"; it has ${list(known)}`);
  const data: ParamData = {};
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined) data[name] = typeof value === 'object' ? value.map(String) : String(value);
  }
  for (const [name, convert] of converters) refuseOther(pattern.source, name, data[name], convert);
  let path: string;
  try {
    path = compile({ tokens: [...pattern.tokens], originalPath: pattern.source })(data);
  } catch (cause) {
    throw new TypeError(
      `A URL of '${pattern.source}' needs ${list(known)}; received ${list(Object.keys(data))}; ${(cause as Error).message}`,
      { cause },
    );
  }
  const text = formatQuery(query);
  return text === '' ? path || '/' : `${path || '/'}?${text}`;
}

/** @throws {TypeError} for a text with which the URL would lead to another route, or to none */
function refuseOther(source: string, name: string, given: ParamData[string], convert: Converter): void {
  if (given === undefined) return;
  const wrong = [given].flat().find((text) => convert(text) === undefined);
  if (wrong !== undefined)
    throw new TypeError(`The parameter "${name}" of '${source}' does not take ${describeValue(wrong)}`);
}

function formatQuery(query: UrlQuery): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of typeof value === 'object' ? value : [value]) pairs.append(name, String(one));
  }
  return pairs.toString();
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.map((name) => `"${name}"`).join(', ');
}
