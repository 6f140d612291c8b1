import type {
  App,
  AppFunction,
  Middleware,
  MiddlewareFunction,
  Part,
  StartContext,
} from '../../core/contract.js';
import { askNearest, describeValue, VelaError } from '../../core/errors.js';
import { importModule } from '../../core/import-module.js';
import { resolveCallable } from '../../core/parts.js';
import { callHandler } from '../../router/call-handler.js';
import type { AnyHandler } from '../../router/route-request.js';
import type { TargetKind } from '../wire.js';

/** An export in use. */
export interface Target {
  readonly use: TargetKind;
  /** What it is called with: a request, or the arguments of a function. */
  readonly call: MiddlewareFunction | ((...args: unknown[]) => unknown);
  readonly part: Part | undefined;
}

/**
 * Loads a module's export.
 * @throws {VelaError} `ERR_EXECUTOR_EXPORT` when it is not there, or cannot be called; what the module itself throws
 */
export async function loadTarget(
  url: string,
  name: string,
  use: TargetKind,
  context: StartContext | undefined,
): Promise<Target> {
  const module = (await importModule(url)) as Record<string, unknown>;
  const found = findExport(module, name);
  if (!isCallable(found, use)) throw exportError(url, name, use, found, module);
  if (use === 'function') return { use, call: found as (...args: unknown[]) => unknown, part: undefined };
  if (use === 'handler') {
    const call = callHandler(found as AnyHandler, () => `the export "${name}" of ${url}`, true);
    return { use, call, part: undefined };
  }
  const part = found as App & Middleware & Part;
  const call = resolveCallable<AppFunction | MiddlewareFunction>(part, `The export "${name}" of ${url}`);
  if (context !== undefined) await part.start?.(context);
  return { use, call: call as MiddlewareFunction, part };
}

/** Stops what was started, whatever fails. */
export async function stopTargets(
  targets: readonly Target[],
  report: (error: unknown) => void,
): Promise<void> {
  for (const { part } of targets) {
    try {
      await part?.stop?.();
    } catch (error) {
      report(error);
    }
  }
}

/** The default export of a CommonJS module is its `module.exports`, and what is named may be in there. */
function findExport(module: Record<string, unknown>, name: string): unknown {
  if (name in module) return module[name];
  const inner = module.default;
  // What all objects have is no export: `constructor`, `toString`.
  const isThere = typeof inner === 'object' && inner !== null && name in inner;
  return isThere && (Object.hasOwn(inner, name) || !(name in {})) ? Reflect.get(inner, name) : undefined;
}

function isCallable(found: unknown, use: TargetKind): boolean {
  if (typeof found === 'function') return true;
  return use === 'app' && typeof found === 'object' && found !== null && 'handle' in found;
}

function exportError(
  url: string,
  name: string,
  use: TargetKind,
  found: unknown,
  module: Record<string, unknown>,
): VelaError {
  const what = {
    app: 'an application or middleware, a function (environ, startResponse) or an object with handle()',
    handler: 'a handler, a function (request) => response',
    function: 'a function',
  }[use];
  const known = Object.keys(module);
  const names = known.map((one) => `"${one}"`);
  const there = names.length === 0 ? 'it exports nothing' : `it exports ${names.join(', ')}`;
  const problem =
    found === undefined
      ? `${url} has no export "${name}"${askNearest(name, known)}; ${there}`
      : `The export "${name}" of ${url} is ${describeValue(found)}`;
  return new VelaError(
    'ERR_EXECUTOR_EXPORT',
    `${problem}. The executor needs ${what}: export it by that name, or give another name`,
  );
}
