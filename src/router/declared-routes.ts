import type { Token } from 'path-to-regexp';
import type { ConverterOption, ParamOptions } from './converters.js';
import { patternNames } from './path-pattern.js';
import type { Route } from './route.js';
import { formatSite } from './route-site.js';

/** The routes that are declared in a router, to find those that are for the same requests, whatever their parameters are called. */
export class DeclaredRoutes {
  readonly #routes = new Map<string, Route>();
  /** Numbers of converters that are functions. */
  readonly #functions = new Map<unknown, number>();

  add(route: Route): void {
    if (!route.passesOn) this.#routes.set(this.#formatKey(route), route);
  }

  /** A route that takes all requests of another. */
  findSame(route: Route): Route | undefined {
    return this.#routes.get(this.#formatKey(route));
  }

  #formatKey({ methods, pattern, policy, site, accepts, produces, params }: Route): string {
    const shape = formatShape(pattern.tokens, policy.sensitive);
    const names = [...patternNames(pattern.tokens), ...(site?.hosts.flatMap((host) => host.names) ?? [])];
    const converters = names.map((name) => this.#number(findConverter(params, name)));
    return JSON.stringify([
      [...(methods ?? ['*'])].sort(),
      shape,
      formatSite(site),
      accepts,
      produces,
      converters,
    ]);
  }

  #number(option: ConverterOption | undefined): unknown {
    const key = converterKey(option);
    if (typeof key !== 'function') return key;
    const number = this.#functions.get(key) ?? this.#functions.size;
    this.#functions.set(key, number);
    return number;
  }
}

/** What a parameter is converted by. A name such as `constructor` is none of the object's prototype. */
export function findConverter(params: ParamOptions, name: string): ConverterOption | undefined {
  return Object.hasOwn(params, name) ? params[name] : undefined;
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
