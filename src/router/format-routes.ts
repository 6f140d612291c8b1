import type { PartDescription } from '../core/contract.js';
import { describeValue } from '../core/errors.js';
import type { RouteDescription } from './describe-route.js';
import { belowMount } from './mount-part.js';

const COLUMNS: readonly (readonly [title: string, cell: (route: RouteDescription) => string])[] = [
  ['METHODS', ({ methods }) => methods?.join(',') ?? '*'],
  ['PATH', ({ path }) => path],
  ['NAME', ({ name }) => name ?? ''],
  ['SITE', ({ host, scheme }) => formatSite(host, scheme)],
  ['ACCEPTS', ({ accepts }) => accepts?.join(', ') ?? ''],
  ['PRODUCES', ({ produces }) => produces?.join(', ') ?? ''],
  ['MIDDLEWARE', ({ middleware }) => middleware.join(', ')],
  ['HANDLER', ({ handler, mounted }) => (mounted === undefined ? (handler ?? '') : `[${mounted.name}]`)],
  ['UNREACHABLE', ({ unreachable }) => (unreachable === undefined ? '' : `behind ${unreachable}`)],
];

/**
 * Routes as a table in text, a line each, with the columns that have something in them. Routes of routers in applications
 * that are mounted stand behind these.
 * @example console.log(formatRoutes(router.routes()));
 */
export function formatRoutes(routes: readonly RouteDescription[]): string {
  if (!Array.isArray(routes) || !routes.every(isRoute))
    throw new TypeError(`formatRoutes() takes what router.routes() gives; received ${describeValue(routes)}`);
  const rows = routes.flatMap(expand).map((route) => COLUMNS.map(([, cell]) => escapeControls(cell(route))));
  const columns = COLUMNS.flatMap(([title], index) => {
    const cells = rows.map((row) => row[index] as string);
    if (index > 1 && cells.every((cell) => cell === '')) return [];
    const width = Math.max(title.length, ...cells.map((cell) => cell.length));
    return [[title, ...cells].map((cell) => cell.padEnd(width))];
  });
  const lines = Array.from({ length: rows.length + 1 }, (_, line) =>
    columns
      .map((column) => column[line])
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

/** A route, and those of the routers in what is mounted there. */
function expand(route: RouteDescription): RouteDescription[] {
  const within = route.mounted === undefined ? [] : listRoutes(route.mounted);
  return [
    route,
    ...within.flatMap(expand).map((one) => ({ ...one, path: belowMount(route.path, one.path) })),
  ];
}

/** The routes of all routers in what an application says of itself. `mount()` of vela/middleware says its prefix. */
export function listRoutes({ parts = [], routes, prefix }: PartDescription): RouteDescription[] {
  const own = Array.isArray(routes) ? (routes as unknown[]).filter(isRoute) : [];
  const all = [...own, ...parts.flatMap(listRoutes)];
  return typeof prefix === 'string' ? all.map((one) => ({ ...one, path: prefix + one.path })) : all;
}

/** Parts describe themselves as they like: another may have routes of its own. */
function isRoute(value: unknown): value is RouteDescription {
  if (typeof value !== 'object' || value === null) return false;
  const { path, middleware } = value as Partial<RouteDescription>;
  return typeof path === 'string' && Array.isArray(middleware);
}

function formatSite(host: string | undefined, scheme: string | undefined): string {
  return scheme === undefined ? (host ?? '') : `${scheme}://${host ?? '*'}`;
}

/** Names come from elsewhere: none may move the cursor of a terminal. */
function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (one) => `\\u{${one.codePointAt(0)?.toString(16)}}`);
}
