import type { ServerOptions } from './server-options.js';
import { flagOf, type Setting, variableOf } from './setting.js';

/** Where settings come from, with what was found there. */
export interface SettingSource {
  readonly from: 'flag' | 'variable' | 'file' | 'code';
  /** Variables that are not called as Vela's are, by the keys of settings. */
  readonly variables?: Readonly<Record<string, string>>;
  /** The config file. */
  readonly file?: string;
  /** By the keys of settings; in code by their names. */
  readonly values: Readonly<Record<string, unknown>>;
  /** What is wrong there, beside the values: a line each. */
  readonly problems?: readonly string[];
}

export type SettingName = keyof ServerOptions;

/** A setting as a message names it: `--bind`, `VELA_BIND`, `"bind" in vela.config.js`, `Option "bind"`. */
export function nameSetting(source: SettingSource, key: string, setting: Setting): string {
  if (source.from === 'file') return `"${key}" in ${source.file}`;
  return source.from === 'code' ? `Option "${key}"` : originOf(source, key, setting);
}

/** Where a setting comes from: `--bind`, `VELA_BIND`, `vela.config.js`, `code`. */
export function originOf(
  { from, file = '', variables = {} }: SettingSource,
  key: string,
  setting: Setting,
): string {
  if (from === 'file') return file;
  if (variables[key] !== undefined) return variables[key];
  return from === 'code' ? 'code' : ((from === 'flag' ? flagOf : variableOf)(key, setting) ?? key);
}

/** A message about an option, with the flag, variable or file beside it that the option comes from. */
export function nameOrigin(message: string, origins: ReadonlyMap<string, string>): string {
  return message.replace(/^Option "(\w+)"/, (option, name: string) => {
    const origin = origins.get(name) ?? 'code';
    return origin === 'code' || origin === 'default' ? option : `${option} (${origin})`;
  });
}
