import { basename } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import { describeValue, ImproperlyConfigured } from '../core/errors.js';
import { VERSION } from '../core/version.js';
import type { ServerOptions } from './server-options.js';
import { checkSetting, SETTINGS, type Setting } from './settings.js';

/** What a command line asks for: settings, or a text to print (help, version). */
export type CommandLine = { readonly options: ServerOptions } | { readonly print: string };

const HELP = '--help lists the flags';
/** npm keeps the flags that stand before `--`, and passes on only what is left. */
const NPM = 'npm passes flags on behind -- only, as in npm start -- --bind 9000';
/** Flags of other servers, and what they are here. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  '-p': '--bind PORT',
  '--port': '--bind PORT',
  '--host': '--bind HOST:PORT',
  '--listen': '--bind',
  '--cert': '--cert-file',
  '--key': '--key-file',
};

/**
 * Reads the flags of a script that ends in `.start()`.
 * @param args - without node and the script
 * @param script - its path, for --help
 * @throws {ImproperlyConfigured} for unknown flags and wrong values: one line that names the flag, the value and what to do
 */
export function parseCommandLine(args: readonly string[], script = ''): CommandLine {
  let printed = '';
  const command = new Command()
    .name(basename(script) || 'program')
    .usage('[flags]')
    .version(`vela ${VERSION}`, '-V, --version', "print Vela's version")
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        printed += text;
      },
      writeErr: () => {},
    });
  for (const setting of Object.values(SETTINGS)) {
    const option = createOption(setting);
    if (option !== undefined) command.addOption(option);
  }
  try {
    command.parse([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { print: printed };
    throw new ImproperlyConfigured(explain(error, command));
  }
  return { options: command.opts() };
}

/** A message that begins with an option, with its flag beside it if that is where it came from. */
export function nameFlag(message: string, flagged: ServerOptions): string {
  return message.replace(/^Option "(\w+)"/, (name, key: string) => {
    if (!Object.hasOwn(flagged, key)) return name;
    return `${name} (${/--[\w-]+/.exec(SETTINGS[key as keyof ServerOptions].flags ?? '')})`;
  });
}

function createOption(setting: Setting): Option | undefined {
  const { flags, text, choices, default: fallback, kind } = setting;
  if (flags === undefined) return undefined;
  const shown = fallback === undefined || kind === 'boolean' ? '' : ` (default ${fallback})`;
  const option = new Option(flags, text + shown);
  if (choices !== undefined) option.choices([...choices]);
  return kind === 'boolean' ? option : option.argParser((value) => readValue(option, value, setting));
}

function readValue(option: Option, text: string, setting: Setting): string | number {
  const flag = option.long as string;
  if (text === '' || isFlag(text)) {
    throw new ImproperlyConfigured(
      `${flag} takes a value, as in ${longForm(setting.flags)}; received ${isFlag(text) ? `the flag ${text}` : 'an empty one'}`,
    );
  }
  const value = setting.kind === 'integer' && /^\d+$/.test(text) ? Number(text) : text;
  checkSetting(flag, value, setting);
  return value;
}

function isFlag(text: string): boolean {
  return Object.values(SETTINGS).some(({ flags }) => flags?.split(/, | /).includes(text) === true);
}

/** `-b, --bind <address>` without its short form. */
function longForm(flags = ''): string {
  return flags.replace(/^-\w, /, '');
}

/** What commander found, in one line. */
function explain(error: CommanderError, command: Command): string {
  const quoted = /'(.*)'/.exec(error.message)?.[1] ?? '';
  switch (error.code) {
    case 'commander.unknownOption':
      return explainUnknown(quoted, error.message, command);
    case 'commander.optionMissingArgument':
      return `${longForm(quoted).replace(/ .*/, '')} takes a value, as in ${longForm(quoted)}; none came`;
    case 'commander.excessArguments':
      return `${describeValue(command.args[0])} belongs to no flag, and nothing but flags is taken; ${NPM}; ${HELP}`;
    default:
      return `${error.message.replace(/^error: /, '').replaceAll('\n', ' ')}; ${HELP}`;
  }
}

function explainUnknown(given: string, message: string, command: Command): string {
  const [name = '', value] = given.split(/=(.*)/s);
  const own = command.options.find((option) => option.long === name);
  if (own !== undefined) return `${name} takes no value; received ${describeValue(value)}`;
  const kebab = name.replaceAll('_', '-').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const nearest =
    ELSEWHERE[name] ??
    command.options.find((option) => option.long === kebab)?.long ??
    /\(Did you mean (?:one of )?(.*)\?\)/.exec(message)?.[1];
  return `There is no flag ${name}${nearest === undefined ? '' : ` (did you mean ${nearest}?)`}; ${HELP}`;
}
