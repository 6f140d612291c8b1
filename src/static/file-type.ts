import { lookup } from 'mrmime';

const UNKNOWN = 'application/octet-stream';

/**
 * The media type of a file, by its suffix; text has `charset=utf-8`.
 * @param types - further types, by suffix without its dot, in lower case
 */
export function findFileType(name: string, types?: Readonly<Record<string, string>>): string {
  const dot = name.lastIndexOf('.');
  if (dot <= name.lastIndexOf('/') + 1) return UNKNOWN;
  const suffix = name.slice(dot + 1).toLowerCase();
  if (types !== undefined && Object.hasOwn(types, suffix)) return types[suffix] as string;
  // The table is an object with a prototype: `a.constructor` finds a function.
  const type: unknown = lookup(suffix);
  if (typeof type !== 'string') return UNKNOWN;
  return type.startsWith('text/') ? `${type}; charset=utf-8` : type;
}
