import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describeValue, ImproperlyConfigured, isPlainObject, toError } from '../core/errors.js';
import { importFile } from './import-file.js';
import type { SettingSource } from './setting-source.js';

/** What is looked for in the working directory. */
const DEFAULT_NAMES = ['vela.config.js', 'vela.config.mjs', 'vela.config.ts', 'vela.config.json'] as const;
const EXTENSION = /\.(?:[cm]?[jt]s|json)$/;
/** How long a function of a config file may take. */
const LOAD_TIMEOUT_MS = 30_000;

/**
 * Reads the config file: the one that was named, or the one in the working directory; undefined when there is none there.
 * @param named - its path, with who named it: `--config`
 * @param version - a new one reads a module anew
 */
export async function readConfigFile(
  named: { readonly path: string; readonly by: string } | undefined,
  version = '',
): Promise<SettingSource | undefined> {
  let file = named?.path ?? '';
  try {
    if (named === undefined) {
      const found = findDefault();
      if (found === undefined) return undefined;
      file = found;
    } else {
      checkNamed(named.path, named.by);
    }
    return { from: 'file', file, values: await load(file, version) };
  } catch (error) {
    return { from: 'file', file, values: {}, problems: [explain(file, error)] };
  }
}

/** @throws {ImproperlyConfigured} for two of them */
function findDefault(): string | undefined {
  const found = DEFAULT_NAMES.filter((name) => existsSync(name));
  if (found.length < 2) return found[0];
  throw new ImproperlyConfigured(
    `There are ${found.join(' and ')} in ${process.cwd()}: keep one, or name one with --config`,
  );
}

/** @throws {ImproperlyConfigured} */
function checkNamed(path: string, by: string): void {
  if (!existsSync(path)) {
    throw new ImproperlyConfigured(
      `${by} must be a config file; received ${describeValue(path)}: there is no ${resolve(path)}`,
    );
  }
  if (EXTENSION.test(path)) return;
  throw new ImproperlyConfigured(
    `${by} must be a .js, .mjs, .ts or .json file; received ${describeValue(path)}: give it one of these names`,
  );
}

/** What the file exports, or what the function that it exports gives. */
async function load(file: string, version: string): Promise<Record<string, unknown>> {
  const exported = file.endsWith('.json')
    ? (JSON.parse(readFileSync(file, 'utf8')) as unknown)
    : (await importFile(resolve(file), version)).default;
  const values: unknown =
    typeof exported === 'function' ? await bound(callConfig(exported as () => unknown)) : exported;
  if (isPlainObject(values)) return values as Record<string, unknown>;
  const what =
    typeof exported === 'function' ? 'its function gave' : file.endsWith('.json') ? 'it is' : 'it exports';
  throw new ImproperlyConfigured(
    `${file} must export settings as its default, an object or a function that gives one, as in export default { bind: ':8060' }; ${what} ${describeValue(values)}`,
  );
}

async function callConfig(config: () => unknown): Promise<unknown> {
  return config();
}

/** @throws {ImproperlyConfigured} when a function takes too long */
async function bound(settings: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(
      () =>
        reject(new Error(`its function gave nothing for ${LOAD_TIMEOUT_MS / 1000} s: return the settings`)),
      LOAD_TIMEOUT_MS,
    );
  });
  try {
    return await Promise.race([settings, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** One line, whatever a file throws. */
function explain(file: string, error: unknown): string {
  if (error instanceof ImproperlyConfigured) return error.message;
  const { name, message } = toError(error);
  return `${file} cannot be read: ${name}: ${message.replace(/\s*\n\s*/g, ' ')}`;
}
