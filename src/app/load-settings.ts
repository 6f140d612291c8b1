import type { CommandLine } from './command-line.js';
import { readConfigFile } from './config-file.js';
import { CONFIG_VARIABLE, readEnvironment } from './read-environment.js';
import { type CombinedSettings, combineSettings, fromCode } from './resolve-settings.js';
import type { ServerOptions } from './server-options.js';

/**
 * The settings of a program: from the command line, the environment, the config file and code, each before the next.
 * @param version - a new one reads a config file that is a module anew
 * @throws {ImproperlyConfigured} with a line for each that is wrong, wherever it comes from
 */
export async function loadSettings(
  line: CommandLine,
  code: ServerOptions,
  version = '',
): Promise<CombinedSettings> {
  const { env } = process;
  const named = env[CONFIG_VARIABLE] ?? '';
  const config =
    line.config !== undefined
      ? { path: line.config, by: '--config' }
      : named === ''
        ? undefined
        : { path: named, by: CONFIG_VARIABLE };
  const file = await readConfigFile(config, version);
  return combineSettings([
    line.source,
    readEnvironment(env),
    ...(file === undefined ? [] : [file]),
    fromCode(code),
  ]);
}
