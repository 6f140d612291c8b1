import { PathError, parse, pathToRegexp, type Token } from 'path-to-regexp';
import { describeValue } from '../core/errors.js';
import { isHost } from '../core/host.js';
import type { Params } from './params.js';
import { findRepeated } from './path-pattern.js';

/** A host that requests are for: `api.example.com`, or with parameters: `:tenant.example.com`. */
export interface HostPattern {
  /** In lower case, but for the names of parameters. */
  readonly source: string;
  readonly names: readonly string[];
  /** Undefined for a host without parameters, which is compared as text. */
  readonly regexp: RegExp | undefined;
  /** Which of the parameters are wildcards, whose values are lists. */
  readonly lists: readonly boolean[];
}

/** Parameters end at a dot; one dot more at the end is the same host (RFC 1034 §3.1). */
const HOST_SYNTAX = { delimiter: '.', trailing: true } as const;

/** @throws {TypeError} for what no host is */
export function parseHostPattern(source: unknown): HostPattern {
  if (typeof source !== 'string' || source === '') throw hostError(source, 'it must be text');
  const scheme = /^[a-z]+:\/\//i.exec(source)?.[0];
  if (scheme !== undefined) throw hostError(source, `leave "${scheme}" out: the option "scheme" says it`);
  if (isHost(source) && !/:\d*$/.test(source))
    return { source: source.toLowerCase(), names: [], regexp: undefined, lists: [] };
  if (/:\d*$/.test(source)) throw hostError(source, 'a port is not compared: leave it out');
  try {
    const { tokens } = parse(source);
    for (const text of textsOf(tokens)) {
      if (/[^\0-\x7f]/.test(text))
        throw hostError(source, 'write letters that are not ASCII as in xn--mnchen-3ya.de');
      if (!/^[\w.~-]*$/.test(text)) throw hostError(source, `no host has ${JSON.stringify(text)} in it`);
    }
    const twice = findRepeated(tokens);
    if (twice !== undefined) throw hostError(source, `two parameters have the name "${twice}"`);
    const { regexp, keys } = pathToRegexp(source, HOST_SYNTAX);
    const lists = keys.map(({ type }) => type === 'wildcard');
    return { source, names: keys.map(({ name }) => name), regexp, lists };
  } catch (error) {
    if (error instanceof PathError)
      throw hostError(source, error.message.split(/: |; visit/, 1)[0] as string);
    throw error;
  }
}

/** Whether a host is meant. @param host - in lower case, without port @param params - takes the parameters of the host */
export function matchHost(
  { source, regexp, names, lists }: HostPattern,
  host: string,
  params: Params,
): boolean {
  if (regexp === undefined) return host === source || (host.endsWith('.') && host.slice(0, -1) === source);
  const match = regexp.exec(host);
  if (match === null) return false;
  for (let i = 0; i < names.length; i++) {
    const value = match[i + 1];
    if (value !== undefined) params[names[i] as string] = lists[i] === true ? value.split('.') : value;
  }
  return true;
}

function textsOf(tokens: readonly Token[]): string[] {
  return tokens.flatMap((token) =>
    token.type === 'group' ? textsOf(token.tokens) : token.type === 'text' ? [token.value] : [],
  );
}

function hostError(source: unknown, what: string): TypeError {
  return new TypeError(
    `The host ${describeValue(source)} cannot be used: ${what}. It is a name such as 'api.example.com', or has parameters: ':tenant.example.com'`,
  );
}
