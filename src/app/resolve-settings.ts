import { askNearest, describeValue, ImproperlyConfigured } from '../core/errors.js';
import type { GatewayConfig } from '../gateway/gateway.js';
import { explainPrefix, type KnownSettings, keyOf, listKnown } from './prefix.js';
import type { FilledOptions, ServerOptions } from './server-options.js';
import { flagOf } from './setting.js';
import { kindOf } from './setting-kinds.js';
import { nameSetting, originOf, type SettingName, type SettingSource } from './setting-source.js';
import { SETTINGS, type SettingSet } from './settings.js';

/** Checked settings, with everything filled in. */
export interface ResolvedSettings
  extends GatewayConfig,
    Omit<FilledOptions, 'certFile' | 'keyFile' | 'passphrase' | 'sni'> {}

/** What several sources came to. */
export interface CombinedSettings {
  readonly settings: ResolvedSettings;
  /** Every setting that has a value, in the order of their declarations. */
  readonly values: ReadonlyMap<SettingName, unknown>;
  /** Where each of them comes from; `default` where from none of the sources. */
  readonly origins: ReadonlyMap<SettingName, string>;
}

type TlsOptions = Pick<ServerOptions, 'certFile' | 'keyFile' | 'passphrase' | 'sni'>;
type Unfinished<Options> = { readonly [Name in keyof Options]: Options[Name] | undefined };

/** All settings, without prefix. */
const PLAIN = listKnown([{ prefix: '', declared: SETTINGS }]);
/** Names that other servers have. */
const ELSEWHERE: Readonly<Record<string, SettingName>> = {
  port: 'bind',
  host: 'bind',
  hostname: 'bind',
  listen: 'bind',
  cert: 'certFile',
  key: 'keyFile',
};

/**
 * Checks options given in code and fills in defaults.
 * @throws {ImproperlyConfigured} with a line for each that is wrong: the option, what it takes and what came
 */
export function resolveSettings(options: ServerOptions): ResolvedSettings {
  return combineSettings([fromCode(options)]).settings;
}

/**
 * Checks options given in code, one by one: what is missing may come from elsewhere.
 * @param others - names of options that are no settings, for messages
 * @throws {ImproperlyConfigured}
 */
export function checkOptions(
  options: ServerOptions,
  settings: SettingSet = SETTINGS,
  others: readonly string[] = [],
): void {
  const problems: string[] = [];
  checkSource(fromCode(options), problems, listKnown([{ prefix: '', declared: settings }]), others);
  refuse(problems);
}

/** Options given in code. @throws {ImproperlyConfigured} for what is no object */
export function fromCode(options: ServerOptions): SettingSource {
  if (options !== null && typeof options === 'object' && !Array.isArray(options))
    return { from: 'code', values: { ...options } };
  throw new ImproperlyConfigured(
    `Options must be an object, such as { bind: ':8060' }; received ${describeValue(options)}`,
  );
}

/**
 * Takes each setting from the first source that has it, and checks all of them in all sources.
 * @param sources - the first comes before the others
 * @param known - what they may have; code has names without prefix
 * @param prefix - of the application
 * @throws {ImproperlyConfigured} with a line for each that is wrong
 */
export function combineSettings(
  sources: readonly SettingSource[],
  known: KnownSettings = PLAIN,
  prefix = '',
): CombinedSettings {
  const problems: string[] = [];
  const checked = sources.map((source) => {
    const isCode = source.from === 'code';
    const keyIn = (name: string) => (isCode ? name : keyOf(prefix, name));
    return { source, keyIn, values: checkSource(source, problems, isCode ? PLAIN : known) };
  });
  refuse(problems);
  const values = new Map<SettingName, unknown>();
  const origins = new Map<SettingName, string>();
  for (const [name, setting] of Object.entries(SETTINGS) as [SettingName, (typeof SETTINGS)[SettingName]][]) {
    const found = checked.find(({ keyIn, values }) => values.has(keyIn(name)));
    const key = found?.keyIn(name) ?? name;
    const value = found === undefined ? setting.default : found.values.get(key);
    if (value === undefined) continue;
    values.set(name, value);
    origins.set(name, found === undefined ? 'default' : originOf(found.source, key, setting));
  }
  const { certFile, keyFile, passphrase, sni, ...rest } = Object.fromEntries(values) as ServerOptions;
  const tls = resolveTls({ certFile, keyFile, passphrase, sni }, prefix);
  return { settings: Object.freeze({ ...rest, tls }) as ResolvedSettings, values, origins };
}

/** The values of a source that are good; what is wrong goes to the problems. */
function checkSource(
  source: SettingSource,
  problems: string[],
  known: KnownSettings,
  others: readonly string[] = [],
): Map<string, unknown> {
  problems.push(...(source.problems ?? []));
  const good = new Map<string, unknown>();
  for (const [key, value] of Object.entries(source.values)) {
    const setting = known.get(key)?.setting;
    if (setting === undefined) {
      problems.push(describeUnknown(source, key, known, others));
    } else if (value !== undefined) {
      try {
        good.set(key, kindOf(setting).check(nameSetting(source, key, setting), value, setting));
      } catch (error) {
        if (!(error instanceof ImproperlyConfigured)) throw error;
        problems.push(error.message);
      }
    }
  }
  return good;
}

function describeUnknown(
  { from, file }: SettingSource,
  name: string,
  settings: KnownSettings,
  others: readonly string[],
): string {
  const known = [...others, ...settings.keys()];
  const why = explainPrefix(name, settings);
  if (why !== undefined) return `There is no setting "${name}" in ${file}: ${why}`;
  const hint = askNearest(ELSEWHERE[name] ?? name, known);
  return from === 'file'
    ? `There is no setting "${name}" in ${file}${hint === '' ? `; the settings are ${known.join(', ')}` : hint}`
    : `There is no option "${name}"${hint}; the options are ${known.join(', ')}`;
}

function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw new ImproperlyConfigured(problems.join('\n'));
}

/** @throws {ImproperlyConfigured} when a part is missing */
function resolveTls(
  { certFile, keyFile, passphrase, sni = [] }: Unfinished<TlsOptions>,
  prefix: string,
): GatewayConfig['tls'] {
  if (certFile !== undefined && keyFile !== undefined)
    return Object.freeze({ certFile, keyFile, passphrase, sni });
  if (certFile !== undefined || keyFile !== undefined) {
    const missing = certFile === undefined ? 'certFile' : 'keyFile';
    throw new ImproperlyConfigured(
      `Options "certFile" and "keyFile" go together, as TLS needs both: give "${missing}" (${flagOf(keyOf(prefix, missing), SETTINGS[missing])}) too`,
    );
  }
  if (sni.length > 0) {
    throw new ImproperlyConfigured(
      'Option "sni" adds certificates to "certFile" and "keyFile": give these too',
    );
  }
  return undefined;
}
