import { isDeepStrictEqual } from 'node:util';
import type { ResolvedSettings } from './resolve-settings.js';
import type { SettingName } from './setting-source.js';

/** What the main process has settled at its start. */
const SETTLED = [
  'bind',
  'gateway',
  'workerTimeoutMs',
  'workerStartTimeoutMs',
  'gracefulTimeoutMs',
  'logFile',
  'pidFile',
  'adminBind',
  'reload',
  'reloadPath',
] as const satisfies readonly SettingName[];

/** The settings that differ and that a reload does not change, by their names. */
export function findRestartSettings(
  before: ResolvedSettings,
  after: ResolvedSettings,
): readonly SettingName[] {
  const changed: SettingName[] = SETTLED.filter((name) => !isDeepStrictEqual(before[name], after[name]));
  return after.workers === 0 ? ['workers', ...changed] : changed;
}
