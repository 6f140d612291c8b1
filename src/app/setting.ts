/** The sections of `--help` and of docs/settings.md, in order. */
export const SECTIONS = [
  'Listening',
  'Workers',
  'Times',
  'Limits',
  'Logs',
  'Process',
  'Threads',
  'Data',
  'TLS',
  'Development',
] as const;
export type Section = (typeof SECTIONS)[number];

/** What every declaration of a setting says. */
interface Declared<Default> {
  readonly section: Section;
  /** What it does, as a line of `--help`: in lower case, without a full stop. */
  readonly text: string;
  /** What else is to be known of it, in sentences, for docs/settings.md and ServerOptions. */
  readonly details?: string;
  /** The version that it came with. */
  readonly since: string;
  readonly default?: Default;
  /** A variable of other servers that counts where nothing else gives it, for applications without prefix that listen. */
  readonly fallback?: string;
  /** The letter of its short flag. */
  readonly short?: string;
  /** `false` where it cannot be a flag; else that is its name: `maxBodyBytes` is `--max-body-bytes`. */
  readonly flag?: false;
  /** `false` where it cannot be a variable; else that is its name: `VELA_MAX_BODY_BYTES`. */
  readonly variable?: false;
  /** What a flag takes, where the kind's own word would say too little: `host`. */
  readonly placeholder?: string;
  /** `--print-config` does not show it. */
  readonly isSecret?: true;
}

/** A whole number, in the unit that the setting's name ends in. */
export interface IntegerSetting extends Declared<number> {
  readonly kind: 'integer';
  readonly unit?: 'ms' | 'bytes';
  readonly minimum: number;
  /** 0 is taken as well, though it is below the minimum. */
  readonly takesZero?: true;
  /** `auto` stands for the number of processors that the process may use. */
  readonly takesAuto?: true;
  readonly maximum: number;
}

/** One of some words. */
export interface ChoiceSetting extends Declared<string> {
  readonly kind: 'choice';
  readonly choices: readonly string[];
}

/** A file that is written. */
export interface OutputSetting extends Declared<string> {
  readonly kind: 'output';
  /** `-` stands for standard output. */
  readonly takesStdout?: true;
}

/** The rest, each with its own check in setting-kinds.ts and file-kinds.ts. */
export interface PlainSetting extends Declared<string | boolean> {
  readonly kind:
    | 'address'
    | 'addresses'
    | 'boolean'
    | 'text'
    | 'file'
    | 'folder'
    | 'folders'
    | 'levels'
    | 'accessFormat'
    | 'user'
    | 'umask'
    | 'certificates'
    | 'dataStore';
}

/** What a setting is. Its flag, its variable, its type, its check, `--help` and its place in the docs follow from this. */
export type Setting = IntegerSetting | ChoiceSetting | OutputSetting | PlainSetting;

/** `--max-body-bytes`; undefined for a setting without a flag. */
export function flagOf(name: string, { flag }: Setting): string | undefined {
  return flag === false ? undefined : `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** `VELA_MAX_BODY_BYTES`; undefined for a setting without a variable. */
export function variableOf(name: string, { variable }: Setting): string | undefined {
  return variable === false
    ? undefined
    : `VELA_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}
