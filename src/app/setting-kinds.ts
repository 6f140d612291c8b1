import { availableParallelism } from 'node:os';
import { parseDataStore } from '../channels/data-store.js';
import { askNearest, describeValue, ImproperlyConfigured, toError } from '../core/errors.js';
import type { SniCertificate } from '../gateway/gateway.js';
import { compileFormat, NAMED_FORMATS } from '../middleware/access-log-format.js';
import { parseAddresses } from './address.js';
import { checkFile, checkFolder, checkFolders, checkOutputSetting } from './file-kinds.js';
import { parseLogLevels } from './log-levels.js';
import { checkUmask, checkUser } from './process-kinds.js';
import type { ChoiceSetting, IntegerSetting, OutputSetting, PlainSetting, Setting } from './setting.js';

/** What settings of a kind have in common. */
interface Kind<S extends Setting> {
  /** Its type in TypeScript, for ServerOptions. */
  type(setting: S): string;
  /** Its type once checked. @defaultValue the same */
  filledType?(setting: S): string;
  /** What its flag takes, in `--help`. */
  placeholder(setting: S): string;
  /** What it takes, for docs/settings.md. */
  values(setting: S): string;
  /** A flag can be given several times, and a variable holds several values. */
  readonly isList?: true;
  /** A text of the command line or of the environment as a value; a text that is none as it is, for `check` to refuse. */
  parse(text: string, setting: S): unknown;
  /** The value as it is used. @param name - what the user calls the setting @throws {ImproperlyConfigured} */
  check(name: string, value: unknown, setting: S): unknown;
}

const asText = (text: string) => text;
const AUTO = 'auto';
const CERTIFICATES = 'an array of { hostname, certFile, keyFile }';

type KindOf<K extends Setting['kind']> = Kind<
  K extends 'integer'
    ? IntegerSetting
    : K extends 'choice'
      ? ChoiceSetting
      : K extends 'output'
        ? OutputSetting
        : PlainSetting
>;

