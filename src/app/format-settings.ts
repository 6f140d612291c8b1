import { describeValue } from '../core/errors.js';
import { keyOf } from './prefix.js';
import type { CombinedSettings } from './resolve-settings.js';
import { SETTINGS, type SettingSet } from './settings.js';

/** Settings as a table in text: name, value, and where the value comes from. Secrets are hidden. */
export function formatSettings(
  { values, origins }: CombinedSettings,
  settings: SettingSet = SETTINGS,
  prefix = '',
): string {
  const rows = Object.entries(settings).map(([name, { isSecret }]) => {
    const key = name as keyof typeof SETTINGS;
    const value = values.get(key);
    const shown = isSecret === true && value !== undefined ? '(hidden)' : formatValue(value);
    return [keyOf(prefix, name), shown, origins.get(key) ?? 'default'] as const;
  });
  const nameWidth = Math.max(...rows.map(([name]) => name.length));
  const valueWidth = Math.max(...rows.map(([, value]) => value.length));
  return rows
    .map(([name, value, origin]) => `${name.padEnd(nameWidth)}  ${value.padEnd(valueWidth)}  ${origin}\n`)
    .join('');
}

function formatValue(value: unknown): string {
  if (value === undefined) return '-';
  return Array.isArray(value) ? value.map(formatOne).join(' ') : formatOne(value);
}

/** A text that a terminal would obey is shown as JSON; a certificate by its host. */
function formatOne(value: unknown): string {
  if (typeof value === 'object' && value !== null)
    return 'hostname' in value ? String(value.hostname) : describeValue(value);
  const text = String(value);
  return /\p{C}/u.test(text) ? JSON.stringify(text) : text;
}
