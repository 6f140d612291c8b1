import type { Token } from 'path-to-regexp';
import type { ConverterOption } from './converters.js';
import { patternNames } from './path-pattern.js';
import type { Route } from './route.js';
import { formatSite } from './route-site.js';

/** The routes that are declared in a router, to find those that are for the same requests, whatever their parameters are called. */
export class DeclaredRoutes {
  readonly #routes = new Map<string, Route[]>();

  add(route: Route): void {
    const key = formatKey(route);
    const known = this.#routes.get(key);
    if (known === undefined) this.#routes.set(key, [route]);
    else known.push(route);
  }

  /** A route that takes all requests of another. */
  findSame(route: Route): Route | undefined {
    return this.#routes.get(formatKey(route))?.find((one) => !one.passesOn && hasSameConverters(one, route));
  }
}

/** What stands for a converter where two are compared: the same texts make the same one. */
export function converterKey(option: ConverterOption | undefined): unknown {
  return Array.isArray(option) ? JSON.stringify([...option].sort()) : option;
}

/** A pattern without the names of its parameters. */
export function formatShape(tokens: readonly Token[], isSensitive: boolean): string {
  return tokens
    .map((token) => {
      if (token.type === 'group') return `{${formatShape(token.tokens, isSensitive)}}`;
      if (token.type !== 'text') return token.type;
      return JSON.stringify(isSensitive ? token.value : token.value.toLowerCase());
    })
    .join('');
}

function formatKey({ methods, pattern, policy, site, accepts, produces }: Route): string {
  const shape = formatShape(pattern.tokens, policy.sensitive);
  return JSON.stringify([[...(methods ?? ['*'])].sort(), shape, formatSite(site), accepts, produces]);
}

function hasSameConverters(one: Route, other: Route): boolean {
  const names = namesOf(one);
  const others = namesOf(other);
  return (
    names.length === others.length &&
    names.every(
      (name, index) => converterKey(one.params[name]) === converterKey(other.params[others[index] as string]),
    )
  );
}

function namesOf({ pattern, site }: Route): string[] {
  return [...patternNames(pattern.tokens), ...(site?.hosts.flatMap(({ names }) => names) ?? [])];
}
