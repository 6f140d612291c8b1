import { isPlainObject } from '../core/errors.js';
import type { JsonSchema } from '../request/json-schema.js';

/** What a parameter is, where no schema library is wanted. */
export interface JsonKinds {
  any: unknown;
  array: readonly unknown[];
  boolean: boolean;
  integer: number;
  number: number;
  object: Readonly<Record<string, unknown>>;
  string: string;
}

/** A kind by its name; with a `?` the parameter may be left out. */
export type JsonKindName = keyof JsonKinds | `${keyof JsonKinds}?`;

/** A kind, as values are held against it. */
export interface JsonKind {
  /** Said in errors: `a number`. */
  readonly text: string;
  readonly jsonSchema: JsonSchema;
  fits(value: unknown): boolean;
}

/** Kinds by their names. An `integer` is one that a number holds exactly. */
export const JSON_KINDS: Readonly<Record<keyof JsonKinds, JsonKind>> = {
  any: { text: 'any value', jsonSchema: {}, fits: () => true },
  array: { text: 'an array', jsonSchema: { type: 'array' }, fits: (value) => Array.isArray(value) },
  boolean: {
    text: 'true or false',
    jsonSchema: { type: 'boolean' },
    fits: (value) => typeof value === 'boolean',
  },
  integer: {
    text: 'a whole number',
    jsonSchema: { type: 'integer' },
    fits: (value) => Number.isSafeInteger(value),
  },
  number: {
    text: 'a number',
    jsonSchema: { type: 'number' },
    // JSON has larger numbers than fit: 1e999 is parsed as Infinity.
    fits: (value) => typeof value === 'number' && Number.isFinite(value),
  },
  object: { text: 'an object', jsonSchema: { type: 'object' }, fits: isPlainObject },
  string: { text: 'a string', jsonSchema: { type: 'string' }, fits: (value) => typeof value === 'string' },
};
