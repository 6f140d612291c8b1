/** A value that is not copied here. */
export const DEAR = Symbol('dear');

/** All texts of a value together, names of properties included: many values are one text of JSON. */
const LONGEST_TEXT = 4096;
const MOST_ENTRIES = 16;
const DEEPEST = 3;
/** How much text the value that is copied may still have. */
let left = 0;

/**
 * Copies what costs less to copy than to send by itself, and what JSON gives back as it was: short texts, finite numbers, booleans,
 * null, small plain objects and arrays of such; `undefined` by itself. What is `DEAR` is left to the channel, which also says what
 * cannot be copied at all.
 */
export function copyCheaply(value: unknown): unknown {
  left = LONGEST_TEXT;
  return copyValue(value, 0);
}

function copyValue(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return hasRoom(value) ? value : DEAR;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0) ? value : DEAR;
    case 'boolean':
      return value;
    case 'undefined':
      return depth === 0 ? value : DEAR;
    case 'object':
      return value === null ? null : copyObject(value, depth);
    default:
      return DEAR;
  }
}

function copyObject(value: object, depth: number): unknown {
  if (depth >= DEEPEST) return DEAR;
  if (Array.isArray(value)) return copyArray(value, depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return DEAR;
  const copy: Record<string, unknown> = {};
  let count = 0;
  for (const key of Object.keys(value)) {
    if (++count > MOST_ENTRIES || key === '__proto__' || !hasRoom(key)) return DEAR;
    const one = copyValue(Reflect.get(value, key), depth + 1);
    if (one === DEAR) return DEAR;
    copy[key] = one;
  }
  return copy;
}

function copyArray(list: readonly unknown[], depth: number): unknown {
  if (list.length > MOST_ENTRIES) return DEAR;
  const copy: unknown[] = [];
  for (const value of list) {
    const one = copyValue(value, depth + 1);
    if (one === DEAR) return DEAR;
    copy.push(one);
  }
  // Properties of its own, or holes, are copied as the channel does.
  return Object.keys(list).length === list.length ? copy : DEAR;
}

function hasRoom(text: string): boolean {
  left -= text.length;
  return left >= 0;
}
