import { askNearest, describeValue } from '../core/errors.js';
import { importModule } from '../core/import-module.js';
import { resolveModule } from '../core/module-url.js';
import { actorError } from './actor-errors.js';

/** How a module is given, in error messages. */
export const MODULE_EXAMPLE = "new URL('./greeter.js', import.meta.url)";

/**
 * Loads a module's export.
 * @throws {TypeError} for what is no module's URL or no name
 * @throws {VelaError} `ERR_ACTOR_EXPORT` when there is none of that name; what the module itself throws
 */
export async function loadExport(owner: string, module: unknown, name: unknown): Promise<unknown> {
  const url = resolveModule(owner, module, MODULE_EXAMPLE);
  if (typeof name !== 'string' || name === '')
    throw new TypeError(`${owner} takes the name of an export; received ${describeValue(name)}`);
  const exported = (await importModule(url)) as Record<string, unknown>;
  // The default export of a CommonJS module is its module.exports, and what is named may be in there.
  const inner = exported.default;
  if (name in exported) return exported[name];
  if (typeof inner === 'object' && inner !== null && name in inner) return Reflect.get(inner, name);
  const names = Object.keys(exported);
  const there =
    names.length === 0 ? 'it exports nothing' : `it exports ${names.map((one) => `"${one}"`).join(', ')}`;
  throw actorError('ERR_ACTOR_EXPORT', `${url} has no export "${name}"${askNearest(name, names)}; ${there}`);
}