const KINDS: { readonly [K in Setting['kind']]: KindOf<K> } = {
  addresses: {
    type: () => 'string | number | readonly (string | number)[]',
    placeholder: () => 'address',
    values: () => 'address, or a list of them',
    isList: true,
    parse: asText,
    check(name, value) {
      parseAddresses(value as string, name);
      return value;
    },
  },
  address: {
    type: () => 'string | number',
    placeholder: () => 'address',
    values: () => 'address',
    parse: asText,
    check(name, value) {
      if (Array.isArray(value)) throw wrong(name, 'one address, such as 127.0.0.1:9060', value);
      parseAddresses(value as string, name);
      return value;
    },
  },
  integer: {
    type: ({ takesAuto }) => (takesAuto === true ? `number | '${AUTO}'` : 'number'),
    filledType: () => 'number',
    placeholder: ({ unit = 'count' }) => unit,
    values: ({ minimum, maximum, unit, takesZero, takesAuto }) =>
      `${takesZero === true ? '0, or ' : ''}${formatNumber(minimum)} to ${formatNumber(maximum)}${unit === undefined ? '' : ` ${unit}`}${takesAuto === true ? `, or \`${AUTO}\`` : ''}`,
    parse: (text) => (/^\d+$/.test(text) ? Number(text) : text),
    check(name, value, { minimum, maximum, unit, takesZero, takesAuto }) {
      if (takesZero === true && value === 0) return value;
      if (takesAuto === true && value === AUTO) return availableParallelism();
      if (Number.isInteger(value) && (value as number) >= minimum && (value as number) <= maximum)
        return value;
      const what = `${takesZero === true ? '0 or ' : ''}a whole number${unit === undefined ? '' : ` of ${unit}`} from ${minimum} to ${maximum}${takesAuto === true ? `, or ${AUTO}` : ''}`;
      throw wrong(name, what, value);
    },
  },
  boolean: {
    type: () => 'boolean',
    placeholder: () => '',
    values: () => '`true`, `false`',
    parse: (text) => (/^(?:true|1)$/.test(text) ? true : /^(?:false|0)$/.test(text) ? false : text),
    check(name, value) {
      if (typeof value !== 'boolean') throw wrong(name, 'true or false', value);
      return value;
    },
  },
  choice: {
    type: ({ choices }) => choices.map((choice) => `'${choice}'`).join(' | '),
    placeholder: () => 'name',
    values: ({ choices }) => choices.map((choice) => `\`${choice}\``).join(', '),
    parse: asText,
    check(name, value, { choices }) {
      if (choices.includes(value as string)) return value;
      const hint = typeof value === 'string' ? askNearest(value, choices) : '';
      throw new ImproperlyConfigured(`${wrong(name, `one of ${choices.join(', ')}`, value).message}${hint}`);
    },
  },
  text: {
    type: () => 'string',
    placeholder: () => 'text',
    values: () => 'text',
    parse: asText,
    check(name, value, { isSecret }) {
      if (typeof value === 'string' && value !== '') return value;
      throw wrong(name, 'a text', value, isSecret);
    },
  },
  file: {
    type: () => 'string',
    placeholder: () => 'path',
    values: () => 'path of a file that can be read',
    parse: asText,
    check: checkFile,
  },
  folder: {
    type: () => 'string',
    placeholder: () => 'path',
    values: () => 'path of a folder',
    parse: asText,
    check: checkFolder,
  },
  folders: {
    type: () => 'string | readonly string[]',
    placeholder: () => 'path',
    values: () => 'path of a folder, or a list of them',
    isList: true,
    parse: asText,
    check: checkFolders,
  },
  output: {
    type: () => 'string',
    placeholder: () => 'path',
    values: ({ takesStdout }) => `path of a file to write${takesStdout === true ? ', or `-`' : ''}`,
    parse: asText,
    check: checkOutputSetting,
  },
  accessFormat: {
    type: () => 'string',
    placeholder: () => 'format',
    values: () => '`common`, `combined`, `json` or a [format](middleware.md)',
    parse: asText,
    check: checkAccessFormat,
  },
  user: {
    type: () => 'string | number',
    placeholder: () => 'name',
    values: () => 'name or number',
    parse: asText,
    check: checkUser,
  },
  umask: {
    type: () => 'string | number',
    placeholder: () => 'octal',
    values: () => 'octal text, or a number to `0o777`',
    parse: asText,
    check: checkUmask,
  },
  dataStore: {
    type: () => 'string',
    placeholder: () => 'url',
    values: () => 'URL',
    parse: asText,
    check(name, value) {
      parseDataStore(name, value);
      return value;
    },
  },
  levels: {
    type: () => 'LogLevelRule | readonly LogLevelRule[]',
    placeholder: () => 'level',
    values: () => '`debug`, `info`, `warn`, `error`, `silent`, or `namespace:level`',
    isList: true,
    parse: asText,
    check(name, value) {
      parseLogLevels(value, name);
      return value;
    },
  },
  certificates: {
    type: () => 'readonly SniCertificate[]',
    placeholder: () => '',
    values: () => 'array of `{ hostname, certFile, keyFile }`',
    parse: asText,
    check(name, value) {
      if (!Array.isArray(value)) throw wrong(name, CERTIFICATES, value);
      return value.map((one: SniCertificate) => {
        if (typeof one?.hostname !== 'string') throw wrong(name, CERTIFICATES, one);
        return {
          ...one,
          certFile: checkFile(name.replace('sni', 'sni.certFile'), one.certFile),
          keyFile: checkFile(name.replace('sni', 'sni.keyFile'), one.keyFile),
        };
      });
    },
  },
};

/** What settings of this one's kind have in common. */
export function kindOf(setting: Setting): Kind<Setting> {
  return KINDS[setting.kind] as Kind<Setting>;
}

function checkAccessFormat(name: string, value: unknown): unknown {
  if (typeof value !== 'string' || value === '') throw wrong(name, 'a format, such as combined', value);
  try {
    if (value !== 'json') compileFormat(NAMED_FORMATS[value] ?? value);
  } catch (cause) {
    throw new ImproperlyConfigured(
      toError(cause).message.replace(/^The format of accessLog\(\)/, () => name),
      { cause },
    );
  }
  return value;
}

function wrong(name: string, expected: string, received: unknown, isSecret = false): ImproperlyConfigured {
  const shown = isSecret && received !== null ? `a ${typeof received}` : describeValue(received);
  return new ImproperlyConfigured(`${name} must be ${expected}; received ${shown}`);
}

function formatNumber(number: number): string {
  return number === Number.MAX_SAFE_INTEGER ? '2^53 - 1' : number.toLocaleString('en');
}
