import { callBelow } from '../core/call-below.js';
import type { App, Middleware, MiddlewareFunction } from '../core/contract.js';
import { decodePath } from '../core/decode-path.js';
import { describeValue } from '../core/errors.js';
import { describeParts, resolveCallable } from '../core/parts.js';

/**
 * Puts an application, or a middleware, at a path: `/shop` and all below it. It sees the rest of the path as `PATH_INFO` and
 * `vela.raw_path`, and what leads to it as `SCRIPT_NAME`. Paths are compared segment by segment, each decoded, so that
 * `/%73hop/x` is the same as `/shop/x`, and `/a%2Fb` is not `/a/b`. When it passes the request on, or throws, the path is
 * as before.
 * @param prefix - decoded, with a slash at the beginning and none at the end: `/shop`
 * @throws {TypeError} for another prefix, and for something that is no application
 * @example new WsgiHandler([mount('/shop', shop), mount('/blog', blog)])
 */
export function mount(prefix: string, app: App | Middleware): MiddlewareFunction {
  const segments = checkPrefix(prefix);
  const call = resolveCallable(app as Middleware, 'What mount() is given') as MiddlewareFunction;

  const mountMiddleware: MiddlewareFunction = (environ, startResponse) => {
    const path = environ['vela.raw_path'];
    const rest = findRest(path, prefix, segments);
    return rest === undefined ? undefined : callBelow(call, environ, startResponse, prefix, rest);
  };

  const { start, stop } = app;
  if (start !== undefined) mountMiddleware.start = (context) => start.call(app, context);
  if (stop !== undefined) mountMiddleware.stop = () => stop.call(app);
  mountMiddleware.describe = () => ({ name: 'mount', prefix, parts: describeParts([app]) });
  mountMiddleware.headers = app.headers;
  mountMiddleware.runsOn = 'request';
  return mountMiddleware;
}

/** Gives the segments. */
function checkPrefix(prefix: unknown): readonly string[] {
  const segments = typeof prefix === 'string' && prefix.startsWith('/') ? prefix.slice(1).split('/') : [];
  const isPath = segments.length > 0 && segments.every((one) => !/^\.{0,2}$|[?#%\\]/.test(one));
  if (isPath) return segments;
  throw new TypeError(
    `mount() takes a path such as '/shop': decoded, with a slash at the beginning and none at the end; received ${describeValue(prefix)}`,
  );
}

/** What follows the prefix, undecoded: `''`, or a slash and more; undefined where the path is another. */
function findRest(path: string, prefix: string, segments: readonly string[]): string | undefined {
  if (path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/'))
    return path.slice(prefix.length);
  if (!path.includes('%')) return undefined;
  let at = 0;
  for (const segment of segments) {
    if (path[at] !== '/') return undefined;
    const next = path.indexOf('/', at + 1);
    const end = next === -1 ? path.length : next;
    if (!isSame(path.slice(at + 1, end), segment)) return undefined;
    at = end;
  }
  return path.slice(at);
}

function isSame(raw: string, segment: string): boolean {
  // An escape takes three characters, and a character has at most four bytes.
  if (raw.length > 12 * segment.length) return false;
  try {
    return decodePath(raw) === segment;
  } catch {
    // A malformed path is for whoever reads it to refuse.
    return false;
  }
}
