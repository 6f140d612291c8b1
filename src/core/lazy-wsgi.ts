import type { App, AppFunction, Environ, Part, StartContext } from './contract.js';
import { resolveCallable } from './parts.js';

/**
 * An application that is built once per worker, when the first request comes.
 * @param setup - builds it; may be async, and is tried again by the next request when it fails
 * @example serve(lazyWsgi(async () => (await import('./app.js')).default))
 */
export function lazyWsgi(setup: (environ: Environ) => App | PromiseLike<App>): AppFunction {
  if (typeof setup !== 'function')
    throw new TypeError('lazyWsgi takes a function that returns an application');
  let context: StartContext | undefined;
  let built: (App & Part) | undefined;
  let call: AppFunction | undefined;
  let building: Promise<AppFunction> | undefined;

  async function build(environ: Environ): Promise<AppFunction> {
    const app = await setup(environ);
    const resolved = resolveCallable(app, 'What lazyWsgi builds');
    if (context !== undefined) await app.start?.(context);
    built = app;
    call = resolved;
    return resolved;
  }

  const lazy: AppFunction = (environ, startResponse) => {
    if (call !== undefined) return call(environ, startResponse);
    building ??= build(environ).finally(() => {
      building = undefined;
    });
    return building.then((app) => app(environ, startResponse));
  };
  lazy.start = (given) => {
    context = given;
  };
  lazy.stop = async () => {
    const app = built;
    built = undefined;
    call = undefined;
    await app?.stop?.();
  };
  lazy.describe = () => built?.describe?.() ?? { name: 'lazyWsgi' };
  return lazy;
}
