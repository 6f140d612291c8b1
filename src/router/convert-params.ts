import type { Converter } from './converters.js';
import type { Params } from './params.js';
import type { Route } from './route.js';

/** Puts what converters make in place of the texts. @returns false when one of them makes nothing */
export function convertParams({ converters }: Pick<Route, 'converters'>, params: Params): boolean {
  for (const [name, convert] of converters) {
    const text = params[name];
    if (text === undefined) continue;
    const value = Array.isArray(text) ? convertList(text, convert) : convert(String(text));
    if (value === undefined) return false;
    params[name] = value;
  }
  return true;
}

function convertList(texts: readonly unknown[], convert: Converter): unknown[] | undefined {
  const values = texts.map((text) => convert(String(text)));
  return values.includes(undefined) ? undefined : values;
}
