import { describeValue, ImproperlyConfigured } from '../core/errors.js';
import type { Setting } from './setting.js';
import { isShared, SETTINGS, type SettingSet } from './settings.js';

/** An application, as far as names of settings go. */
export interface SettingScope {
  /** Stands before the names of its settings everywhere but in code; `''` before none. */
  readonly prefix: string;
  readonly declared: SettingSet;
}

/** A setting of applications with a prefix, or without one. */
export interface KnownSetting {
  readonly setting: Setting;
  readonly prefix: string;
}

/** The settings of a program by their keys, from which flags and variables follow: `bind`, and `apiBind` with the prefix `api`. */
export type KnownSettings = ReadonlyMap<string, KnownSetting>;

const PREFIX = /^[a-z][a-z0-9]*$/;
/** Flags that turn something off begin with it. */
const NEGATION = 'no';

/** The key of a setting: `apiBind`. What is the program's has no prefix. */
export function keyOf(prefix: string, name: string): string {
  return prefix === '' || isShared(name) ? name : `${prefix}${capitalize(name)}`;
}

/** The settings of several applications; without prefix first. */
export function listKnown(scopes: readonly SettingScope[]): KnownSettings {
  const known = new Map<string, KnownSetting>();
  const ordered = [...scopes].sort((a, b) => Number(a.prefix !== '') - Number(b.prefix !== ''));
  for (const { prefix, declared } of ordered)
    for (const [name, setting] of Object.entries(declared)) {
      const key = keyOf(prefix, name);
      if (!known.has(key)) known.set(key, { setting, prefix: key === name ? '' : prefix });
    }
  return known;
}

/** @throws {ImproperlyConfigured} for what cannot stand before names of settings */
export function requirePrefix(owner: string, prefix: unknown): asserts prefix is string {
  if (typeof prefix !== 'string' || !PREFIX.test(prefix) || prefix === NEGATION)
    throw new ImproperlyConfigured(
      `Option "prefix" of ${owner} must be a word of small letters and digits, such as 'api' for the flag --api-bind; received ${describeValue(prefix)}`,
    );
}

/** Why a key that looks like one with a prefix is none; undefined for others. */
export function explainPrefix(key: string, known: KnownSettings): string | undefined {
  const prefixes = [...new Set([...known.values()].map(({ prefix }) => prefix))].filter((one) => one !== '');
  const name = Object.keys(SETTINGS).find(
    (one) => key.endsWith(capitalize(one)) && PREFIX.test(key.slice(0, -one.length)),
  );
  if (prefixes.length === 0 || name === undefined) return undefined;
  const prefix = key.slice(0, -name.length);
  if (prefixes.includes(prefix))
    return isShared(name)
      ? `"${name}" is the whole program's, and has no prefix`
      : `what has the prefix "${prefix}" has no "${name}"`;
  const there = prefixes.map((one) => `"${one}"`).join(', ');
  return `no application of this program has the prefix "${prefix}"; there is ${there}`;
}

function capitalize(name: string): string {
  return `${name[0]?.toUpperCase()}${name.slice(1)}`;
}
