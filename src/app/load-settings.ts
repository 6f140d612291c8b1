import type { CommandLine } from './command-line.js';
import { readConfigFile } from './config-file.js';
import { listKnown, type SettingScope } from './prefix.js';
import { CONFIG_VARIABLE, readEnvironment, readFallbacks } from './read-environment.js';
import { type CombinedSettings, combineSettings, fromCode } from './resolve-settings.js';
import type { ServerOptions } from './server-options.js';
import { SETTINGS } from './settings.js';

/**
 * Gives the settings of an application, by those of its code and its prefix.
 * @throws {ImproperlyConfigured} with a line for each that is wrong, of all applications
 */
export type CombineWith = (application?: SettingScope & { readonly code: ServerOptions }) => CombinedSettings;

const PLAIN = { prefix: '', declared: SETTINGS };

/**
 * Reads the settings of a program, once for all of its applications: from the command line, the environment and the config
 * file, each before the next, and all before code.
 * @param scopes - those applications that are there
 * @param version - a new one reads a config file that is a module anew
 */
export async function loadSettings(
  line: CommandLine,
  scopes: readonly SettingScope[] = [],
  version = '',
): Promise<CombineWith> {
  const { env } = process;
  const named = env[CONFIG_VARIABLE] ?? '';
  const config =
    line.config !== undefined
      ? { path: line.config, by: '--config' }
      : named === ''
        ? undefined
        : { path: named, by: CONFIG_VARIABLE };
  const file = await readConfigFile(config, version);
  const known = listKnown([PLAIN, ...scopes]);
  const sources = [line.source, readEnvironment(env, known), ...(file === undefined ? [] : [file])];
  const fallbacks = readFallbacks(env);
  return ({ code, prefix, declared } = { ...PLAIN, code: {} }) => {
    const hasFallbacks = prefix === '' && Object.hasOwn(declared, 'bind');
    return combineSettings([...sources, fromCode(code), ...(hasFallbacks ? [fallbacks] : [])], known, prefix);
  };
}
