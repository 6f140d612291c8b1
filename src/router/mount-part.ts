import { callBelow } from '../core/call-below.js';
import type { App, Environ, Middleware, MiddlewareFunction } from '../core/contract.js';
import { decodePath } from '../core/decode-path.js';
import { resolveCallable } from '../core/parts.js';
import { createParams, type Params } from './params.js';
import { expandPattern, type PathPattern, parsePattern, requirePattern } from './path-pattern.js';
import { createRoute, type Route, type RouteHome } from './route.js';
import { UNDESCRIBED } from './route-contract.js';

/** The wildcard behind the prefix. A prefix that has the name too, in quotes, is refused. */
const REST = '*';
/** How it is shown. */
const OPEN = '{/*rest}';

/**
 * An application or middleware below a prefix, as a route for every method.
 * @throws {TypeError} for something that is no application, and for a prefix with a wildcard
 */
export function mountPart(prefix: string, part: App | Middleware, home: RouteHome): Route {
  const call = resolveCallable(part as Middleware, 'What Router.mount() is given') as MiddlewareFunction;
  const pattern = openPattern(parsePattern(prefix));
  return createRoute(undefined, pattern, home, {}, UNDESCRIBED, { part, call: callMounted(call) });
}

/** The prefix, and all below it: `/shop`, `/shop/` and `/shop/x`. */
function openPattern({ source, tokens }: PathPattern): PathPattern {
  if (expandPattern(tokens).some((flat) => flat.some(({ type }) => type === 'wildcard')))
    throw new TypeError(
      `The prefix '${source}' cannot be used for an application: a wildcard leaves no path to it. Use parameters, '/:name'`,
    );
  const last = tokens.at(-1);
  const head =
    last?.type === 'text' && last.value.endsWith('/')
      ? [...tokens.slice(0, -1), { ...last, value: last.value.slice(0, -1) }]
      : tokens;
  const rest = { type: 'group', tokens: [{ type: 'wildcard', name: REST }] } as const;
  const below = { type: 'group', tokens: [{ type: 'text', value: '/' }, rest] } as const;
  return requirePattern({
    source: source.replace(/\/$/, '') + OPEN,
    tokens: [
      ...head.filter((token) => token.type !== 'text' || token.value !== ''),
      below,
    ] as PathPattern['tokens'],
  });
}

/** A pattern within what is mounted, from outside. @param outer - the pattern of the mount */
export function belowMount(outer: string, inner: string): string {
  return outer.slice(0, -OPEN.length) + inner;
}

function callMounted(call: MiddlewareFunction): MiddlewareFunction {
  return (environ, startResponse) => {
    const { 'vela.raw_path': path, 'vela.route': route, 'vela.mount_params': outer } = environ;
    const params = environ['vela.params'] as Params;
    const rest = findRest(path, params[REST]);
    const script = decodePath(path.slice(0, path.length - rest.length));
    const own = withoutRest(params);
    environ['vela.params'] = own;
    environ['vela.mount_params'] = outer === undefined ? own : Object.assign(createParams(), outer, own);
    return callBelow(call, environ, startResponse, script, rest, (isAnswered) => {
      if (isAnswered) joinRoutes(environ, route as string);
      environ['vela.mount_params'] = outer;
    });
  };
}

/** What follows the prefix: as many segments as the wildcard has. */
function findRest(path: string, rest: unknown): string {
  if (!Array.isArray(rest)) return path.endsWith('/') ? '/' : '';
  let at = path.length;
  for (let count = 0; count < rest.length; count++) at = path.lastIndexOf('/', at - 1);
  return path.slice(at);
}

function withoutRest(params: Params): Params {
  const own = createParams();
  for (const name of Object.keys(params)) if (name !== REST) own[name] = params[name];
  return own;
}

/** A router within has set its own pattern: logs and traces want the whole. */
function joinRoutes(environ: Environ, outer: string): void {
  const inner = environ['vela.route'];
  if (inner === undefined) environ['vela.route'] = outer;
  else if (inner !== outer) environ['vela.route'] = belowMount(outer, inner);
}
