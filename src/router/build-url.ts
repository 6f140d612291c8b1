import { compile, type MatchFunction, match, type ParamData } from 'path-to-regexp';
import { describeValue } from '../core/errors.js';
import { patternNames } from './path-pattern.js';
import type { Route } from './route.js';

/** What a parameter of a URL may be given as; a wildcard is a list of segments. */
export type UrlParams = Readonly<Record<string, string | number | readonly (string | number)[] | undefined>>;

/** What a query may be made of: repeated names are lists, undefined ones are left out. */
export type UrlQuery = Readonly<
  Record<string, string | number | boolean | readonly (string | number | boolean)[] | undefined>
>;

/** Makes paths of a route, and finds their parameters. */
interface Paths {
  readonly make: (data: ParamData) => string;
  readonly find: MatchFunction<ParamData>;
}

const known = new WeakMap<Route, Paths>();

/** What browsers and proxies take out of paths, escaped or not (RFC 3986 §5.2.4). */
const DOT_SEGMENT = /\/\.{1,2}(?=\/|$)/;

/**
 * The path that a route has with these parameters, escaped, and a query. Parameters of its host may be there too.
 * @throws {TypeError} for a parameter that is missing, empty, not in the pattern or nothing that its converter takes, and for
 * parameters whose path would have others
 */
export function buildUrl(route: Route, params: UrlParams, query: UrlQuery): string {
  const { pattern } = route;
  const data = readParams(route, params);
  const names = patternNames(pattern.tokens);
  const { make, find } = findPaths(route);
  let path: string;
  try {
    path = make(data);
  } catch (cause) {
    throw new TypeError(
      `A URL of '${pattern.source}' needs ${list(names)}; received ${list(Object.keys(data))}; ${(cause as Error).message}`,
      { cause },
    );
  }
  const found = find(path);
  const other = names.find((name) => !isSame(found === false ? undefined : found.params[name], data[name]));
  if (other !== undefined)
    throw new TypeError(
      `The path '${path}' that '${pattern.source}' has with these parameters would be read with another "${other}": it cannot be told from what stands around it`,
    );
  if (path.startsWith('//'))
    throw new TypeError(
      `The path '${path}' of '${pattern.source}' begins with two slashes, behind which clients read a host: the first segment may not be empty`,
    );
  if (DOT_SEGMENT.test(path))
    throw new TypeError(
      `The path '${path}' of '${pattern.source}' has a segment of dots, which clients take out: no parameter may be "." or ".."`,
    );
  const text = formatQuery(query);
  return text === '' ? path || '/' : `${path || '/'}?${text}`;
}

function findPaths(route: Route): Paths {
  let paths = known.get(route);
  if (paths === undefined) {
    const { pattern, policy } = route;
    const tokens = { tokens: [...pattern.tokens], originalPath: pattern.source };
    paths = { make: compile(tokens), find: match(tokens, policy) };
    known.set(route, paths);
  }
  return paths;
}

/** As texts, in an object without a prototype. @throws {TypeError} */
function readParams({ pattern, site, converters }: Route, params: UrlParams): ParamData {
  requireObject('parameters', '{ id: 5 }', params);
  const inPath = patternNames(pattern.tokens);
  const inHost = site?.hosts.flatMap(({ names }) => names) ?? [];
  const data = Object.create(null) as ParamData;
  for (const [name, value] of Object.entries(params)) {
    if (!inPath.includes(name) && !inHost.includes(name))
      throw new TypeError(`The path '${pattern.source}' has no parameter "${name}"; it has ${list(inPath)}`);
    if (value === undefined) continue;
    if (![value].flat().every(isText))
      throw new TypeError(
        `The parameter "${name}" of '${pattern.source}' must be text, a number, or of a wildcard a list of these; received ${describeValue(value)}`,
      );
    data[name] = typeof value === 'object' ? value.map(String) : String(value);
  }
  for (const [name, convert] of converters) {
    const wrong = [data[name] ?? []].flat().find((text) => convert(text) === undefined);
    if (wrong !== undefined)
      throw new TypeError(
        `The parameter "${name}" of '${pattern.source}' does not take ${describeValue(wrong)}: its converter makes nothing of it`,
      );
  }
  return data;
}

function isText(value: unknown): boolean {
  return typeof value === 'string' || Number.isFinite(value);
}

function isSame(found: string | string[] | undefined, given: string | string[] | undefined): boolean {
  if (!Array.isArray(found) || !Array.isArray(given)) return found === given;
  return found.length === given.length && found.every((one, index) => one === given[index]);
}

function formatQuery(query: UrlQuery): string {
  requireObject('query', '{ page: 2 }', query);
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of [value].flat()) {
      if (!isText(one) && typeof one !== 'boolean')
        throw new TypeError(
          `"${name}" of a query must be text, a number, true or false, or a list of these; received ${describeValue(one)}`,
        );
      pairs.append(name, String(one));
    }
  }
  return pairs.toString();
}

function requireObject(what: string, example: string, value: unknown): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  throw new TypeError(
    `Router.url() takes ${what} as an object, ${example}; received ${describeValue(value)}`,
  );
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.map((name) => `"${name}"`).join(', ');
}
