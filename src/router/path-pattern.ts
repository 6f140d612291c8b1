import { type Key, PathError, parse, pathToRegexp, type Token } from 'path-to-regexp';
import { describeValue } from '../core/errors.js';
import { hintPattern, PLACEHOLDER } from './pattern-hint.js';

/** A pattern in the syntax of path-to-regexp, parsed. */
export interface PathPattern {
  /** As it was written. */
  readonly source: string;
  readonly tokens: readonly Token[];
}

/** As many ways path-to-regexp lets a pattern have: each group adds one at least. */
const MAX_GROUPS = 256;

/** Text or a name; groups are resolved. */
export type FlatToken = Exclude<Token, { type: 'group' }>;

/** How paths are compared with patterns. */
export interface PathPolicy {
  /** Upper and lower case differ. */
  readonly sensitive: boolean;
  /** A path may end in one slash more than its pattern. */
  readonly trailing: boolean;
}

/**
 * Parses a pattern such as `/users/:id{/posts}` or `/files/*path`. What a URL has only as escapes is escaped: `/café`
 * stands for `/caf%C3%A9`.
 * @throws {TypeError} for what path-to-regexp refuses, with what to write instead
 */
export function parsePattern(source: unknown): PathPattern {
  if (typeof source !== 'string')
    throw new TypeError(
      `A route's path must be text such as '/users/:id'; received ${describeValue(source)}`,
    );
  checkText(source);
  try {
    const { tokens } = parse(source, { encodePath });
    checkPattern({ source, tokens });
    return { source, tokens };
  } catch (error) {
    if (error instanceof PathError) throw patternError(source, error);
    throw error;
  }
}

/**
 * Joins a prefix and what stands below it: `/api` and `/users` to `/api/users`. A slash between them counts once, and `/`
 * alone is the place of the prefix: `/api` and `/` to `/api`.
 */
export function joinPatterns(prefix: PathPattern, rest: PathPattern): PathPattern {
  const first = rest.tokens[0];
  const last = prefix.tokens.at(-1);
  const overlaps =
    last?.type === 'text' &&
    last.value.endsWith('/') &&
    first?.type === 'text' &&
    first.value.startsWith('/');
  if (rest.source === '/' && prefix.source !== '' && !overlaps) return prefix;
  const head = overlaps
    ? [...prefix.tokens.slice(0, -1), { ...last, value: last.value.slice(0, -1) }]
    : prefix.tokens;
  const tokens = [...head, ...rest.tokens].filter((token) => token.type !== 'text' || token.value !== '');
  const source = overlaps ? prefix.source.slice(0, -1) + rest.source : prefix.source + rest.source;
  return requirePattern({ source, tokens });
}

/** A pattern that was made of others. @throws {TypeError} for one that path-to-regexp refuses */
export function requirePattern(pattern: PathPattern): PathPattern {
  try {
    checkPattern(pattern);
  } catch (error) {
    throw error instanceof PathError ? patternError(pattern.source, error) : error;
  }
  return pattern;
}

/** All that a pattern may stand for once its groups are there or not, in path-to-regexp's order. */
export function expandPattern(tokens: readonly Token[]): FlatToken[][] {
  let expanded: FlatToken[][] = [[]];
  for (const token of tokens) {
    if (token.type === 'group') {
      const inner = expandPattern(token.tokens);
      expanded = expanded.flatMap((head) => [...inner.map((one) => [...head, ...one]), head]);
    } else expanded = expanded.map((head) => [...head, token]);
  }
  return expanded.map(mergeTexts);
}

/** The names in a pattern, each once. */
export function patternNames(tokens: readonly Token[]): string[] {
  const names = tokens.flatMap((token) => {
    if (token.type === 'group') return patternNames(token.tokens);
    return token.type === 'text' ? [] : [token.name];
  });
  return [...new Set(names)];
}

/** A name that two parameters have which may be there together. */
export function findRepeated(tokens: readonly Token[]): string | undefined {
  for (const flat of expandPattern(tokens)) {
    const names = flat.filter((token): token is Key => token.type !== 'text').map((token) => token.name);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) return twice;
  }
  return undefined;
}

/** What path-to-regexp would not tell, or only by a full stack. @throws {TypeError} */
function checkText(source: string): void {
  const text = describeValue(source);
  if (/\p{Surrogate}/u.test(source))
    throw new TypeError(`The path ${text} cannot be used: it has half of a character, a lone surrogate`);
  if (source.split('{').length > MAX_GROUPS)
    throw new TypeError(`The path ${text} cannot be used: it has more than ${MAX_GROUPS} groups`);
}

function mergeTexts(tokens: readonly FlatToken[]): FlatToken[] {
  const merged: FlatToken[] = [];
  for (const token of tokens) {
    const last = merged.at(-1);
    if (token.type === 'text' && last?.type === 'text')
      merged[merged.length - 1] = { type: 'text', value: last.value + token.value };
    else merged.push(token);
  }
  return merged;
}

/** @throws {PathError} for a pattern that cannot be compiled, or never matches, or names a parameter twice */
function checkPattern({ source, tokens }: PathPattern): void {
  if (/<[^<>/]*>/.test(source)) throw new PathError('No URL has angle brackets', source);
  if (PLACEHOLDER.test(source)) throw new PathError('An optional text is a whole segment', source);
  for (const text of listTexts(tokens)) {
    if (/[?#]/.test(text)) throw new PathError('A path ends before "?" and "#"', source);
    if (/%(?![\dA-F]{2})/i.test(text)) throw new PathError('Write "%25" for "%"', source);
  }
  pathToRegexp({ tokens: [...tokens], originalPath: source });
  const twice = findRepeated(tokens);
  if (twice !== undefined) throw new PathError(`Two parameters have the name "${twice}"`, source);
  for (const [first] of expandPattern(tokens)) {
    if (first !== undefined && !(first.type === 'text' && first.value.startsWith('/')))
      throw new PathError('Paths begin with a slash', source);
  }
}

function listTexts(tokens: readonly Token[]): string[] {
  return tokens.flatMap((token) => {
    if (token.type === 'group') return listTexts(token.tokens);
    return token.type === 'text' ? [token.value] : [];
  });
}

/** In escapes, as it comes in a request line; escapes that are there already stay. */
function encodePath(text: string): string {
  return text.replace(/[^\x21-\x7e]+/gu, encodeURIComponent);
}

function patternError(source: string, error: PathError): TypeError {
  const hint = hintPattern(source);
  const [what] = error.message.split(/: |; visit/, 1);
  return new TypeError(`The path ${describeValue(source)} cannot be used: ${hint ?? what}`, { cause: error });
}
