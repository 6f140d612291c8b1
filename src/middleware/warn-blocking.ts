import { channel } from 'node:diagnostics_channel';
import type { App, Environ, Middleware, MiddlewareFunction } from '../core/contract.js';
import { refuseUnknown, requireOptions } from '../core/errors.js';
import { describeParts, resolveCallable } from '../core/parts.js';
import { HoldWatch } from './hold-watch.js';
import { optionError, requireMs } from './option-error.js';

/** Options of {@link warnBlocking}. */
export interface WarnBlockingOptions {
  /** From how long on it is told that the loop was held, in ms. @defaultValue 50 */
  thresholdMs?: number;
  /** For so long a route is not written to the log again, in ms; the channel hears each time. @defaultValue 10,000 */
  quietMs?: number;
}

/** The loop was held, as the channel `vela:blocking` tells it. */
export interface BlockingMessage {
  /** For how long nobody was answered, in ms. */
  readonly heldMs: number;
  /** The request whose handler was called; those that were under way, where it happened after an await. */
  readonly environs: readonly Environ[];
  /** `call`: it was this one's call; `later`: it was one of these, or none. */
  readonly during: 'call' | 'later';
}

const OWNER = 'warnBlocking';
/** So many routes are remembered; a path that is no route may be any. */
const MAX_ROUTES = 1000;
/** So many requests are named in one line. */
const MAX_NAMES = 5;
const blocking = channel('vela:blocking');

/**
 * Wraps an application, and warns when it held the event loop, so that the server answered nobody. What a handler does in its
 * call is measured, and told with its route. What is done later, after an await or in a generator's step, is seen by a
 * timer that comes late, and told with the requests that were under way.
 * @throws {TypeError} for something that is no application, and for options that it does not have
 * @see docs/executor.md
 * @example new WsgiHandler([waitForBody(), warnBlocking(router)])
 */
export function warnBlocking(app: App | Middleware, options: WarnBlockingOptions = {}): MiddlewareFunction {
  const { thresholdMs = 50, quietMs = 10_000, ...unknown } = requireOptions(OWNER, options);
  refuseUnknown(OWNER, unknown, ['thresholdMs', 'quietMs']);
  requireMs(OWNER, 'thresholdMs', thresholdMs);
  if (typeof quietMs !== 'number' || !(quietMs >= 0))
    throw optionError(OWNER, 'quietMs', 'a number of milliseconds', quietMs);
  const call = resolveCallable(app as Middleware, `What ${OWNER} is given`);
  const toldMs = new Map<string, number>();

  const tell = (heldMs: number, environs: readonly Environ[], during: BlockingMessage['during']) => {
    if (blocking.hasSubscribers) blocking.publish({ heldMs, environs, during } satisfies BlockingMessage);
    const names = [...new Set(environs.map(nameRoute))].slice(0, MAX_NAMES).join(', ');
    const now = performance.now();
    if (now - (toldMs.get(names) ?? Number.NEGATIVE_INFINITY) < quietMs) return;
    if (toldMs.size >= MAX_ROUTES) toldMs.clear();
    toldMs.set(names, now);
    warn(heldMs, environs, during, names);
  };
  const watch = new HoldWatch(thresholdMs, (heldMs, environs) => tell(heldMs, environs, 'later'));

  const watched: MiddlewareFunction = (environ, startResponse) => {
    const beganMs = performance.now();
    let result: ReturnType<MiddlewareFunction>;
    try {
      result = call(environ, startResponse);
    } finally {
      const heldMs = performance.now() - beganMs;
      if (heldMs >= thresholdMs) {
        watch.known(heldMs);
        tell(heldMs, [environ], 'call');
      }
    }
    // A list is all that there is.
    if (typeof result === 'object' && result !== null && !Array.isArray(result)) watch.follow(environ);
    return result;
  };
  if (app.headers !== undefined) watched.headers = app.headers;
  watched.start = (context) => app.start?.(context);
  watched.stop = () => {
    watch.stop();
    return app.stop?.();
  };
  watched.describe = () => ({ name: OWNER, thresholdMs, parts: describeParts([app]) });
  watched.runsOn = 'request';
  return watched;
}

function warn(
  heldMs: number,
  environs: readonly Environ[],
  during: BlockingMessage['during'],
  names: string,
): void {
  const [environ] = environs;
  if (environ === undefined) return;
  const rounded = Math.round(heldMs);
  const isOne = during === 'call';
  environ['vela.logger'].warn(
    {
      heldMs: rounded,
      ...(isOne ? { requestId: environ['vela.request_id'], route: nameRoute(environ) } : {}),
    },
    isOne
      ? `${names} held the loop for ${rounded} ms, in which nobody was answered; middlewareInExecutor() and offload() move it to a thread`
      : `the loop was held for ${rounded} ms, in which nobody was answered, while these were under way: ${names}`,
  );
}

/** Method and pattern; the path where no router took the request. */
function nameRoute(environ: Environ): string {
  return `${environ.REQUEST_METHOD} ${environ['vela.route'] ?? environ['vela.raw_path']}`;
}
