import { Command, CommanderError, Option } from 'commander';
import { ImproperlyConfigured } from '../core/errors.js';
import { VERSION } from '../core/version.js';
import type { ServerOptions } from './server-options.js';
import { SETTINGS } from './settings.js';

/** What a command line asks for: settings, or a text to print (help, version). */
export type CommandLine = { readonly options: ServerOptions } | { readonly print: string };

/**
 * Reads the flags of a script that ends in `.start()`.
 * @param args - without node and the script
 * @throws {ImproperlyConfigured} for unknown flags and values that are no numbers
 */
export function parseCommandLine(args: readonly string[]): CommandLine {
  let printed = '';
  const command = new Command()
    .usage('[flags]')
    .version(VERSION)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        printed += text;
      },
      writeErr: () => {},
    });
  for (const { flags, text, choices, default: fallback, kind } of Object.values(SETTINGS)) {
    if (flags === undefined) continue;
    const shown = fallback === undefined || kind === 'boolean' ? '' : ` (default ${fallback})`;
    const option = new Option(flags, text + shown);
    if (choices !== undefined) option.choices([...choices]);
    command.addOption(option);
  }
  try {
    command.parse([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { print: printed };
    throw new ImproperlyConfigured(`${error.message.replace(/^error: /, '')}; --help lists the flags`);
  }
  const options = Object.entries(command.opts()).map(([key, value]) => {
    const isInteger = SETTINGS[key as keyof ServerOptions].kind === 'integer';
    return [key, isInteger ? toInteger(key, value) : value];
  });
  return { options: Object.fromEntries(options) };
}

function toInteger(key: string, value: string): number {
  if (!/^\d+$/.test(value)) {
    const flag = SETTINGS[key as keyof ServerOptions].flags?.replace(/ .*/, '');
    throw new ImproperlyConfigured(`${flag} takes a whole number; received '${value}'`);
  }
  return Number(value);
}
