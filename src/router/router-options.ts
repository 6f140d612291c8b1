import type { Middleware } from '../core/contract.js';
import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import type { Refusals } from './answer-request.js';
import { resolveAccepts, resolveProduces } from './media-types.js';
import type { Surroundings } from './nested-route.js';
import { type RouteHome, requireMiddleware, type UnreachablePolicy } from './route.js';
import { resolveSite } from './route-site.js';

/** Options of a {@link Router}. */
export interface RouterOptions<Host extends string = string> {
  /** Runs before each handler of this router and of those mounted in it, in order. */
  middleware?: readonly Middleware[];
  /** Whether upper and lower case differ in paths. @defaultValue false */
  sensitive?: boolean;
  /** Whether a path may have one slash more at its end than its pattern. @defaultValue true */
  trailing?: boolean;
  /**
   * What becomes of a request whose path is known and whose method is not: `refuse` answers 405 with Allow, and OPTIONS
   * with 204; `pass` leaves it to what stands behind this router. @defaultValue `refuse`
   */
  otherMethods?: 'refuse' | 'pass';
  /**
   * What becomes of a request whose path and method are known, and whose media types are not: `refuse` answers 415 or 406;
   * `pass` leaves it to what stands behind this router. @defaultValue `refuse`
   */
  otherTypes?: 'refuse' | 'pass';
  /** The host that its routes are for, without a port; it may have parameters: `:tenant.example.com`. */
  host?: Host;
  /** The scheme that its routes are for. */
  scheme?: 'http' | 'https';
  /** What its routes take, those of routers in it too, where they do not say it themselves. */
  accepts?: readonly string[];
  /** What its routes answer with, those of routers in it too, where they do not say it themselves. */
  produces?: readonly string[];
  /**
   * What is done about routes that no request reaches: `warn` refuses one that is declared twice, and logs the others at
   * start; `refuse` lets none pass; `ignore` says nothing. It counts for the routes of this router alone. @defaultValue `warn`
   */
  unreachable?: UnreachablePolicy;
}

const NAMES = [
  ...['middleware', 'sensitive', 'trailing', 'otherMethods', 'otherTypes'],
  ...['host', 'scheme', 'accepts', 'produces', 'unreachable'],
];

/** Options, checked. */
export interface ResolvedRouterOptions {
  readonly home: RouteHome;
  readonly around: Surroundings;
  readonly refusals: Refusals;
}

/** @throws {TypeError} for options that no router has, and values that they do not take */
export function resolveRouterOptions(options: RouterOptions): ResolvedRouterOptions {
  const { middleware = [], sensitive = false, trailing = true, ...more } = requireOptions('Router', options);
  const { otherMethods = 'refuse', otherTypes = 'refuse', unreachable = 'warn', ...rest } = more;
  const { host, scheme, accepts, produces, ...unknown } = rest;
  refuseUnknown('Router', unknown, NAMES);
  requireOneOf('sensitive', sensitive, [true, false]);
  requireOneOf('trailing', trailing, [true, false]);
  requireOneOf('otherMethods', otherMethods, ['refuse', 'pass']);
  requireOneOf('otherTypes', otherTypes, ['refuse', 'pass']);
  requireOneOf('unreachable', unreachable, ['warn', 'refuse', 'ignore']);
  const site = resolveSite('Router', host, scheme);
  return {
    home: { policy: { sensitive, trailing }, unreachable, site },
    refusals: { methods: otherMethods === 'refuse', types: otherTypes === 'refuse' },
    around: {
      prefix: undefined,
      middleware: requireMiddleware(middleware),
      site,
      accepts: resolveAccepts('Router', accepts),
      produces: resolveProduces('Router', produces),
    },
  };
}

function requireOneOf(option: string, value: unknown, known: readonly unknown[]): void {
  if (known.includes(value)) return;
  const names = known.map((one) => (typeof one === 'string' ? `'${one}'` : String(one)));
  const list = `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
  throw new TypeError(`Option "${option}" of Router must be ${list}; received ${describeValue(value)}`);
}
