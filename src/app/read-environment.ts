import { askNearest } from '../core/errors.js';
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

/** Reads the variables `VELA_*`. An empty one counts as absent. */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): SettingSource {
  const names = new Map(
    Object.entries(SETTINGS).flatMap(([name, setting]) => {
      const variable = variableOf(name, setting);
      return variable === undefined ? [] : [[variable, { name, setting }] as const];
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
      values[known.name] = parsed.length === 1 ? parsed[0] : parsed;
    } else if (!OF_A_SERVICE.test(variable) && !ADDRESS_OF_A_SERVICE.test(text)) {
      problems.push(describeUnknown(variable, [...names.keys(), CONFIG_VARIABLE]));
    }
  }
  return { from: 'variable', values, problems };
}

function describeUnknown(variable: string, known: readonly string[]): string {
  const hint = askNearest(ELSEWHERE[variable] ?? variable, known).replaceAll('"', '');
  return `There is no setting for the variable ${variable}${hint}; variables of Vela begin with ${PREFIX}, and docs/settings.md lists them: unset it, or give it another name`;
}
