import { basename } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import { describeValue } from '../core/errors.js';
import { VERSION } from '../core/version.js';
import { explainSurplus, explainUnknownFlag, explainValueless, refuseFlagValue } from './flag-errors.js';
import { type KnownSetting, type KnownSettings, listKnown } from './prefix.js';
import { flagOf, SECTIONS, type Setting } from './setting.js';
import { kindOf } from './setting-kinds.js';
import type { SettingSource } from './setting-source.js';
import { SETTINGS } from './settings.js';

/** What a command line asks for. */
export interface CommandLine {
  readonly source: SettingSource;
  /** The config file's path. */
  readonly config: string | undefined;
  /** Only print the settings, or only check them. */
  readonly only: 'print' | 'check' | undefined;
  /** A text to print in place of serving: help or version. */
  readonly print: string | undefined;
  /** What belongs to no flag: the module of `vela serve`. */
  readonly operands: readonly string[];
  /** The value of a choice of the program, where it was given. */
  readonly choice: string | undefined;
}

/** How the program is called, for `--help`. */
export interface Program {
  readonly name: string;
  /** What stands in front of the flags, as commander takes it: `<module>`. */
  readonly argument?: readonly [name: string, text: string];
  /** A flag of its own, beside those of settings. */
  readonly choice?: { readonly name: string; readonly values: readonly string[]; readonly text: string };
}

const OWN_SECTION = 'This program';

/**
 * Reads the flags of a program that serves. What is wrong is told with the settings, all of it at once: see `problems` of the source.
 * @param args - without node and the script
 * @param settings - those that are flags of it
 */
export function parseCommandLine(
  args: readonly string[],
  program: Program | string = '',
  settings: KnownSettings = listKnown([{ prefix: '', declared: SETTINGS }]),
): CommandLine {
  const given = typeof program === 'string' ? { name: basename(program) || 'program' } : program;
  const command = createCommand(given, settings);
  const problems: string[] = [];
  let operands: string[] = [];
  let unknown: string[] = [];
  try {
    ({ operands, unknown } = command.parseOptions([...args]));
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    problems.push(explainValueless(error));
  }
  const { help, version, config, printConfig, checkConfig, ...all } = command.opts<Record<string, unknown>>();
  const { choice, rest } = takeChoice(all, given.choice, problems);
  const print =
    help === true ? command.helpInformation() : version === true ? `vela ${VERSION}\n` : undefined;
  const flags = command.options.flatMap(({ long }) => long ?? []);
  for (const one of unknown) if (/^-./.test(one)) problems.push(explainUnknownFlag(one, flags, settings));
  if (given.argument === undefined && operands[0] !== undefined) problems.push(explainSurplus(operands[0]));
  const values = Object.fromEntries(
    Object.entries(rest).flatMap(([key, value]) => {
      const read = readValue(key, value, settings, problems);
      return read === undefined ? [] : [[key, read]];
    }),
  );
  const file = (config as string[] | undefined)?.at(-1);
  const refusal = file === undefined ? undefined : refuseFlagValue('--config', '<file>', file, settings);
  if (refusal !== undefined) problems.push(refusal);
  return {
    source: { from: 'flag', values, problems },
    config: refusal === undefined ? file : undefined,
    only: printConfig === true ? 'print' : checkConfig === true ? 'check' : undefined,
    print,
    operands,
    choice,
  };
}

/** Takes the choice out of the flags, if there is one. */
function takeChoice(
  flags: Readonly<Record<string, unknown>>,
  choice: Program['choice'],
  problems: string[],
): { choice: string | undefined; rest: Readonly<Record<string, unknown>> } {
  if (choice === undefined) return { choice: undefined, rest: flags };
  const { [choice.name]: texts, ...rest } = flags;
  const chosen = (texts as string[] | undefined)?.at(-1);
  if (chosen === undefined || choice.values.includes(chosen)) return { choice: chosen, rest };
  problems.push(`--${choice.name} takes ${choice.values.join(', ')}; received ${describeValue(chosen)}`);
  return { choice: undefined, rest };
}

function createCommand({ name, argument, choice }: Program, settings: KnownSettings): Command {
  const command = new Command()
    .name(name)
    .usage(argument === undefined ? '[flags]' : `${argument[0]} [flags]`)
    .helpOption(false)
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .configureHelp({ sortOptions: false });
  if (argument !== undefined) command.argument(...argument);
  for (const [key, known] of settings) addSetting(command, key, known);
  const own: readonly [flags: string, text: string][] = [
    ...(choice === undefined
      ? []
      : [[`--${choice.name} <${choice.values.join('|')}>`, choice.text] as [string, string]]),
    [
      '-c, --config <file>',
      'read settings from this file (default vela.config.{js,mjs,ts,json}, where there is one)',
    ],
    ['--print-config', 'print every setting with its value and where it comes from'],
    ['--check-config', 'check the settings: exit code 0, or 2 when something is wrong'],
    ['-V, --version', "print Vela's version"],
    ['-h, --help', 'print this'],
  ];
  for (const [flags, text] of own) {
    const option = new Option(flags, text).helpGroup(`${OWN_SECTION}:`);
    command.addOption(option.required ? option.argParser(collect) : option);
  }
  return command;
}

/**
 * Adds the flag of a setting, in the group of its section, or of its prefix; for a boolean that may be on also the one that turns
 * it off.
 */
function addSetting(command: Command, key: string, { setting, prefix }: KnownSetting): void {
  const flag = flagOf(key, setting);
  if (flag === undefined) return;
  const section = SECTIONS.find((one) => one === setting.section);
  const group = prefix === '' ? `${section}:` : `With the prefix ${prefix}:`;
  const short = setting.short === undefined || prefix !== '' ? '' : `-${setting.short}, `;
  if (setting.kind === 'boolean') {
    command.addOption(new Option(`${short}${flag}`, setting.text).helpGroup(group));
    command.addOption(new Option(flag.replace('--', '--no-')).hideHelp());
    return;
  }
  const { default: fallback } = setting;
  const text = fallback === undefined ? setting.text : `${setting.text} (default ${fallback})`;
  const option = new Option(`${short}${flag} ${placeholderOf(setting)}`, text).helpGroup(group);
  command.addOption(option.argParser(collect));
}

/** `<address>`; `<level...>` takes all values up to the next flag. */
function placeholderOf(setting: Setting): string {
  const { placeholder } = kindOf(setting);
  const word = setting.placeholder ?? placeholder(setting);
  return setting.kind === 'levels' ? `<${word}...>` : `<${word}>`;
}

function collect(text: string, before: string[] | undefined): string[] {
  return [...(before ?? []), text];
}

/** The value of a flag, from the texts that it was given; undefined when these are refused. */
function readValue(key: string, given: unknown, settings: KnownSettings, problems: string[]): unknown {
  if (typeof given === 'boolean') return given;
  const { setting } = settings.get(key) as KnownSetting;
  const { parse, isList } = kindOf(setting);
  const flag = flagOf(key, setting) as string;
  const texts = given as string[];
  const refusal = texts
    .map((text) => refuseFlagValue(flag, placeholderOf(setting), text, settings))
    .find((one) => one !== undefined);
  if (refusal !== undefined) {
    problems.push(refusal);
    return undefined;
  }
  if (isList !== true) return parse(texts.at(-1) as string, setting);
  const parsed = texts.flatMap((text) => text.split(',')).map((text) => parse(text, setting));
  return parsed.length === 1 ? parsed[0] : parsed;
}
