import { askNearest } from '../core/errors.js';
import { explainPrefix, type KnownSettings } from './prefix.js';
import { variableOf } from './setting.js';
import { kindOf } from './setting-kinds.js';
import type { SettingSource } from './setting-source.js';
import { SETTINGS } from './settings.js';

const PREFIX = 'VELA_';
/** The config file's path. */
export const CONFIG_VARIABLE = 'VELA_CONFIG';
/** What Kubernetes and Docker tell of a service that is called vela. */
const OF_A_SERVICE = /^VELA_(?:SERVICE_(?:HOST|PORT)|PORT_\d+_)/;
const ADDRESS_OF_A_SERVICE = /^(?:tcp|udp|sctp):\/\//;
const ELSEWHERE: Readonly<Record<string, string>> = { VELA_PORT: 'VELA_BIND', VELA_HOST: 'VELA_BIND' };

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the variables of other servers that count where nothing else gives a setting. An empty one counts as absent. */
export function readFallbacks(env: Environment): SettingSource {
  const values: Record<string, unknown> = {};
  const variables: Record<string, string> = {};
  for (const [name, setting] of Object.entries(SETTINGS)) {
    const { fallback } = setting;
    const text = fallback === undefined ? '' : (env[fallback] ?? '');
    if (fallback === undefined || text === '') continue;
    values[name] = kindOf(setting).parse(text, setting);
    variables[name] = fallback;
  }
  return { from: 'variable', variables, values };
}

/** Reads the variables `VELA_*`. An empty one counts as absent. */
export function readEnvironment(env: Environment, settings: KnownSettings): SettingSource {
  const names = new Map(
    [...settings].flatMap(([key, { setting }]) => {
      const variable = variableOf(key, setting);
      return variable === undefined ? [] : [[variable, { key, setting }] as const];
    }),
  );
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [variable, text = ''] of Object.entries(env)) {
    if (!variable.startsWith(PREFIX) || text === '' || variable === CONFIG_VARIABLE) continue;
    const known = names.get(variable);
    if (known !== undefined) {
      const { parse, isList } = kindOf(known.setting);
      const texts = isList === true ? text.split(/[\s,]+/).filter((one) => one !== '') : [text];
      const parsed = texts.map((one) => parse(one, known.setting));
      values[known.key] = parsed.length === 1 ? parsed[0] : parsed;
    } else if (!OF_A_SERVICE.test(variable) && !ADDRESS_OF_A_SERVICE.test(text)) {
      problems.push(describeUnknown(variable, [...names.keys(), CONFIG_VARIABLE], settings));
    }
  }
  return { from: 'variable', values, problems };
}

function describeUnknown(variable: string, known: readonly string[], settings: KnownSettings): string {
  const words = variable.slice(PREFIX.length).toLowerCase();
  const why = explainPrefix(
    words.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
    settings,
  );
  if (why !== undefined) return `There is no setting for the variable ${variable}: ${why}`;
  const hint = askNearest(ELSEWHERE[variable] ?? variable, known).replaceAll('"', '');
  return `There is no setting for the variable ${variable}${hint}; variables of Vela begin with ${PREFIX}, and docs/settings.md lists them: unset it, or give it another name`;
}
